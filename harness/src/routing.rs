//! The gateway's routers as the Traefik files have them, with the user's own names for files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ssoproof_deployment::traefik::{
    self, EntryPoint, Facts, Profile, Router, Runtime, routing_path, sanitised,
};
use ssoproof_deployment::{Deployment, Place, Problem, Source};
use url::Url;

use crate::diagnoses::Pointer;

/// The routers of a deployment.
pub(crate) struct Routing {
    runtime: Runtime,
    http: EntryPoint,
    https: EntryPoint,
    read_from: PathBuf,
    known_as: PathBuf,
}

/// What takes a request.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The router that takes it.
    pub winner: Option<Arc<Router>>,
    /// Every router that takes some request of the same host, in the order they are tried.
    pub of_host: Vec<Arc<Router>>,
}

impl Routing {
    /// Reads the files in `folder`, which may be a copy of the deployment's own.
    pub(crate) fn read(deployment: &Deployment, folder: &Path) -> Result<Self, Vec<Problem>> {
        let profile = Profile::of(&deployment.versions.traefik).unwrap_or(Profile::V3_6);
        let dynamic = traefik::read(folder, &profile)?;
        let names = &deployment.traefik.entry_points;
        let http = EntryPoint { name: names.http.clone(), tls: false };
        let https = EntryPoint { name: names.https.clone(), tls: true };
        Ok(Self {
            runtime: Runtime::new(dynamic, &[http.clone(), https.clone()]),
            http,
            https,
            read_from: folder.to_owned(),
            known_as: deployment.folder.join(&deployment.traefik.dynamic.value),
        })
    }

    /// What is in force.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// What takes a GET of `url`.
    pub(crate) fn taken(&self, url: &Url) -> Taken {
        let host = url.host_str().unwrap_or_default();
        let entry_point = if url.scheme() == "https" { &self.https } else { &self.http };
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let path = routing_path(&sanitised(url.path()));
        let facts = Facts { host, path: &path, method: "GET", headers: &[], query: &query, client: None };
        Taken {
            winner: self.runtime.winner(entry_point, &facts).cloned(),
            of_host: self.runtime.for_host(entry_point, host).cloned().collect(),
        }
    }

    /// A place in a file, by the user's own name for the file.
    pub(crate) fn pointer(&self, source: &Source, place: Place) -> Pointer {
        let file = source
            .path
            .strip_prefix(&self.read_from)
            .map_or_else(|_| source.path.to_path_buf(), |relative| self.known_as.join(relative));
        Pointer { file, line: place.line, text: source.line(place).to_owned() }
    }
}
