//! What a diagnosis looks at, and what it says.

use std::fmt;
use std::path::{Path, PathBuf};

use ssoproof_deployment::{Deployment, Place, Problem, Service, Source};
use url::Url;

use crate::evidence::{Hop, Ledger};
use crate::routing::Routing;
use crate::runner::StepFinding;
use crate::scenario::Case;

/// A case that is not as expected.
pub struct Subject<'a> {
    /// What is promised.
    pub deployment: &'a Deployment,
    /// The Traefik files in force.
    pub traefik: &'a Path,
    /// The last log lines of each component, with the component's name.
    pub logs: &'a [(String, Vec<String>)],
    /// The case.
    pub case: &'a Case,
    /// What is not as expected.
    pub findings: &'a [StepFinding],
    /// Every hop.
    pub ledger: &'a Ledger,
}

impl Subject<'_> {
    /// The deployment's services that the case is about: those whose hosts it dialled or routed to.
    pub(super) fn services(&self) -> Vec<(&str, &Service, Url)> {
        let about = |url: &Url| {
            let dialled = self.ledger.hops.iter().any(|hop| hop.request.url.host_str() == url.host_str());
            let routed = self.case.values.iter().any(|(_, value)| {
                value.split('/').any(|part| {
                    self.deployment
                        .services
                        .get(part)
                        .is_some_and(|s| s.url.starts_with(url.as_str().trim_end_matches('/')))
                })
            });
            dialled || routed
        };
        self.deployment
            .services
            .iter()
            .filter_map(|(slug, service)| Some((slug.as_str(), service, Url::parse(&service.url).ok()?)))
            .filter(|(_, _, url)| about(url))
            .collect()
    }

    /// The routers in force.
    pub(super) fn routing(&self) -> Result<Routing, Problem> {
        Routing::read(self.deployment, self.traefik)
    }

    /// A place in `deployment.yaml`.
    pub(super) fn line(&self, place: Place) -> Option<Pointer> {
        let source = Source::read(&self.deployment.folder.join("deployment.yaml")).ok()?;
        Some(Pointer {
            file: source.path.to_path_buf(),
            line: place.line,
            text: source.line(place).to_owned(),
        })
    }

    /// The words of an STS or OAuth2 answer that hold `words`, in the findings or in a hop's body.
    pub(super) fn said(&self, words: &str) -> Option<String> {
        let found =
            self.findings.iter().map(|found| found.finding.got.clone()).find(|got| got.contains(words));
        found.or_else(|| {
            let bodies = self.ledger.hops.iter().filter_map(|hop| Some(hop.response()?.text()));
            bodies.into_iter().find(|body| body.contains(words))
        })
    }

    /// Every hop answered with `status` whose path ends in `path`.
    pub(super) fn hops_at<'s>(&'s self, path: &'s str, status: u16) -> impl Iterator<Item = &'s Hop> {
        self.ledger
            .hops
            .iter()
            .filter(move |hop| hop.request.url.path().ends_with(path) && hop.status() == Some(status))
    }
}

/// A cause that can be recognised.
pub trait Diagnosis: Sync {
    /// Its code: `SSO-R01`.
    fn code(&self) -> &'static str;

    /// What it is, for `ssoproof explain`: how it comes about, how it shows, what to do.
    fn explanation(&self) -> &'static str;

    /// The cause, when it is this one.
    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed>;
}

/// A cause that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosed {
    /// The diagnosis's code.
    pub code: &'static str,
    /// The cause in one line.
    pub title: String,
    /// Where it can be mended.
    pub pointer: Option<Pointer>,
    /// What to do.
    pub help: String,
}

/// A line of a file of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The file, as the user knows it.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
}

impl fmt::Display for Pointer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file.display(), self.line, self.text)
    }
}
