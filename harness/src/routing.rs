//! The gateway's routers as the Traefik files have them, with the user's own names for files.

use std::path::{Path, PathBuf};

use ssoproof_deployment::traefik::{
    At, Dynamic, EntryPoint, Profile, RequestFacts, Router, RuntimeConfig, forwarded_path, routing_path,
};
use ssoproof_deployment::{Deployment, Place, Problem, Source};
use url::Url;

use crate::diagnoses::Pointer;

/// The routers of a deployment.
pub(crate) struct Routing {
    config: RuntimeConfig,
    profile: &'static Profile,
    http: String,
    https: String,
    files: Files,
}

/// A folder of Traefik files, as it is read and as the user knows it.
pub(crate) struct Files {
    read_from: PathBuf,
    known_as: PathBuf,
}

/// What takes a request.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The router that takes it.
    pub winner: Option<Router>,
    /// Every router that takes some request of the same host, in the order they are tried.
    pub of_host: Vec<Router>,
}

impl Routing {
    /// Reads the files in `folder`, which may be a copy of the deployment's own.
    ///
    /// # Errors
    /// What is wrong with a file; then Traefik takes none of the folder.
    pub(crate) fn read(deployment: &Deployment, folder: &Path) -> Result<Self, Problem> {
        let profile = Profile::for_version(&deployment.versions.traefik);
        let dynamic = Dynamic::load(folder, profile)?;
        let names = &deployment.traefik.entry_points;
        let entry_points = [EntryPoint::new(&names.http), EntryPoint::new(&names.https)];
        Ok(Self {
            config: RuntimeConfig::build(dynamic, &entry_points, profile),
            profile,
            http: names.http.clone(),
            https: names.https.clone(),
            files: Files::of(deployment, folder),
        })
    }

    /// What is in force.
    pub(crate) fn config(&self) -> &RuntimeConfig {
        &self.config
    }

    /// What takes a GET of `url`.
    pub(crate) fn taken(&self, url: &Url) -> Taken {
        let host = url.host_str().unwrap_or_default();
        let secure = url.scheme() == "https";
        let entry_point = if secure { &self.https } else { &self.http };
        let path = routing_path(&forwarded_path(url.path(), self.profile), self.profile);
        let facts = RequestFacts { query: url.query().unwrap_or_default(), ..RequestFacts::get(host, &path) };
        Taken {
            winner: self.config.winner(entry_point, secure, &facts).cloned(),
            of_host: self.config.for_host(entry_point, secure, host).into_iter().cloned().collect(),
        }
    }

    /// Where a definition stands, by the user's own name for the file.
    pub(crate) fn pointer(&self, at: &At) -> Pointer {
        self.files.pointer(&at.source, at.place)
    }

    /// A place in the file of `at`.
    pub(crate) fn pointer_to(&self, at: &At, place: Place) -> Pointer {
        self.files.pointer(&at.source, place)
    }
}

impl Files {
    pub(crate) fn of(deployment: &Deployment, folder: &Path) -> Self {
        Self {
            read_from: folder.to_owned(),
            known_as: deployment.folder.join(&deployment.traefik.dynamic.value),
        }
    }

    /// The user's own name for a file that was read.
    fn known_as(&self, read: &Path) -> PathBuf {
        let known = read.strip_prefix(&self.read_from).map(|inner| self.known_as.join(inner));
        // What was written from Traefik's API is no file of the deployment.
        known.ok().filter(|known| known.exists()).unwrap_or_else(|| read.to_owned())
    }

    /// A place in a file that was read.
    pub(crate) fn pointer(&self, source: &Source, place: Place) -> Pointer {
        Pointer { file: self.known_as(&source.path), line: place.line, text: source.line(place).to_owned() }
    }
}
