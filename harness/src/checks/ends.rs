//! `ends`: where the browser rests, and what it shows.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};

use super::Finding;
use super::backend::untold;
use super::expect::{Check, CheckFuture, differs};
use super::header::HeaderCheck;
use super::url_match;
use crate::agent::{Landing, Page};
use crate::scenario::Text;
use crate::steps::{Parts, Seen, World};

/// The end of a step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    /// The URL; a query and a fragment count when they are written.
    #[serde(default)]
    at: Option<Located<Text>>,
    /// The status of the last answer.
    #[serde(default)]
    status: Option<Located<u16>>,
    /// What a person sees.
    #[serde(default)]
    page: Option<Located<Shown>>,
    /// Where the last answer sends the browser, when it was not followed.
    #[serde(default)]
    location: Option<Located<Text>>,
    /// Headers of the last answer.
    #[serde(default)]
    headers: BTreeMap<String, Located<HeaderCheck>>,
}

/// What a person sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Shown {
    /// Authentik asks who the user is.
    Login,
    /// Authentik refuses the user.
    Denied,
    /// Authentik says that the session of an app has ended.
    SessionEnd,
    /// Another page of a flow.
    Flow,
    /// A service.
    Backend,
    /// Anything else.
    Other,
}

impl fmt::Display for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Login => "the login page",
            Self::Denied => "the page that refuses the user",
            Self::SessionEnd => "the page that tells of a session's end",
            Self::Flow => "a page of a flow",
            Self::Backend => "the service",
            Self::Other => "another page",
        })
    }
}

impl From<&Page> for Shown {
    fn from(page: &Page) -> Self {
        match page {
            Page::Login => Self::Login,
            Page::Denied => Self::Denied,
            Page::SessionEnd => Self::SessionEnd,
            Page::Flow(_) => Self::Flow,
            Page::Backend(_) => Self::Backend,
            Page::Other => Self::Other,
        }
    }
}

impl Check for Ends {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.texts(self.at.iter().chain(&self.location));
        for check in self.headers.values() {
            check.parts(check.place, parts);
        }
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let endless = match &seen.landing {
                Some(Landing::Loop(report)) => Some(report.description.clone()),
                Some(Landing::TooManyHops) => Some("more redirects than the browser follows".to_owned()),
                Some(Landing::Arrived { .. } | Landing::Failed { .. }) | None => None,
            };
            let resting = seen.resting(&world.ledger);
            let (None, Some(hop)) = (&endless, resting) else {
                let got = endless.unwrap_or_else(|| "nothing asked".to_owned());
                return Ok(differs("the end", "a page", got, place, world.ledger.turning)
                    .into_iter()
                    .collect());
            };
            let index = Some(hop.index);
            let response = match &hop.outcome {
                Ok(response) => response,
                Err(error) => {
                    return Ok(differs("the end", "a page", error, place, index).into_iter().collect());
                }
            };
            let mut findings: Vec<Option<Finding>> = Vec::new();
            if let Some(at) = &self.at {
                let expected = world.text(at)?;
                if !url_match::same(&expected, &hop.request.url) {
                    findings.push(differs("the address", expected, &hop.request.url, at.place, index));
                }
            }
            if let Some(status) = &self.status {
                // Which paths such a service knows is its own affair.
                if response.status != status.value && world.ledger.backends.answers_silently(hop) {
                    return Err(untold(hop));
                }
                findings.push(differs("status", status.value, response.status, status.place, index));
            }
            if let Some(page) = &self.page {
                let got = Shown::from(&seen.page(&world.ledger));
                let shown = if got == Shown::Other {
                    format!("{got} at {} with status {}", hop.request.url, response.status)
                } else {
                    got.to_string()
                };
                if got != page.value {
                    findings.push(differs("page", page.value, shown, page.place, index));
                }
            }
            if let Some(location) = &self.location {
                let expected = world.text(location)?;
                let target = hop.redirect_target();
                if !target.as_ref().is_some_and(|target| url_match::same(&expected, target)) {
                    let got = target.map_or_else(|| "no redirect".to_owned(), String::from);
                    findings.push(differs("location", expected, got, location.place, index));
                }
            }
            for (name, check) in &self.headers {
                let values: Vec<Vec<u8>> = response.header_values(name).map(<[u8]>::to_vec).collect();
                findings.push(check.look(name, &values, check.place, index, &world.scope)?);
            }
            Ok(findings.into_iter().flatten().collect())
        })
    }
}
