//! What the doctor finds.

use serde::Serialize;
use ssoproof_deployment::traefik::At;
use ssoproof_deployment::{Place, Problem, Source};

use super::proof::Proof;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To know.
    Note,
    /// To mend before it hurts.
    Warning,
    /// A promise does not hold.
    Error,
}

impl Severity {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A kind of finding: stable, for scripts.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `DOC-R01`. The letter is the group: T files, R routers, F the forward auth middleware, H headers, A Authentik,
    /// P providers of apps, G Grafana, M MinIO, L what runs, D what the deployment's document says.
    pub id: &'static str,
    /// What it is, in a line.
    pub title: &'static str,
    /// The diagnosis that a run would make of it, where there is one.
    pub diagnosis: Option<&'static str>,
}

/// Something that is wrong, or that one should know.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its kind.
    pub code: &'static Code,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands; none for what is missing everywhere, and for what runs.
    pub at: Option<At>,
    /// What there is.
    pub message: String,
    /// Why that matters.
    pub why: String,
    /// What shows it.
    pub proof: Proof,
    /// What to do.
    pub fix: String,
    /// What came of the proof.
    pub outcome: Outcome,
}

/// What came of a finding's proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not tried yet.
    Open,
    /// It is so; with what was seen.
    Confirmed(String),
    /// The embedded stack does otherwise; with what was seen.
    NotReproduced(String),
    /// No request can show it; with the reason.
    Static(String),
}

impl Outcome {
    /// The word in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Confirmed(_) => "confirmed",
            Self::NotReproduced(_) => "not reproduced",
            Self::Static(_) => "static",
        }
    }

    /// What was seen, or why nothing was tried.
    pub fn seen(&self) -> &str {
        match self {
            Self::Open => "",
            Self::Confirmed(seen) | Self::NotReproduced(seen) | Self::Static(seen) => seen,
        }
    }
}

impl Finding {
    /// A finding at `at`, to be tried by `proof`.
    pub(super) fn new(
        code: &'static Code,
        severity: Severity,
        at: impl Into<Option<At>>,
        message: impl Into<String>,
        proof: Proof,
    ) -> Self {
        Self {
            code,
            severity,
            at: at.into(),
            message: message.into(),
            why: String::new(),
            proof,
            fix: String::new(),
            outcome: Outcome::Open,
        }
    }

    /// The same with its reason.
    #[must_use]
    pub(super) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// The same with what to do.
    #[must_use]
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// Whether it counts: a finding that does not reproduce is told and no more.
    pub fn counts(&self) -> bool {
        !matches!(self.outcome, Outcome::NotReproduced(_))
    }

    /// The severity with which it counts.
    pub fn weight(&self) -> Severity {
        if self.counts() { self.severity } else { Severity::Note }
    }

    /// `file:line:column`, when it stands somewhere.
    pub fn position(&self) -> Option<String> {
        let at = self.at.as_ref()?;
        Some(format!("{}:{}:{}", at.source.path.display(), at.place.line, at.place.column))
    }

    /// The finding as a problem in its file, to be drawn with a caret.
    pub(super) fn problem(&self) -> Problem {
        let message = format!("{} {}: {}", self.severity.word(), self.code.id, self.message);
        match &self.at {
            Some(at) => at.source.problem(at.place, message),
            None => Problem::new(message),
        }
    }
}

/// A place in a file.
pub(super) fn at(source: &Source, place: Place) -> At {
    At { source: source.clone(), place }
}
