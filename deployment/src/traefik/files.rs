//! A directory of dynamic files, merged as Traefik's file provider merges them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dynamic::{
    At, Duplicate, Dynamic, MiddlewareDefinition, RouterDefinition, ServiceDefinition, TransportDefinition,
};
use super::profile::Profile;
use super::read::read;
use crate::source::{Problem, Source};

/// How deep folders are followed.
const DEEPEST: usize = 16;

impl Dynamic {
    /// Reads every `.yml`, `.yaml` and `.toml` below `directory`, in the order of their names, dotfiles included.
    /// The first definition of a name counts.
    ///
    /// # Errors
    /// The first [`Problem`]: one bad file and none is used (`truth/traefik/3.6.7-7-start`: `start_one_bad`).
    pub fn load(directory: &Path, profile: &Profile) -> Result<Self, Problem> {
        Self::from_sources(dynamic_sources(directory)?, profile)
    }

    /// Reads and merges `sources` in their order.
    ///
    /// # Errors
    /// The first [`Problem`].
    pub fn from_sources(
        sources: impl IntoIterator<Item = Source>,
        profile: &Profile,
    ) -> Result<Self, Problem> {
        let mut merged = Self::default();
        for source in sources {
            let found = read(&source, profile)?;
            merged.files.push(source);
            merged.add(found);
        }
        Ok(merged)
    }

    fn add(&mut self, other: Self) {
        let duplicates = &mut self.duplicates;
        merge("router", &mut self.routers, other.routers, duplicates);
        merge("middleware", &mut self.middlewares, other.middlewares, duplicates);
        merge("service", &mut self.services, other.services, duplicates);
        merge("servers transport", &mut self.transports, other.transports, duplicates);
        self.tls_options.extend(other.tls_options);
        self.unmodelled.extend(other.unmodelled);
    }
}

/// A definition with a place.
trait Placed {
    fn at(&self) -> &At;
}

macro_rules! placed {
    ($($definition:ty),*) => {
        $(impl Placed for $definition {
            fn at(&self) -> &At {
                &self.at
            }
        })*
    };
}

placed!(RouterDefinition, MiddlewareDefinition, ServiceDefinition, TransportDefinition);

fn merge<T: Placed>(
    kind: &'static str,
    into: &mut BTreeMap<String, Arc<T>>,
    from: BTreeMap<String, Arc<T>>,
    duplicates: &mut Vec<Duplicate>,
) {
    for (name, definition) in from {
        match into.get(&name) {
            None => {
                into.insert(name, definition);
            }
            Some(kept) => duplicates.push(Duplicate {
                kind,
                name,
                kept: kept.at().clone(),
                skipped: definition.at().clone(),
            }),
        }
    }
}

/// Every file below `directory` that Traefik reads, read, in the order of their names.
///
/// # Errors
/// A [`Problem`] when a folder or a file cannot be read.
pub fn dynamic_sources(directory: &Path) -> Result<Vec<Source>, Problem> {
    dynamic_files(directory)?.iter().map(|path| Source::read(path)).collect()
}

/// Every file below `directory` that Traefik reads, in the order of their names.
///
/// # Errors
/// A [`Problem`] when a folder cannot be read.
pub fn dynamic_files(directory: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    collect(directory, DEEPEST, &mut files)?;
    Ok(files)
}

fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let failed =
        |error: std::io::Error| Problem::new(format!("failed to read `{}`: {error}", directory.display()));
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    if let Ok(paths) = &mut paths {
        paths.sort();
    }
    for path in paths.map_err(failed)? {
        if path.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, files)?;
            }
        } else if is_dynamic_file(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether Traefik reads a file of this name. A name that is all extension, `.yml`, counts too.
pub fn is_dynamic_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    [".yml", ".yaml", ".toml"].iter().any(|extension| name.ends_with(extension))
}
