//! DOC-P05, DOC-P06, DOC-G05: the URLs that Grafana is told.

use url::Url;

use super::Rule;
use crate::diagnoses::AUTHORIZE;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::proof::{Asked, Proof, Shows, Way};
use crate::doctor::subject::Subject;
use crate::stacks::{host_and_port, host_of};

const ENDPOINT: Code = Code {
    id: "DOC-P05",
    title: "An app is told an endpoint that Authentik does not have",
    diagnosis: Some("SSO-P03"),
};
const INTERNAL: Code = Code {
    id: "DOC-P06",
    title: "Browsers are sent to a name that only the gateway knows",
    diagnosis: Some("SSO-P02"),
};
const SIGN_OUT: Code =
    Code { id: "DOC-G05", title: "Grafana's sign-out leads nowhere", diagnosis: Some("SSO-G05") };

pub(super) struct GrafanaUrls;

impl Rule for GrafanaUrls {
    fn codes(&self) -> &'static [&'static Code] {
        &[&ENDPOINT, &INTERNAL, &SIGN_OUT]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(grafana) = &subject.grafana else { return };
        let Some(auth) = subject.auth_host().filter(|_| subject.stated.is_some()) else { return };
        let base = subject.deployment.auth.url.trim_end_matches('/');
        for (name, said) in &grafana.endpoints {
            let path = match *name {
                "auth_url" => AUTHORIZE,
                "token_url" => "/application/o/token/",
                _ => "/application/o/userinfo/",
            };
            let Ok(url) = Url::parse(&said.value) else { continue };
            let public = host_of(&said.value).as_deref() == Some(auth.as_str());
            let internal = host_and_port(&said.value) == subject.upstream();
            let right = format!("write `{base}{path}`");
            if *name == "auth_url" && !public {
                let message = format!("{name} `{}` is not at {auth}", said.value);
                let proof =
                    Proof::Static("the browsers of the deployment's users cannot be asked".to_owned());
                let severity = if internal { Severity::Error } else { Severity::Warning };
                into.push(
                    Finding::new(&INTERNAL, severity, said.at.clone(), message, proof)
                        .because("it is the browser that goes there, and it knows the public name alone")
                        .fix(right),
                );
            } else if (public || internal) && url.path() != path {
                let message = format!("{name} is `{}`, and Authentik's endpoint is `{path}`", url.path());
                let Some(asked) = subject.url(&auth, url.path()) else { continue };
                let proof = Asked::get(asked).by(Way::Authentik).shows(Shows::Status(404));
                into.push(
                    Finding::new(&ENDPOINT, Severity::Error, said.at.clone(), message, proof)
                        .because("authorize, token and userinfo are shared by all applications; only discovery, keys and end-session are below a slug")
                        .fix(right),
                );
            }
        }
        if let Some(said) = &grafana.sign_out {
            into.extend(sign_out(subject, said, &auth, grafana.slug.as_deref()));
        }
    }
}

fn sign_out(
    subject: &Subject,
    said: &crate::doctor::settings::Said,
    auth: &str,
    slug: Option<&str>,
) -> Option<Finding> {
    let base = subject.deployment.auth.url.trim_end_matches('/');
    let right = format!("write `{base}/application/o/{}/end-session/`", slug.unwrap_or("<slug>"));
    let made = |message: String, proof: Proof| {
        Finding::new(&SIGN_OUT, Severity::Error, said.at.clone(), message, proof)
            .because("the session at Authentik lives on, and the next click on the login signs in silently")
            .fix(right.clone())
    };
    let url = Url::parse(&said.value).ok();
    let Some(url) = url.filter(|url| url.host_str() == Some(auth)) else {
        let reason = "no request of the deployment's own hosts shows it";
        return Some(made(
            format!("the sign-out URL `{}` is not at {auth}", said.value),
            Proof::Static(reason.to_owned()),
        ));
    };
    let flow = subject.deployment.auth.invalidation_flow.as_str();
    let fine = [
        slug.map(|slug| format!("/application/o/{slug}/end-session/")).unwrap_or_default(),
        format!("/if/flow/{flow}/"),
        "/flows/-/default/invalidation/".to_owned(),
    ];
    if fine.iter().any(|path| path == url.path()) {
        return None;
    }
    let message = format!("Authentik has nothing for Grafana at the sign-out URL's path `{}`", url.path());
    let asked = subject.url(auth, url.path())?;
    Some(made(message, Asked::get(asked).by(Way::Authentik).shows(Shows::Status(404))))
}
