//! From what is given to findings that were tried.

use std::path::PathBuf;
use std::sync::Arc;

use ssoproof_deployment::Problem;

use super::finding::{Finding, Outcome, Severity};
use super::live::{self, LiveOptions};
use super::proof::Proof;
use super::rules;
use super::simulate::World;
use super::subject::{Inputs, Subject};
use crate::stacks::StackError;

/// What the doctor found.
#[derive(Clone, Debug)]
pub struct Examination {
    /// What was looked at.
    pub name: String,
    /// The Traefik files that were read.
    pub files: Vec<PathBuf>,
    /// The hosts that have to be protected.
    pub protected: Vec<String>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// What stands in the files and is not modelled, so that nothing is said of it.
    pub unmodelled: Vec<String>,
}

/// Why nothing could be examined.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// Something that is given cannot be read.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The embedded stack, on which findings are tried, did not start.
    #[error(transparent)]
    Stack(#[from] StackError),
}

/// Reads what is given, looks for what is wrong, and tries every finding on the embedded stack. With `live` what runs
/// is asked as well, and only read.
///
/// # Errors
/// [`DoctorError`] when something given cannot be read or the embedded stack does not start.
pub async fn examine(inputs: &Inputs, live: Option<&LiveOptions>) -> Result<Examination, DoctorError> {
    let mut subject = Subject::read(inputs)?;
    let asked = match live {
        Some(options) => Some(live::examine(&mut subject, options).await?),
        None => None,
    };
    let subject = Arc::new(subject);
    let mut findings = Vec::new();
    for rule in rules::ALL {
        rule.examine(&subject, &mut findings);
    }
    confirm(&subject, &mut findings).await?;
    findings.extend(asked.into_iter().flatten());
    let place = |finding: &Finding| {
        finding.at.as_ref().map(|at| (at.source.path.clone(), at.place.line, at.place.column))
    };
    findings.sort_by(|one, other| {
        other
            .weight()
            .cmp(&one.weight())
            .then_with(|| place(one).cmp(&place(other)))
            .then(one.code.id.cmp(other.code.id))
    });
    let dynamic = subject.dynamic();
    Ok(Examination {
        name: subject.deployment.name.clone(),
        files: dynamic
            .iter()
            .flat_map(|known| known.files.iter().map(|file| file.path.to_path_buf()))
            .collect(),
        protected: subject.protected().into_iter().map(|(host, _)| host).collect(),
        unmodelled: unmodelled(&subject),
        findings,
    })
}

/// What stands in the files and nothing is said of.
fn unmodelled(subject: &Subject) -> Vec<String> {
    let parts = subject.dynamic().into_iter().flat_map(|dynamic| &dynamic.unmodelled);
    let parts = parts.map(|one| format!("{} at {}", one.what, one.at));
    let routers = subject.routing.iter().flat_map(|routing| &routing.config().routers);
    parts.chain(routers.filter_map(|router| subject.is_beyond(router))).collect()
}

/// Tries every finding that a request can show.
async fn confirm(subject: &Arc<Subject>, findings: &mut [Finding]) -> Result<(), StackError> {
    let wanted = findings.iter().any(|finding| matches!(finding.proof, Proof::Request(..)));
    let world = if wanted { Some(World::start(subject, findings).await?) } else { None };
    for finding in findings {
        finding.outcome = match (&finding.proof, &world) {
            (Proof::Evaluated { answer, .. }, _) => Outcome::Confirmed(answer.clone()),
            (Proof::Static(reason), _) => Outcome::Static(reason.clone()),
            (Proof::Request(asked, shows), Some(world)) => match world.answer(asked).await {
                Err(reason) => Outcome::Static(reason),
                Ok(answer) if answer.shows(shows, subject) => Outcome::Confirmed(answer.told()),
                Ok(answer) => Outcome::NotReproduced(answer.told()),
            },
            (Proof::Request(..), None) => Outcome::Open,
        };
    }
    Ok(())
}

impl Examination {
    /// How many findings have this severity, as far as they count.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.counts() && finding.severity == severity).count()
    }

    /// How many findings did not reproduce.
    pub fn not_reproduced(&self) -> usize {
        self.findings.iter().filter(|finding| !finding.counts()).count()
    }
}
