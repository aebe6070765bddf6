//! The Docker daemon, and what can go wrong with it.

use std::time::Duration;

use testcontainers::bollard;

/// A connection to the Docker daemon. Clones share it.
#[derive(Clone)]
pub struct Docker(pub(crate) bollard::Docker);

/// Why the stack of containers did not start, or a control of it did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The daemon does not answer.
    #[error("Docker does not answer: {reason}")]
    Daemon {
        /// What the socket said.
        reason: String,
    },
    /// The daemon refused something that concerns no component.
    #[error("Docker failed to {task}: {reason}")]
    Task {
        /// What was asked of it.
        task: String,
        /// What it said.
        reason: String,
    },
    /// The daemon did not make or start a container.
    #[error("failed to start {component} from image `{image}`: {reason}")]
    Start {
        /// The component.
        component: &'static str,
        /// The image.
        image: String,
        /// What Docker said.
        reason: String,
    },
    /// A container ended before it was ready.
    #[error("{component} ended with exit code {code} before it was ready; {state}{}", tail(.log))]
    Ended {
        /// The component.
        component: &'static str,
        /// The exit code.
        code: i64,
        /// The last state seen.
        state: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// A container did not become ready in time.
    #[error("{component} was not ready after {} s: {state}{}", .waited.as_secs(), tail(.log))]
    NotReady {
        /// The component.
        component: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// The last state seen.
        state: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
}

/// The log under an error's first line.
fn tail(log: &[String]) -> String {
    if log.is_empty() {
        return "\nits log is empty".to_owned();
    }
    let lines: Vec<String> = log.iter().map(|line| format!("  | {line}")).collect();
    format!("\nthe end of its log:\n{}", lines.join("\n"))
}

impl Docker {
    /// Connects as `DOCKER_HOST`, the Docker context or the usual socket say, and asks whether the daemon is there.
    ///
    /// # Errors
    /// [`Error::Daemon`] when it is not.
    pub async fn connect() -> Result<Self, Error> {
        let down = |reason: String| Error::Daemon { reason };
        let docker = testcontainers::core::client::docker_client_instance()
            .await
            .map_err(|error| down(root_cause(&error)))?;
        let answer = tokio::time::timeout(Duration::from_secs(10), docker.ping()).await;
        answer
            .map_err(|_| down("no answer within 10 s".to_owned()))?
            .map_err(|error| down(root_cause(&error)))?;
        Ok(Self(docker))
    }

    /// An error of a task that concerns no component.
    pub(crate) fn refused(task: impl Into<String>, error: &bollard::errors::Error) -> Error {
        Error::Task { task: task.into(), reason: said(error) }
    }
}

/// What Docker said, without the client's own words around it.
pub(crate) fn said(error: &bollard::errors::Error) -> String {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        other => root_cause(other),
    }
}

/// The innermost of an error's causes, with the outermost when it says something else.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let (outer, mut inner) = (error.to_string(), error);
    while let Some(source) = inner.source() {
        inner = source;
    }
    let inner = inner.to_string();
    if outer.contains(&inner) { outer } else { format!("{outer}: {inner}") }
}
