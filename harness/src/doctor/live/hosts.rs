//! DOC-L06 to DOC-L08: the outpost of every protected host, strangers there, and the clock.

use http::header::{DATE, LOCATION};
use jiff::Timestamp;
use url::Url;

use super::ask::{Ask, seen, told};
use crate::diagnoses::AUTHORIZE;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::subject::{PING, Subject};

const SILENT: Code = Code {
    id: "DOC-L06",
    title: "The outpost does not answer on a protected host",
    diagnosis: Some("SSO-R04"),
};
const LET_IN: Code = Code {
    id: "DOC-L07",
    title: "A stranger at a protected host is not sent to the login",
    diagnosis: Some("SSO-P06"),
};
const CLOCK: Code = Code { id: "DOC-L08", title: "Authentik's clock is off", diagnosis: None };

/// The most that two clocks may differ, in seconds: tokens are good at once and for minutes.
const SKEW: i64 = 30;

/// Asks the outpost and the service of every protected host.
pub(super) async fn outposts(subject: &Subject, ask: &Ask) -> Vec<Finding> {
    let mut found = Vec::new();
    for (host, _) in subject.protected() {
        let Some(url) = subject.url(&host, PING).map(String::from) else { continue };
        let said = match ask.get(&url, None).await {
            Ok(answer) if answer.status() == 204 => None,
            Ok(answer) => Some(seen(&answer)),
            Err(error) => Some(error),
        };
        if let Some(said) = said {
            let message = format!("the outpost does not answer on {host}");
            found.push(
                told(&SILENT, Severity::Error, message, &url, said)
                    .because("the way back from the login is there")
                    .fix("route the outpost's paths of the host to Authentik"),
            );
        }
        let Some(url) = subject.url(&host, "/").map(String::from) else { continue };
        let Ok(answer) = ask.get(&url, None).await else { continue };
        let to = answer.headers().get(LOCATION).and_then(|to| Url::parse(to.to_str().ok()?).ok());
        let auth = subject.auth_host();
        let login = to.is_some_and(|to| {
            let known = subject.stated.is_some();
            (!known || to.host_str() == auth.as_deref()) && to.path() == AUTHORIZE
        });
        if !login {
            let open = answer.status().is_success();
            let severity = if open { Severity::Error } else { Severity::Warning };
            let message = format!("a stranger at {host} is not sent to the login");
            found.push(
                told(&LET_IN, severity, message, &url, seen(&answer))
                    .because("a page without a login is open to everybody; an error keeps everybody out")
                    .fix("`ssoproof doctor` on the Traefik files says which router answers"),
            );
        }
    }
    found
}

/// Compares Authentik's clock with this machine's.
pub(super) async fn clock(subject: &Subject, ask: &Ask) -> Vec<Finding> {
    let url = format!("{}/-/health/live/", subject.deployment.auth.url.trim_end_matches('/'));
    let before = Timestamp::now();
    let Ok(answer) = ask.get(&url, None).await else { return Vec::new() };
    let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
    let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else { return Vec::new() };
    let off = date.timestamp().as_second() - before.as_second();
    if off.abs() <= SKEW {
        return Vec::new();
    }
    let how = if off > 0 { "ahead of" } else { "behind" };
    let message = format!("the clock at Authentik is {} s {how} this machine's", off.abs());
    let finding = told(&CLOCK, Severity::Warning, message, &url, format!("Date is {} s off", off));
    vec![
        finding
            .because("tokens are not valid yet, or have expired, for whoever reads them with another clock")
            .fix("let every machine take its time from NTP"),
    ]
}
