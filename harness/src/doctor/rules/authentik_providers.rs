//! DOC-A01 to DOC-A05: what is set up in Authentik for the protected hosts.

use ssoproof_deployment::Place;
use url::Url;

use super::Rule;
use crate::agent::{Jar, Mode, RequestContext};
use crate::doctor::blueprint::{Blueprint, Proxy};
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Asked, Proof, Shows};
use crate::doctor::subject::Subject;
use crate::stacks::host_of;

const NOT_SERVED: Code = Code {
    id: "DOC-A01",
    title: "A proxy provider is not added to the embedded outpost",
    diagnosis: Some("SSO-P01"),
};
const NO_PROVIDER: Code = Code {
    id: "DOC-A02",
    title: "No provider has a protected host as its external host",
    diagnosis: Some("SSO-P01"),
};
const OUTPOST_HOST: Code = Code {
    id: "DOC-A03",
    title: "The outpost sends browsers to another host than Authentik's public one",
    diagnosis: Some("SSO-P02"),
};
const COOKIE_DOMAIN: Code = Code {
    id: "DOC-A04",
    title: "The cookie domain of a provider does not cover the hosts it is for",
    diagnosis: Some("SSO-C01"),
};
const LAUNCH_URL: Code =
    Code { id: "DOC-A05", title: "An application's launch URL is not its provider's host", diagnosis: None };

pub(super) struct AuthentikProviders;

impl Rule for AuthentikProviders {
    fn codes(&self) -> &'static [&'static Code] {
        &[&NOT_SERVED, &NO_PROVIDER, &OUTPOST_HOST, &COOKIE_DOMAIN, &LAUNCH_URL]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(blueprint) = &subject.blueprint else {
            into.extend(promised(subject));
            return;
        };
        if !blueprint.proxies.is_empty() {
            for (host, _) in subject.protected() {
                into.extend(of_host(subject, blueprint, &host));
            }
        }
        into.extend(outpost_host(subject, blueprint));
        into.extend(blueprint.proxies.iter().filter_map(|proxy| cookie_domain(subject, proxy)));
        into.extend(launch_urls(subject, blueprint));
    }
}

fn not_served(
    subject: &Subject,
    host: &str,
    place: impl Into<Option<ssoproof_deployment::traefik::At>>,
) -> Option<Finding> {
    let proof = Asked::get(subject.url(host, "/")?).shows(Shows::Status(404));
    let message = format!("the provider of {host} is in no outpost");
    Some(
        Finding::new(&NOT_SERVED, Severity::Error, place, message, proof)
            .because("the outpost knows its own providers alone, and answers 404 for every other host")
            .fix("add the provider to the embedded outpost"),
    )
}

/// Services that the deployment itself leaves out of the outpost.
fn promised(subject: &Subject) -> Vec<Finding> {
    let left_out = subject.deployment.services.values().filter(|service| !service.in_outpost);
    let found = left_out.filter_map(|service| {
        not_served(subject, &host_of(&service.url)?, subject.stated_at(service.url.place))
    });
    found.collect()
}

fn of_host(subject: &Subject, blueprint: &Blueprint, host: &str) -> Option<Finding> {
    if let Some(proxy) = blueprint.proxy_for(host) {
        if blueprint.is_served(proxy) {
            return None;
        }
        return not_served(subject, host, proxy.at.clone());
    }
    let proof = Asked::get(subject.url(host, "/")?).shows(Shows::Status(404));
    // The one that was meant has the same host in another spelling, or begins alike.
    let same = |proxy: &&Proxy| host_of(&proxy.external_host.value).as_deref() == Some(host);
    let alike = |proxy: &&Proxy| proxy.authority().split('.').next() == host.split('.').next();
    let near = blueprint.proxies.iter().find(same).or_else(|| blueprint.proxies.iter().find(alike));
    let (message, place) = match near {
        Some(proxy) => (
            format!(
                "the provider's external host is `{}`, and the gateway asks for `{host}`",
                proxy.external_host.value
            ),
            proxy.external_host.at.clone(),
        ),
        None => (
            format!("no provider is for {host}"),
            Some(at(&blueprint.source, Place { line: 1, column: 1, ..Place::default() })),
        ),
    };
    Some(
        Finding::new(&NO_PROVIDER, Severity::Error, place, message, proof)
            .because("the outpost compares host and port letter for letter, and answers 404 for a host that it does not know")
            .fix(format!("give a proxy provider the external host `https://{host}`")),
    )
}

fn outpost_host(subject: &Subject, blueprint: &Blueprint) -> Option<Finding> {
    let auth = subject.stated.as_ref().map(|_| &subject.deployment.auth.url)?;
    let said = blueprint.outposts.iter().find_map(|outpost| outpost.authentik_host.as_ref())?;
    if said.value.trim_end_matches('/') == auth.value {
        return None;
    }
    let same = said.value.trim_end_matches('/').eq_ignore_ascii_case(auth);
    let (host, _) = subject.protected().into_iter().next()?;
    let why = if same {
        "the outpost compares the issuer of tokens letter for letter: the login never ends"
    } else {
        "browsers are sent there for the login, and the embedded outpost knows no other host for them"
    };
    let proof = if same {
        let answer = format!("`{}` is not `{}`", said.value, auth.value);
        Proof::Evaluated { question: "the issuer of a token, byte for byte".to_owned(), answer }
    } else {
        Asked::get(subject.url(&host, "/")?).shows(Shows::NoLogin)
    };
    let message =
        format!("authentik_host of the outpost is `{}`, and Authentik is at `{}`", said.value, auth.value);
    Some(
        Finding::new(&OUTPOST_HOST, Severity::Error, said.at.clone(), message, proof)
            .because(why)
            .fix(format!("write `{}`", auth.value)),
    )
}

/// A domain-level provider's cookie, as a browser takes it.
fn cookie_domain(subject: &Subject, proxy: &Proxy) -> Option<Finding> {
    let said = proxy.cookie_domain.as_ref().filter(|_| proxy.mode == "forward_domain")?;
    let domain = said.value.trim_start_matches('.');
    let callback = Url::parse(&proxy.external_host.value).ok()?;
    let meant = subject.protected().into_iter().map(|(host, _)| host);
    let mut hosts = meant.filter(|host| {
        subject
            .blueprint
            .as_ref()
            .is_some_and(|known| known.proxies.iter().all(|one| one.authority() != host))
    });
    let beyond = hosts.find(|host| !browser_sends(&callback, domain, host));
    let (missed, message) = if !browser_sends(&callback, domain, callback.host_str()?) {
        let host = callback.host_str()?.to_owned();
        let message =
            format!("the way back from the login is at {host}, which may not set a cookie for `{domain}`");
        (host, message)
    } else {
        let host = beyond?;
        let message = format!("the cookie for `{domain}` never reaches {host}");
        (host, message)
    };
    let proof = Proof::Evaluated {
        question: format!("a cookie with Domain={domain}, set by {}", callback.host_str()?),
        answer: format!("browsers do not send it to {missed}"),
    };
    Some(
        Finding::new(&COOKIE_DOMAIN, Severity::Error, said.at.clone(), message, proof)
            .because(
                "without its cookie the outpost asks for the login again: a loop, or `mismatched session ID`",
            )
            .fix("give every registrable domain a provider of its own, with an external host in it"),
    )
}

/// Whether a browser that gets a cookie for `domain` from `setter` sends it to `host`.
fn browser_sends(setter: &Url, domain: &str, host: &str) -> bool {
    let Ok(asked) = Url::parse(&format!("https://{host}/")) else { return false };
    let context = |url| RequestContext { url, initiator: None, mode: Mode::Navigation, safe_method: true };
    let mut jar = Jar::new();
    jar.take(format!("probe=1; Domain={domain}; Path=/; Secure").as_bytes(), &context(setter));
    !jar.matching(&context(&asked)).is_empty()
}

fn launch_urls(subject: &Subject, blueprint: &Blueprint) -> Vec<Finding> {
    let found = blueprint.applications.iter().filter_map(|application| {
        let said = application.launch_url.as_ref()?;
        let provider = application.provider.as_ref()?;
        let proxy = blueprint.proxies.iter().find(|proxy| proxy.names.contains(provider))?;
        let (launch, external) =
            (Url::parse(&said.value).ok()?, Url::parse(&proxy.external_host.value).ok()?);
        if proxy.mode == "forward_domain" || launch.host_str() == external.host_str() {
            return None;
        }
        let host = launch.host_str()?;
        let proof = match subject.is_ours(host) {
            true => {
                Proof::Static("the host is one of the deployment's, and another application's".to_owned())
            }
            false => Asked::get(subject.url(host, "/")?).shows(Shows::Status(404)),
        };
        let message =
            format!("the launch URL is at {host}, and the provider is for {}", external.host_str()?);
        Some(
            Finding::new(&LAUNCH_URL, Severity::Warning, said.at.clone(), message, proof)
                .because("the tile in Authentik's library leads elsewhere")
                .fix(format!("write `{}`", proxy.external_host.value)),
        )
    });
    found.collect()
}
