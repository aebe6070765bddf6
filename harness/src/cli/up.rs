//! `ssoproof up`, `down` and `status`, and the process that holds a stack for others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ssoproof_deployment::{Deployment, Problem};
use tokio::runtime::Runtime;

use super::args::{DownOptions, UpOptions, Which};
use super::exit::Exit;
use super::stack::{IDLE, Started};
use super::threads::worker_threads;
use super::{displayed, place};
use crate::reports::{err, out};
use crate::stacks::{self, Lease, LeaseFolder, StackError};

/// The longest wait for a holder that was told to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a stack of containers that stays when this process ends, or shows one in this process.
pub(super) fn up(options: &UpOptions) -> Exit {
    match (options.stack, options.embedded.fault) {
        (Some(Started::Containers), Some(_)) => {
            let refusal = Problem::new("`--fault` is for `--stack embedded`");
            return place::refuse(refusal, Exit::Usage);
        }
        (Some(Started::Embedded), fault) | (None, fault @ Some(_)) => {
            return displayed::show(&options.which, fault.map(|named| named.0));
        }
        (Some(Started::Containers) | None, None) => {}
    }
    with(&options.which, |deployment, folder| {
        if let Some(lease) = folder.running() {
            out("it is up already\n");
            return Ok(out(&told(&deployment, &lease)));
        }
        stacks::detach(&folder, |command| {
            command.arg("hold").args(options.containers.again());
            command.arg("--deployment").arg(deployment.folder.join("deployment.yaml"));
            if options.keep {
                command.arg("--keep");
            }
        })?;
        match folder.running() {
            Some(lease) => {
                out(&format!("up: {}\n", stacks::timeline(&lease.timings)));
                Ok(out(&told(&deployment, &lease)))
            }
            None => Err(StackError::Lease("the stack ended as soon as it was up".to_owned())),
        }
    })
}

/// Takes the running stack of containers down, and what dead owners left.
pub(super) fn down(options: &DownOptions) -> Exit {
    with(&options.which, |deployment, folder| {
        let stopped = folder.owner();
        if let Some(pid) = stopped {
            let started = Instant::now();
            stacks::end(pid)?;
            while folder.owned() {
                if started.elapsed() > PATIENCE {
                    return Err(StackError::Lease(format!("process {pid} does not end")));
                }
                std::thread::sleep(Duration::from_millis(25));
            }
        }
        let runtime = runtime()?;
        let reaped = runtime.block_on(stacks::reap_all())?;
        if options.snapshots {
            runtime.block_on(stacks::forget(&deployment))?;
        }
        out(match (stopped, reaped) {
            (Some(_), _) => "down\n",
            (None, true) => "removed what a dead owner had left\n",
            (None, false) => "nothing is up\n",
        });
        Ok(Exit::Ok)
    })
}

/// Tells what is up.
pub(super) fn status(which: &Which) -> Exit {
    with(which, |deployment, folder| {
        let text = match (folder.running(), folder.owner()) {
            (Some(lease), _) => {
                let used = if folder.used() { ", in use" } else { "" };
                format!("up, held by process {}{used}\n{}", lease.pid, told(&deployment, &lease))
            }
            (None, Some(pid)) => format!("starting, by process {pid}\n"),
            (None, None) => "nothing is up\n".to_owned(),
        };
        Ok(out(&text))
    })
}

/// Holds a stack until it is told to end.
pub(super) fn hold(options: &UpOptions) -> Exit {
    stacks::leave_terminal();
    with(&options.which, |deployment, _| {
        let hold = || {
            let containers = options.containers.options(&deployment);
            let containers = containers.map_err(|problem| StackError::Lease(problem.to_string()))?;
            let idle = (!options.keep).then_some(IDLE);
            runtime()?.block_on(stacks::hold(deployment, &containers, idle))
        };
        Ok(held(hold()))
    })
}

/// What a process ends with that has held a stack. Why it could not is said in plain words, which its starter draws.
pub(crate) fn held(outcome: Result<(), StackError>) -> Exit {
    match outcome {
        Ok(()) => Exit::Ok,
        Err(error) => {
            err(&format!("{error}\n"));
            Exit::StackFailed
        }
    }
}

fn runtime() -> Result<Runtime, StackError> {
    worker_threads().map_err(|problem| StackError::Lease(problem.to_string()))
}

fn with(which: &Which, work: impl FnOnce(Arc<Deployment>, LeaseFolder) -> Result<Exit, StackError>) -> Exit {
    let deployment = match place::deployment(which) {
        Ok(deployment) => Arc::new(deployment),
        Err(problem) => {
            place::complain(problem);
            return Exit::Parse;
        }
    };
    let done = LeaseFolder::of(&deployment).and_then(|folder| work(deployment, folder));
    done.unwrap_or_else(|error| {
        place::complain(Problem::new(error.to_string()));
        Exit::StackFailed
    })
}

/// How to reach the stack.
fn told(deployment: &Deployment, lease: &Lease) -> String {
    let mut text = format!("{}: plain on {}, TLS on {}\n", lease.deployment, lease.http, lease.https);
    let width = lease.containers.keys().map(String::len).max().unwrap_or_default();
    for (component, container) in &lease.containers {
        text.push_str(&format!("  {component:<width$}  {container}\n"));
    }
    text.push_str(&format!("  curl --insecure --connect-to ::{} {}/\n", lease.https, *deployment.auth.url));
    text
}
