//! Which stack a command works with.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ssoproof_containers::Image;
use ssoproof_deployment::{Deployment, Problem};

use crate::stacks::{ContainerOptions, StackChoice};

/// The kind of stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// In this process.
    #[default]
    Embedded,
    /// In Docker containers.
    Containers,
}

/// Who serves Authentik in a stack of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Served {
    /// A container.
    Container,
    /// This process.
    Embedded,
}

/// How containers are started.
#[derive(Clone, Debug, Args)]
pub(super) struct ContainerArguments {
    /// Start without the database snapshot of an earlier start.
    #[arg(long)]
    pub(super) cold: bool,
    /// Who serves Authentik behind the real Traefik.
    #[arg(long, value_enum, default_value = "container", value_name = "BY")]
    pub(super) authentik: Served,
    /// The loopback port for Traefik's plain entry point; 0 means a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) http_port: u16,
    /// The loopback port for Traefik's TLS entry point; 0 means a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) https_port: u16,
}

impl ContainerArguments {
    /// The options for `deployment`, images from `deployment.yaml` and the environment.
    pub(super) fn options(&self, deployment: &Deployment) -> Result<ContainerOptions, Problem> {
        let mut options = ContainerOptions::of_environment(deployment).map_err(Problem::new)?;
        if self.authentik == Served::Embedded {
            options.images.authentik = Image::Embedded;
        }
        Ok(ContainerOptions { cold: self.cold, ports: (self.http_port, self.https_port), ..options })
    }

    /// The same arguments, for another process.
    pub(super) fn again(&self) -> Vec<String> {
        let mut again =
            vec![format!("--http-port={}", self.http_port), format!("--https-port={}", self.https_port)];
        if self.cold {
            again.push("--cold".to_owned());
        }
        if self.authentik == Served::Embedded {
            again.push("--authentik=embedded".to_owned());
        }
        again
    }
}

/// Which stack a run works with.
#[derive(Clone, Debug, Args)]
pub(super) struct StackArguments {
    /// Where the cases run. A stack of containers that is up is used; else one is started, and removed afterwards.
    #[arg(long, value_enum, env = "SSOPROOF_STACK", default_value = "embedded", value_name = "KIND")]
    pub(super) stack: Kind,
    #[command(flatten)]
    pub(super) containers: ContainerArguments,
}

impl StackArguments {
    pub(super) fn choice(&self, deployment: &Arc<Deployment>) -> Result<StackChoice, Problem> {
        match self.stack {
            Kind::Embedded => Ok(StackChoice::Embedded),
            Kind::Containers => Ok(StackChoice::Containers(Box::new(self.containers.options(deployment)?))),
        }
    }
}

/// How long a stack is kept while nobody uses it, unless it shall be kept.
pub(super) const IDLE: Duration = Duration::from_secs(30 * 60);
