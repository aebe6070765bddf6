//! What can be done to a stack's containers while it runs, by whoever knows their names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::StreamExt as _;
use testcontainers::bollard::errors::Error::DockerResponseServerError;
use testcontainers::bollard::models::{ContainerState, ContainerStateStatusEnum};
use testcontainers::bollard::query_parameters::{
    LogsOptions, LogsOptionsBuilder, RestartContainerOptionsBuilder, StopContainerOptionsBuilder,
};

use crate::docker::{Docker, Error};

/// The longest time a container has to end by itself, in seconds.
const GRACE: i32 = 10;

/// The longest wait for a container that starts after the others, and the pause between two looks.
const LATE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_millis(20));

/// The most log lines that are read of one component.
const LONGEST_LOG: usize = 10_000;

/// The containers of a stack by component. One that starts after the others is waited for.
#[derive(Clone)]
pub struct Control {
    docker: Docker,
    containers: BTreeMap<String, String>,
    /// Those that have been waited for, whether they came or not.
    waited_for: Arc<Mutex<BTreeSet<String>>>,
}

impl Control {
    /// Over the containers with these names, by component.
    pub fn new(docker: Docker, containers: BTreeMap<String, String>) -> Self {
        Self { docker, containers, waited_for: Arc::default() }
    }

    /// The components there are.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.containers.keys().map(String::as_str)
    }

    /// Stops a component and starts it again.
    ///
    /// # Errors
    /// [`Error::Task`] when there is no such component, or with what Docker said. The same goes for the others.
    pub async fn restart(&self, component: &str) -> Result<(), Error> {
        let options = RestartContainerOptionsBuilder::new().t(GRACE).build();
        let done =
            self.docker.0.restart_container(self.started("restart", component).await?, Some(options)).await;
        done.map_err(|error| Docker::refused(format!("restart {component}"), &error))
    }

    /// Stops a component.
    ///
    /// # Errors
    /// As [`Control::restart`].
    pub async fn stop(&self, component: &str) -> Result<(), Error> {
        let options = StopContainerOptionsBuilder::new().t(GRACE).build();
        let done = self.docker.0.stop_container(self.started("stop", component).await?, Some(options)).await;
        done.map_err(|error| Docker::refused(format!("stop {component}"), &error))
    }

    /// Starts a stopped component.
    ///
    /// # Errors
    /// As [`Control::restart`].
    pub async fn start(&self, component: &str) -> Result<(), Error> {
        let done = self.docker.0.start_container(self.started("start", component).await?, None).await;
        done.map_err(|error| Docker::refused(format!("start {component}"), &error))
    }

    /// Freezes a component: its connections stay open and nothing answers.
    ///
    /// # Errors
    /// As [`Control::restart`].
    pub async fn pause(&self, component: &str) -> Result<(), Error> {
        let done = self.docker.0.pause_container(self.started("pause", component).await?).await;
        done.map_err(|error| Docker::refused(format!("pause {component}"), &error))
    }

    /// Lets a frozen component go on.
    ///
    /// # Errors
    /// As [`Control::restart`].
    pub async fn resume(&self, component: &str) -> Result<(), Error> {
        let done = self.docker.0.unpause_container(self.started("resume", component).await?).await;
        done.map_err(|error| Docker::refused(format!("resume {component}"), &error))
    }

    /// Starts or resumes every component that is not running; returns whether there was one.
    ///
    /// # Errors
    /// [`Error::Task`] with what Docker said.
    pub async fn revive(&self) -> Result<bool, Error> {
        let mut revived = false;
        for component in self.containers.keys() {
            let (_, state) = self.looked_at("look at", component).await?;
            if state.paused == Some(true) {
                self.resume(component).await?;
                revived = true;
            } else if state.running == Some(false) {
                self.start(component).await?;
                revived = true;
            }
        }
        Ok(revived)
    }

    /// The last `count` log lines of every component, oldest first; of one that Docker does not know, none.
    pub async fn logs(&self, count: usize) -> Vec<(String, Vec<String>)> {
        let tails = self
            .containers
            .iter()
            .map(async |(component, name)| (component.clone(), log_tail(&self.docker, name, count).await));
        futures::future::join_all(tails).await
    }

    /// The last lines, 10,000 at most, that a component has logged from the second of `begin` on, oldest first.
    ///
    /// # Errors
    /// As [`Control::restart`].
    pub async fn log_since(&self, component: &str, begin: SystemTime) -> Result<Vec<String>, Error> {
        let name = self.started("read the log of", component).await?;
        let seconds = begin.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let since = i32::try_from(seconds).unwrap_or(i32::MAX);
        let options = log_options(LONGEST_LOG).since(since).build();
        Ok(log_lines(&self.docker, name, options).await)
    }

    /// The name of a component's container, once it has started.
    async fn started(&self, task: &str, component: &str) -> Result<&str, Error> {
        self.looked_at(task, component).await.map(|(name, _)| name)
    }

    /// The name of a component's container and its state, once it has started.
    async fn looked_at(&self, task: &str, component: &str) -> Result<(&str, ContainerState), Error> {
        let task = || format!("{task} {component}");
        let name = self.containers.get(component).ok_or_else(|| {
            let known: Vec<&str> = self.components().collect();
            let reason = format!("the stack has no such container, only {}", known.join(", "));
            Error::Task { task: task(), reason }
        })?;
        let waited_for = || self.waited_for.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = if waited_for().contains(component) { Duration::ZERO } else { LATE.0 };
        let begin = Instant::now();
        let looked_at = loop {
            let inspected = self.docker.0.inspect_container(name, None).await;
            let state = inspected.map(|found| found.state.unwrap_or_default());
            match state {
                Ok(state) if state.status != Some(ContainerStateStatusEnum::CREATED) => {
                    break Ok((name.as_str(), state));
                }
                Ok(_) | Err(DockerResponseServerError { status_code: 404, .. })
                    if begin.elapsed() < patience => {}
                Ok(_) => break Err(Error::Task { task: task(), reason: "it has not started".to_owned() }),
                Err(error) => break Err(Docker::refused(task(), &error)),
            }
            tokio::time::sleep(LATE.1).await;
        };
        waited_for().insert(component.to_owned());
        looked_at
    }
}

/// The last `count` log lines of a container, both streams, oldest first.
pub(crate) async fn log_tail(docker: &Docker, id: &str, count: usize) -> Vec<String> {
    log_lines(docker, id, log_options(count).build()).await
}

fn log_options(count: usize) -> LogsOptionsBuilder {
    LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&count.to_string())
}

async fn log_lines(docker: &Docker, id: &str, options: LogsOptions) -> Vec<String> {
    let chunks = docker.0.logs(id, Some(options)).collect::<Vec<_>>().await;
    let bytes: Vec<u8> = chunks.into_iter().flatten().flat_map(|chunk| chunk.into_bytes()).collect();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}
