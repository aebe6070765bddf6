//! DOC-P01, DOC-P02: where Authentik sends codes.

use url::Url;

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::proof::{Asked, Shows, Way};
use crate::doctor::providers::{App, Match};
use crate::doctor::subject::Subject;
use crate::stacks::host_of;

const NOT_LISTED: Code = Code {
    id: "DOC-P01",
    title: "The app's redirect URI is not one of its provider's",
    diagnosis: Some("SSO-O01"),
};
const ELSEWHERE: Code = Code {
    id: "DOC-P02",
    title: "A provider sends codes to a host that is not the app's",
    diagnosis: Some("SSO-O04"),
};

pub(super) struct RedirectUris;

impl Rule for RedirectUris {
    fn codes(&self) -> &'static [&'static Code] {
        &[&NOT_LISTED, &ELSEWHERE]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        for app in subject.apps() {
            if !app.redirect_uris.iter().any(|uri| uri.takes(&app.callback.value)) {
                into.extend(not_listed(subject, &app));
            }
            let foreign = app.redirect_uris.iter().filter(|uri| uri.matching == Match::Strict);
            let foreign = foreign.filter(|uri| host_of(&uri.said.value) != host_of(&app.callback.value));
            for uri in foreign.filter(|uri| !uri.takes(&app.callback.value)) {
                let Some(asked) = authorize(subject, &app.client_id, &uri.said.value) else { continue };
                // The one that should be the app's own is told already.
                if app.redirect_uris.len() == 1 {
                    continue;
                }
                let message = format!("the provider of {} sends codes to `{}`", app.name, uri.said.value);
                into.push(
                    Finding::new(
                        &ELSEWHERE,
                        Severity::Warning,
                        uri.said.at.clone(),
                        message,
                        asked.shows(Shows::Status(302)),
                    )
                    .because("whoever has that host can sign in as the user who follows a link")
                    .fix("take the URI out"),
                );
            }
        }
    }
}

fn not_listed(subject: &Subject, app: &App) -> Option<Finding> {
    let asked = authorize(subject, &app.client_id, &app.callback.value)?;
    let listed: Vec<&str> = app.redirect_uris.iter().map(|uri| uri.said.value.as_str()).collect();
    let near = listed.first().copied().unwrap_or("nothing");
    let message =
        format!("{} comes back at `{}`, and its provider lists `{near}`", app.name, app.callback.value);
    let own = app.callback.at.clone().filter(|_| app.callback_is_said);
    let place = own
        .or_else(|| app.redirect_uris.first().and_then(|uri| uri.said.at.clone()))
        .or_else(|| app.at.clone());
    Some(
        Finding::new(&NOT_LISTED, Severity::Error, place, message, asked.shows(Shows::Status(400)))
            .because("Authentik refuses the login with 400: redirect URIs are compared letter for letter")
            .fix(format!("list `{}`", app.callback.value)),
    )
}

/// The question at the authorize endpoint.
fn authorize(subject: &Subject, client_id: &str, redirect_uri: &str) -> Option<Asked> {
    let base = subject.deployment.auth.url.trim_end_matches('/');
    let mut url = Url::parse(&format!("{base}/application/o/authorize/")).ok()?;
    url.query_pairs_mut()
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("response_type", "code")
        .append_pair("scope", "openid")
        .append_pair("state", "doctor");
    Some(Asked::get(url).by(Way::Authentik))
}
