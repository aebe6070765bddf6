//! What a diagnosis looks at, and what it says.

use std::fmt;
use std::path::PathBuf;

use ssoproof_deployment::Deployment;

use crate::evidence::Ledger;
use crate::runner::StepFinding;
use crate::scenario::Case;
use crate::stacks::Stack;

/// A case that is not as expected.
pub struct Subject<'a> {
    /// What is promised.
    pub deployment: &'a Deployment,
    /// The stack it ran on.
    pub stack: &'a dyn Stack,
    /// The case.
    pub case: &'a Case,
    /// What is not as expected.
    pub findings: &'a [StepFinding],
    /// Every hop.
    pub ledger: &'a Ledger,
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
