//! One running container.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use testcontainers::bollard::models::{
    EndpointSettings, NetworkConnectRequest, NetworkSettings, PortBinding,
};
use testcontainers::bollard::query_parameters::RemoveContainerOptionsBuilder;
use testcontainers::core::{AccessMode, ContainerPort, Host, Mount};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt as _};

use crate::docker::{Docker, Error, root_cause, said};
use crate::lab::{Lab, pairs};
use crate::{control, ready};

/// The longest wait for an image that must be pulled, and for its container.
const STARTUP: Duration = Duration::from_secs(300);

/// How a container is made.
pub(crate) struct Recipe {
    pub(crate) component: &'static str,
    pub(crate) image: String,
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Folders and files of this machine, read-only, and where they are mounted.
    pub(crate) mounts: Vec<(PathBuf, &'static str)>,
    /// Names that resolve to an address.
    pub(crate) hosts: Vec<(String, IpAddr)>,
    /// Ports published on loopback: in the container and here.
    pub(crate) ports: Vec<(u16, u16)>,
    pub(crate) network: String,
}

impl Recipe {
    pub(crate) fn new(component: &'static str, image: &str, network: &str) -> Self {
        Self {
            component,
            image: image.to_owned(),
            command: Vec::new(),
            environment: Vec::new(),
            mounts: Vec::new(),
            hosts: Vec::new(),
            ports: Vec::new(),
            network: network.to_owned(),
        }
    }
}

/// A container to be started.
pub struct Planned {
    pub(crate) lab: Lab,
    pub(crate) recipe: Recipe,
}

impl Planned {
    /// Its name, as [`Component::name`].
    pub fn name(&self) -> &'static str {
        self.recipe.component
    }

    /// Starts it and waits for nothing that runs in it.
    ///
    /// # Errors
    /// [`Error::Start`] with what Docker said.
    pub async fn start(self) -> Result<Component, Error> {
        Component::start(&self.lab, self.recipe).await
    }
}

/// A running container. Dropping it removes it.
pub struct Component {
    name: &'static str,
    container: ContainerAsync<GenericImage>,
    docker: Docker,
}

impl Component {
    /// Makes and starts the container; nothing is said of what runs in it. One that does not start is removed.
    pub(crate) async fn start(lab: &Lab, recipe: Recipe) -> Result<Self, Error> {
        let (name, image) = (recipe.component, recipe.image.clone());
        match request(lab, recipe).start().await {
            Ok(container) => Ok(Self { name, container, docker: lab.docker.clone() }),
            Err(error) => {
                let options = RemoveContainerOptionsBuilder::new().force(true).build();
                // There may be none yet.
                let _ = lab.docker.0.remove_container(&lab.container(name), Some(options)).await;
                Err(Error::Start { component: name, image, reason: explained(&error) })
            }
        }
    }

    /// Its name: `traefik`, `authentik-worker`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The container's id.
    pub fn id(&self) -> &str {
        self.container.id()
    }

    /// Its last `count` log lines, oldest first.
    pub async fn log_tail(&self, count: usize) -> Vec<String> {
        control::log_tail(&self.docker, self.id(), count).await
    }

    /// Puts it on another network too, where it answers to `aliases`.
    pub(crate) async fn join(&self, network: &str, aliases: &[String]) -> Result<(), Error> {
        let endpoint = EndpointSettings { aliases: Some(aliases.to_vec()), ..EndpointSettings::default() };
        let request =
            NetworkConnectRequest { container: self.id().to_owned(), endpoint_config: Some(endpoint) };
        let joined = self.docker.0.connect_network(network, request).await;
        joined.map_err(|error| Docker::refused(format!("connect {} to `{network}`", self.name), &error))
    }

    /// Where port `port` of it is published on loopback.
    pub(crate) async fn published(&self, port: u16) -> Result<SocketAddr, Error> {
        let task = format!("publish port {port} of {}", self.name);
        self.reached(&task, "it is not published", |network| {
            let mut ports = network.ports.unwrap_or_default();
            let bindings = ports.remove(&format!("{port}/tcp")).flatten().unwrap_or_default();
            let found = bindings.iter().find_map(|binding| binding.host_port.as_deref()?.parse().ok());
            found.map(|port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port))
        })
        .await
    }

    /// Where port `port` of it answers on its network, which this machine is on: a published port takes Docker longer.
    pub(crate) async fn address(&self, port: u16) -> Result<SocketAddr, Error> {
        let task = format!("find the address of {}", self.name);
        self.reached(&task, "it is on no network", |network| {
            let networks = network.networks.unwrap_or_default();
            let found = networks.values().find_map(|network| network.ip_address.as_deref()?.parse().ok());
            found.map(|address: IpAddr| SocketAddr::new(address, port))
        })
        .await
    }

    /// What `find` finds in the settings of its network; else why there is nothing, which is `reason` when it runs.
    async fn reached(
        &self,
        task: &str,
        reason: &str,
        find: impl FnOnce(NetworkSettings) -> Option<SocketAddr>,
    ) -> Result<SocketAddr, Error> {
        let inspected = self.docker.0.inspect_container(self.id(), None).await;
        let inspected = inspected.map_err(|error| Docker::refused(task, &error))?;
        match inspected.network_settings.and_then(find) {
            Some(address) => Ok(address),
            // It ended at once, and Docker has taken its network away: its own words say why.
            None => Err(ready::ended(self)
                .await
                .unwrap_or_else(|| Error::Task { task: task.to_owned(), reason: reason.to_owned() })),
        }
    }

    /// The exit code, when the container has ended.
    pub(crate) async fn exit_code(&self) -> Option<i64> {
        let inspected = self.docker.0.inspect_container(self.id(), None).await.ok()?;
        let state = inspected.state?;
        (state.running == Some(false)).then(|| state.exit_code.unwrap_or_default())
    }

    /// Stops and removes it.
    ///
    /// # Errors
    /// [`Error::Task`] with what Docker said.
    pub async fn remove(self) -> Result<(), Error> {
        let name = self.name;
        self.container
            .rm()
            .await
            .map_err(|error| Error::Task { task: format!("remove {name}"), reason: root_cause(&error) })
    }
}

fn request(lab: &Lab, recipe: Recipe) -> ContainerRequest<GenericImage> {
    let (name, tag) = split(&recipe.image);
    let ports = recipe.ports;
    let image = GenericImage::new(name, tag);
    let image =
        ports.iter().fold(image, |image, (port, _)| image.with_exposed_port(ContainerPort::Tcp(*port)));
    let mut request = image
        .with_container_name(lab.container(recipe.component))
        .with_network(recipe.network)
        .with_startup_timeout(STARTUP)
        .with_labels(pairs(&lab.labels))
        // Docker publishes on every address of this machine unless it is told otherwise.
        .with_host_config_modifier(move |host| {
            let bindings = ports.iter().map(|(inside, outside)| {
                let binding = PortBinding {
                    host_ip: Some(Ipv4Addr::LOCALHOST.to_string()),
                    host_port: Some(outside.to_string()),
                };
                (format!("{inside}/tcp"), Some(vec![binding]))
            });
            host.publish_all_ports = Some(false);
            host.port_bindings = Some(bindings.collect());
        });
    if !recipe.command.is_empty() {
        request = request.with_cmd(recipe.command);
    }
    for (key, value) in recipe.environment {
        request = request.with_env_var(key, value);
    }
    for (host, address) in recipe.hosts {
        request = request.with_host(host, Host::Addr(address));
    }
    for (from, to) in recipe.mounts {
        let mount = Mount::bind_mount(text(&from), to);
        request = request.with_mount(mount.with_access_mode(AccessMode::ReadOnly));
    }
    request
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// An image's name and its tag, `latest` when it has none. A digest belongs to the name.
pub(crate) fn split(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && !image.contains('@') => (name, tag),
        _ => (image, "latest"),
    }
}

/// What testcontainers says, with the cause that it keeps inside.
fn explained(error: &testcontainers::TestcontainersError) -> String {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = source {
        if let Some(docker) = inner.downcast_ref::<testcontainers::bollard::errors::Error>() {
            return said(docker);
        }
        source = inner.source();
    }
    root_cause(error)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_registry_port_is_no_tag() {
        assert_eq!(split("traefik:v3.6"), ("traefik", "v3.6"));
        assert_eq!(split("traefik"), ("traefik", "latest"));
        assert_eq!(split("localhost:5000/traefik"), ("localhost:5000/traefik", "latest"));
        assert_eq!(split("localhost:5000/traefik:v3"), ("localhost:5000/traefik", "v3"));
    }
}
