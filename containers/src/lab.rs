//! What the containers of one stack have in common: networks and labels.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use testcontainers::bollard::models::{ContainerSummary, Network, NetworkCreateRequest};
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};
use tokio::time::Instant;

use crate::docker::{Docker, Error};

/// The longest time a removal may take.
const REMOVAL: Duration = Duration::from_secs(30);
/// The label that says which stack a container or network belongs to.
pub(crate) const STACK: &str = "ssoproof.stack";
/// The label that says which folder holds the lock of the stack's owner.
const LEASE: &str = "ssoproof.lease";
/// The label that says on which machine that folder is.
const HOST: &str = "ssoproof.host";

/// Whose a container or network is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The stack: unique for every start.
    pub stack: String,
    /// The folder with the lock that the owner holds while it lives.
    pub lease: String,
    /// The machine that the folder is on.
    pub host: String,
}

/// The networks of one stack. Dropping it leaves them: [`Docker::remove_stack`] takes them away.
#[derive(Clone)]
pub struct Lab {
    pub(crate) docker: Docker,
    pub(crate) labels: Labels,
    /// Joins Authentik to its databases; nobody on it alone reaches further than this machine.
    pub(crate) back: String,
    /// Joins Traefik to what it forwards to.
    pub(crate) front: String,
    /// Joins the apps to Traefik, which has every public name there; made when it has apps.
    pub(crate) apps: String,
    pub(crate) has_apps: bool,
    gateway: IpAddr,
}

impl Lab {
    /// Makes the networks, with `has_apps` that of the apps too: Traefik cannot reach the databases, and the databases
    /// and the worker reach nothing outside this machine.
    ///
    /// # Errors
    /// [`Error::Task`] with what Docker said.
    pub async fn open(docker: Docker, labels: Labels, has_apps: bool) -> Result<Self, Error> {
        let [back, front, apps] = ["back", "front", "apps"].map(|name| format!("{}-{name}", labels.stack));
        let (made_back, made_front, made_apps) = tokio::join!(
            network(&docker, &back, &labels, true),
            network(&docker, &front, &labels, false),
            async { if has_apps { network(&docker, &apps, &labels, false).await } else { Ok(()) } }
        );
        made_apps.and(made_back).and(made_front)?;
        let gateway = gateway(&docker, &front).await?;
        Ok(Self { docker, labels, back, front, apps, has_apps, gateway })
    }

    /// This machine's address as Traefik's container sees it; nothing outside this machine reaches it.
    pub fn gateway(&self) -> IpAddr {
        self.gateway
    }

    /// A name for the container of `component`, unique on this daemon.
    pub fn container(&self, component: &str) -> String {
        format!("{}-{component}", self.labels.stack)
    }
}

/// Makes a network, which leads no further than this machine when it is `internal`.
async fn network(docker: &Docker, name: &str, labels: &Labels, internal: bool) -> Result<(), Error> {
    let request = NetworkCreateRequest {
        name: name.to_owned(),
        driver: Some("bridge".to_owned()),
        internal: Some(internal),
        labels: Some(pairs(labels).map(|(name, value)| (name.to_owned(), value)).into()),
        ..NetworkCreateRequest::default()
    };
    let made = docker.0.create_network(request).await;
    made.map(drop).map_err(|error| Docker::refused(making(name), &error))
}

/// This machine's address in a network.
async fn gateway(docker: &Docker, name: &str) -> Result<IpAddr, Error> {
    let made = docker.0.inspect_network(name, None).await;
    let made = made.map_err(|error| Docker::refused(making(name), &error))?;
    let ranges = made.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let mut gateways = ranges.iter().filter_map(|range| range.gateway.as_deref()?.parse().ok());
    gateways
        .next()
        .ok_or_else(|| Error::Task { task: making(name), reason: "it has no gateway address".to_owned() })
}

fn making(network: &str) -> String {
    format!("make the network `{network}`")
}

impl Docker {
    /// The labels of every stack that has a container or a network.
    ///
    /// # Errors
    /// [`Error::Task`] with what Docker said.
    pub async fn stacks(&self) -> Result<Vec<Labels>, Error> {
        let (containers, networks) = self.labelled(STACK).await?;
        let labels = containers.into_iter().map(|found| found.labels);
        let mut stacks: Vec<Labels> = Vec::new();
        for mut found in labels.chain(networks.into_iter().map(|found| found.labels)).flatten() {
            let mut label = |name: &str| found.remove(name);
            let (Some(stack), Some(lease), Some(host)) = (label(STACK), label(LEASE), label(HOST)) else {
                continue;
            };
            if stacks.iter().all(|known| known.stack != stack) {
                stacks.push(Labels { stack, lease, host });
            }
        }
        Ok(stacks)
    }

    /// Every container, running or not, and every network with a label: `name` or `name=value`.
    async fn labelled(&self, label: &str) -> Result<(Vec<ContainerSummary>, Vec<Network>), Error> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let refused = |error| Docker::refused("list containers", &error);
        let containers = self.0.list_containers(Some(options)).await.map_err(refused)?;
        let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let refused = |error| Docker::refused("list networks", &error);
        let networks = self.0.list_networks(Some(options)).await.map_err(refused)?;
        Ok((containers, networks))
    }

    /// Removes every container and network of a stack, and waits until Docker lists none any more.
    ///
    /// # Errors
    /// [`Error::Task`] with the last thing that Docker refused.
    pub async fn remove_stack(&self, stack: &str) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            let (left, refused) = self.remove_once(stack).await?;
            if left == 0 {
                return Ok(());
            }
            if started.elapsed() > REMOVAL {
                return Err(refused.unwrap_or_else(|| Error::Task {
                    task: format!("remove the stack {stack}"),
                    reason: format!("{left} containers and networks are still there"),
                }));
            }
            // Somebody else may be removing them: a dropped container removes itself.
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Asks for the removal of what there is; returns how much that was, and the last refusal.
    async fn remove_once(&self, stack: &str) -> Result<(usize, Option<Error>), Error> {
        let (containers, networks) = self.labelled(&format!("{STACK}={stack}")).await?;
        let removed = containers.iter().filter_map(|found| found.id.as_deref()).map(async |id| {
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            let removed = self.0.remove_container(id, Some(options)).await;
            removed.map_err(|error| Docker::refused(format!("remove container {id}"), &error))
        });
        let mut last =
            futures::future::join_all(removed).await.into_iter().filter_map(Result::err).next_back();
        for name in networks.iter().filter_map(|found| found.name.as_deref()) {
            if let Err(error) = self.0.remove_network(name).await {
                last = Some(Docker::refused(format!("remove network {name}"), &error));
            }
        }
        Ok((containers.len() + networks.len(), last))
    }
}

/// The labels as they stand on a container or network.
pub(crate) fn pairs(labels: &Labels) -> [(&'static str, String); 3] {
    [(STACK, labels.stack.clone()), (LEASE, labels.lease.clone()), (HOST, labels.host.clone())]
}
