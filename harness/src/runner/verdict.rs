//! What a case came to.

use std::fmt;

use serde::Serialize;

/// What a case came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that must hold, holds.
    Passed,
    /// The subject broke something that must hold.
    Failed,
    /// Only something that should hold is broken.
    Warned,
    /// The harness or its environment broke; nothing is said of the subject.
    Error,
    /// It was not run: the run ended before.
    Skipped,
    /// The stack lacks what the scenario needs.
    Unsupported,
    /// It fails, as the scenario says it does for now.
    ExpectedFailure,
    /// It passes although the scenario says it fails.
    UnexpectedPass,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 8] = [
        Self::Passed,
        Self::Failed,
        Self::Warned,
        Self::Error,
        Self::Skipped,
        Self::Unsupported,
        Self::ExpectedFailure,
        Self::UnexpectedPass,
    ];

    /// Whether a run with it is a failed run.
    pub fn fails_run(self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::UnexpectedPass)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Warned => "warned",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::Unsupported => "unsupported",
            Self::ExpectedFailure => "expected failure",
            Self::UnexpectedPass => "unexpected pass",
        })
    }
}
