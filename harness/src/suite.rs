//! The scenarios of a deployment as a test target: every case one named test.
//!
//! ```no_run
//! // tests/sso.rs, with `harness = false` in Cargo.toml
//! fn main() -> std::process::ExitCode {
//!     ssoproof::suite::main("sso/deployment.yaml")
//! }
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use ssoproof_deployment::{Deployment, Problem};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::cli::{Exit, draw};
use crate::evidence::normal_form;
use crate::reports::{colours_on_stderr, err, failure_text};
use crate::runner::{self, Verdict};
use crate::scenario::{self, Case};
use crate::snapshot;
use crate::stacks::{Embedded, Stack};

/// Runs every scenario beside the `deployment.yaml` at `deployment` under the test harness's own arguments:
/// `cargo test -- logout`, `--list`, `--exact`, what nextest asks for. The stack starts with the first test.
///
/// A relative path counts from the package that is tested.
pub fn main(deployment: impl AsRef<Path>) -> ExitCode {
    Suite::new(deployment).main()
}

/// A test target with more than [`main`] has.
pub struct Suite {
    deployment: PathBuf,
    snapshots: Option<PathBuf>,
}

/// What the tests of one process share.
struct Lab {
    runtime: Runtime,
    deployment: Arc<Deployment>,
    stack: OnceCell<Arc<dyn Stack>>,
    snapshots: Option<PathBuf>,
}

impl Suite {
    /// The scenarios beside the `deployment.yaml` at `deployment`.
    pub fn new(deployment: impl AsRef<Path>) -> Self {
        Self { deployment: deployment.as_ref().to_owned(), snapshots: None }
    }

    /// Compares the normal form of every passing case's hops with the snapshot of its name in `folder`.
    /// `INSTA_UPDATE=always` writes them anew.
    #[must_use]
    pub fn snapshots(mut self, folder: impl AsRef<Path>) -> Self {
        self.snapshots = Some(folder.as_ref().to_owned());
        self
    }

    /// Runs what the arguments of the process choose.
    pub fn main(self) -> ExitCode {
        let arguments = Arguments::from_args();
        let trials = match self.trials() {
            Ok(trials) => trials,
            Err(problem) => {
                err(&draw(problem, colours_on_stderr()));
                return Exit::Parse.into();
            }
        };
        let conclusion: Conclusion = libtest_mimic::run(&arguments, trials);
        conclusion.exit_code()
    }

    fn trials(self) -> Result<Vec<Trial>, Problem> {
        let deployment = Deployment::load(&self.deployment)?;
        let cases = scenario::load(&deployment, std::slice::from_ref(&deployment.folder))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let lab = Arc::new(Lab {
            runtime: runtime
                .map_err(|error| Problem::new(format!("failed to start worker threads: {error}")))?,
            deployment: Arc::new(deployment),
            stack: OnceCell::new(),
            snapshots: self.snapshots,
        });
        let trial = |case: Case| {
            let (lab, case) = (lab.clone(), Arc::new(case));
            Trial::test(case.id.clone(), move || lab.try_case(case))
        };
        Ok(cases.into_iter().map(trial).collect())
    }
}

impl Lab {
    fn try_case(&self, case: Arc<Case>) -> Result<(), Failed> {
        self.runtime.block_on(async {
            let start = || async {
                let stack = Embedded::start(self.deployment.clone()).await?;
                Ok::<Arc<dyn Stack>, crate::stacks::StackError>(Arc::new(stack))
            };
            let stack = self.stack.get_or_try_init(start).await?.clone();
            let outcome = runner::on_its_stack(case, 1, self.deployment.clone(), stack).await;
            match outcome.verdict {
                Verdict::Passed | Verdict::Warned => match &self.snapshots {
                    Some(folder) => {
                        let text = normal_form(&outcome.ledger, outcome.redactor());
                        snapshot::compare(folder, &outcome.case.id, &text).map_err(Failed::from)
                    }
                    None => Ok(()),
                },
                Verdict::ExpectedFailure => Ok(()),
                _ => Err(Failed::from(failure_text(&outcome, false))),
            }
        })
    }
}
