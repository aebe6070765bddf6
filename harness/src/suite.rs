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
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Conclusion, Failed, Trial};
use ssoproof_deployment::{Deployment, Problem};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::cli::{Exit, choice_of_environment, draw, held, worker_threads};
use crate::evidence::normal_form;
use crate::reports::{colours_on_stderr, err, failure_text};
use crate::runner::{self, Verdict};
use crate::scenario::{self, Case};
use crate::snapshot;
use crate::stacks::{self, LeaseFolder, Opened, StackChoice, StackError};

/// Set for the process that holds the stack of containers for a suite of many processes.
const HOLD: &str = "SSOPROOF_HOLD";
/// How long that process outlives the last test: longer than a test runner takes from one test to the next.
const IDLE: Duration = Duration::from_secs(20);

/// Runs every scenario beside the `deployment.yaml` at `deployment` under the test harness's own arguments:
/// `cargo test -- logout`, `--list`, `--exact`, what nextest asks for. The stack starts with the first test.
///
/// `SSOPROOF_STACK=containers` runs them on containers instead of in this process; under nextest, where every test is
/// a process, all of them share one stack, which ends soon after the last. With `SSOPROOF_STACK=attach` they run
/// against a stack that others have set up, as the variables say that `ssoproof run --help` names. A case that needs
/// what the stack does not offer is ignored.
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
    choice: StackChoice,
    /// The stack, or why there is none: it is started once.
    stack: OnceCell<Result<Opened, String>>,
    snapshots: Option<PathBuf>,
}

impl Suite {
    /// The scenarios beside the `deployment.yaml` at `deployment`.
    pub fn new(deployment: impl AsRef<Path>) -> Self {
        Self { deployment: deployment.as_ref().to_owned(), snapshots: None }
    }

    /// Compares the normal form of every passing case's hops on the embedded stack with the snapshot of its name in
    /// `folder`.
    /// `INSTA_UPDATE=always` writes them anew.
    #[must_use]
    pub fn snapshots(mut self, folder: impl AsRef<Path>) -> Self {
        self.snapshots = Some(folder.as_ref().to_owned());
        self
    }

    /// Runs what the arguments of the process choose.
    pub fn main(self) -> ExitCode {
        let (lab, cases) = match self.lab() {
            Ok(found) => found,
            Err(problem) => {
                err(&draw(problem, colours_on_stderr()));
                return Exit::Parse.into();
            }
        };
        if std::env::var_os(HOLD).is_some() {
            return lab.hold().into();
        }
        let arguments = Arguments::from_args();
        let trial = |case: Case| {
            let (lab, case) = (lab.clone(), Arc::new(case));
            let lacking = case.scenario.file.needs.iter().any(|need| !lab.choice.offers(need.value));
            Trial::ignorable_test(case.id.clone(), move || lab.try_case(case)).with_ignored_flag(lacking)
        };
        let conclusion: Conclusion = libtest_mimic::run(&arguments, cases.into_iter().map(trial).collect());
        match lab.close() {
            Ok(()) => conclusion.exit_code(),
            Err(error) => {
                err(&draw(Problem::new(error.to_string()), colours_on_stderr()));
                Exit::Internal.into()
            }
        }
    }

    fn lab(self) -> Result<(Arc<Lab>, Vec<Case>), Problem> {
        let mut deployment = Deployment::load(&self.deployment)?;
        let cases = scenario::load(&deployment, std::slice::from_ref(&deployment.folder))?;
        let lab = Lab {
            runtime: worker_threads()?,
            choice: choice_of_environment(&mut deployment)?,
            deployment: Arc::new(deployment),
            stack: OnceCell::new(),
            snapshots: self.snapshots,
        };
        Ok((Arc::new(lab), cases))
    }
}

impl Lab {
    async fn open(&self) -> Result<Opened, StackError> {
        // Under nextest this process ends with its one test.
        if matches!(self.choice, StackChoice::Containers(_)) && std::env::var_os("NEXTEST").is_some() {
            let folder = LeaseFolder::of(&self.deployment)?;
            if folder.running().is_none() {
                stacks::detach(&folder, |command| {
                    command.env(HOLD, "1");
                })?;
            }
        }
        match Opened::open(self.deployment.clone(), &self.choice).await {
            Err(StackError::Interrupted) => std::process::exit(Exit::Interrupted.code().into()),
            opened => opened,
        }
    }

    /// Holds the stack for other processes of the suite.
    fn hold(&self) -> Exit {
        let StackChoice::Containers(options) = &self.choice else { return Exit::Usage };
        stacks::leave_terminal();
        held(self.runtime.block_on(stacks::hold(self.deployment.clone(), options, Some(IDLE))))
    }

    fn close(self: Arc<Self>) -> Result<(), StackError> {
        // Every test is over, and with it every other hold on the lab.
        let Some(lab) = Arc::into_inner(self) else { return Ok(()) };
        match lab.stack.into_inner() {
            Some(Ok(opened)) => lab.runtime.block_on(opened.close(|| ())),
            _ => Ok(()),
        }
    }

    fn try_case(&self, case: Arc<Case>) -> Result<Completion, Failed> {
        self.runtime.block_on(async {
            let opened =
                self.stack.get_or_init(async || self.open().await.map_err(|error| error.to_string()));
            let stack = opened.await.as_ref()?.stack();
            let outcome = runner::on_its_stack(case, 1, self.deployment.clone(), stack).await;
            match outcome.verdict {
                Verdict::Passed | Verdict::Warned => match &self.snapshots {
                    // They are of the embedded stack: others have addresses and orders of their own.
                    Some(folder) if matches!(self.choice, StackChoice::Embedded(_)) => {
                        let text = normal_form(&outcome.ledger, outcome.redactor());
                        snapshot::compare(folder, &outcome.case.id, &text)?;
                        Ok(Completion::Completed)
                    }
                    _ => Ok(Completion::Completed),
                },
                Verdict::ExpectedFailure => Ok(Completion::Completed),
                Verdict::Unsupported => Ok(Completion::ignored_with(outcome.reason.unwrap_or_default())),
                _ => Err(Failed::from(failure_text(&outcome, false))),
            }
        })
    }
}
