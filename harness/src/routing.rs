//! The gateway's routers as the Traefik files have them, with the user's own names for files.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ssoproof_deployment::traefik::{
    At, Dynamic, EntryPoint, Profile, RequestFacts, Router, RuntimeConfig, dynamic_sources, forwarded_path,
    routing_path,
};
use ssoproof_deployment::{Deployment, Place, Problem, Source};
use url::Url;

use crate::diagnoses::Pointer;

/// What was made of files lately, the newest last: whoever looks at a stack reads the same ones again and again.
static LATELY: Mutex<VecDeque<Arc<Routing>>> = Mutex::new(VecDeque::new());
/// How many are kept.
const KEPT: usize = 16;

/// The routers of a deployment.
pub(crate) struct Routing {
    config: RuntimeConfig,
    profile: &'static Profile,
    /// The plain one and the one that ends TLS.
    entry_points: [EntryPoint; 2],
    files: Files,
}

/// A folder of Traefik files, as it is read and as the user knows it.
#[derive(PartialEq, Eq)]
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
    pub(crate) fn read(deployment: &Deployment, folder: &Path) -> Result<Arc<Self>, Problem> {
        let profile = Profile::for_version(&deployment.versions.traefik);
        let (sources, files) = (dynamic_sources(folder)?, Files::of(deployment, folder));
        let entry_points = deployment.traefik.entry_points.both();
        let lately = || LATELY.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |made: &&Arc<Self>| {
            made.files == files
                && made.entry_points == entry_points
                && made.profile.version == profile.version
                && made.config.dynamic.files == sources
        };
        if let Some(made) = lately().iter().find(same) {
            return Ok(made.clone());
        }
        let dynamic = Dynamic::from_sources(sources, profile)?;
        let made = Arc::new(Self::of(deployment, folder, dynamic, entry_points));
        let mut lately = lately();
        if lately.len() == KEPT {
            lately.pop_front();
        }
        lately.push_back(made.clone());
        Ok(made)
    }

    /// What Traefik with these entry points, the plain one first, makes of `dynamic`, which was read from `folder`.
    pub(crate) fn of(
        deployment: &Deployment,
        folder: &Path,
        dynamic: Dynamic,
        entry_points: [EntryPoint; 2],
    ) -> Self {
        let profile = Profile::for_version(&deployment.versions.traefik);
        let config = RuntimeConfig::build(dynamic, &entry_points, profile);
        Self { config, profile, entry_points, files: Files::of(deployment, folder) }
    }

    /// The entry points: the plain one and the one that ends TLS.
    pub(crate) fn entry_points(&self) -> &[EntryPoint; 2] {
        &self.entry_points
    }

    /// The version that the files are read for.
    pub(crate) fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// What is in force.
    pub(crate) fn config(&self) -> &RuntimeConfig {
        &self.config
    }

    /// What takes a GET of `url`.
    pub(crate) fn taken(&self, url: &Url) -> Taken {
        let of_host = self.of_host(url.host_str().unwrap_or_default(), url.scheme() == "https");
        Taken {
            winner: self.winner(url, "GET", &Vec::new()).cloned(),
            of_host: of_host.into_iter().cloned().collect(),
        }
    }

    /// The router that takes a request.
    pub(crate) fn winner(&self, url: &Url, method: &str, headers: &Vec<(String, String)>) -> Option<&Router> {
        let secure = url.scheme() == "https";
        let path = routing_path(&forwarded_path(url.path(), self.profile), self.profile);
        let host = url.host_str().unwrap_or_default();
        let query = url.query().unwrap_or_default();
        let facts = RequestFacts { query, method, headers, ..RequestFacts::get(host, &path) };
        self.config.winner(self.entry_point(secure), secure, &facts)
    }

    /// Every router that takes some request of `host`, in the order they are tried.
    pub(crate) fn of_host(&self, host: &str, secure: bool) -> Vec<&Router> {
        self.config.for_host(self.entry_point(secure), secure, host)
    }

    fn entry_point(&self, secure: bool) -> &str {
        &self.entry_points[usize::from(secure)].name
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
    pub(crate) fn known_as(&self, read: &Path) -> PathBuf {
        let known = read.strip_prefix(&self.read_from).map(|inner| self.known_as.join(inner));
        // What was written from Traefik's API is no file of the deployment.
        known.ok().filter(|known| known.exists()).unwrap_or_else(|| read.to_owned())
    }

    /// A place in a file that was read.
    pub(crate) fn pointer(&self, source: &Source, place: Place) -> Pointer {
        Pointer { file: self.known_as(&source.path), line: place.line, text: source.line(place).to_owned() }
    }
}
