//! What came of a request.

use url::Url;

use crate::diagnoses::AUTHORIZE;
use crate::doctor::proof::Shows;
use crate::doctor::subject::Subject;
use crate::evidence::Hop;

/// What came of a request.
pub(in crate::doctor) struct Answer {
    pub(super) hop: Hop,
    /// The router that took it.
    pub(super) router: Option<String>,
    /// The server that answered, as `host:port`.
    pub(super) server: Option<String>,
    /// What reached it.
    pub(super) arrived: Vec<(String, String)>,
    /// What the recorder was asked with.
    pub(super) asked: Vec<(String, String)>,
}

impl Answer {
    /// Whether it shows what it must.
    pub(in crate::doctor) fn shows(&self, shows: &Shows, subject: &Subject) -> bool {
        let status = self.hop.status();
        let read = |lines: &[(String, String)], name: &str, value: &str| {
            lines.iter().any(|(key, got)| key.eq_ignore_ascii_case(name) && got == value)
        };
        match shows {
            Shows::Service => self.server.is_some(),
            Shows::ServiceAt(place) => self.server.as_ref() == Some(place),
            Shows::Status(wanted) => status == Some(*wanted),
            Shows::NotStatus(other) => status.is_some_and(|status| status != *other),
            Shows::Login => self.is_login(subject),
            Shows::NoLogin => status.is_some() && !self.is_login(subject),
            Shows::RedirectTo(url) => self.hop.redirect_target().as_ref() == Some(url),
            Shows::Authentik => self.is_authentik() && !self.is_login(subject),
            Shows::Reads(name, value) => self.server.is_some() && read(&self.arrived, name, value),
            Shows::Lacks(name) => {
                self.server.is_some() && !self.arrived.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
            }
            Shows::AuthReads(name, value) => read(&self.asked, name, value),
            Shows::Says(text) => {
                self.hop.response().is_some_and(|answer| answer.text().contains(text.as_str()))
            }
        }
    }

    /// Whether the browser is sent to the authorize endpoint, and from there to the login.
    fn is_login(&self, subject: &Subject) -> bool {
        let auth = Url::parse(&subject.deployment.auth.url).ok();
        self.hop.redirect_target().is_some_and(|to| {
            auth.is_some_and(|auth| auth.host_str() == to.host_str()) && to.path() == AUTHORIZE
        })
    }

    fn is_authentik(&self) -> bool {
        let powered = self.hop.response().and_then(|answer| answer.header("x-powered-by"));
        powered.is_some_and(|by| by.starts_with("authentik"))
    }

    /// What was seen, in a line.
    pub(in crate::doctor) fn told(&self) -> String {
        let by = match &self.router {
            Some(router) => format!(" by router `{router}`"),
            None => String::new(),
        };
        let answer = match &self.hop.outcome {
            Err(error) => return format!("no answer: {}{by}", error.text),
            Ok(answer) => answer,
        };
        let from = match &self.server {
            Some(place) => format!(" from {place}"),
            None if self.is_authentik() => " from Authentik".to_owned(),
            None => String::new(),
        };
        let to = self.hop.redirect_target().map(|to| format!(" to {}", &to[..url::Position::AfterPath]));
        format!("{}{}{from}{by}", answer.status, to.unwrap_or_default())
    }
}
