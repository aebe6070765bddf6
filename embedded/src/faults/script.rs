//! A script in the patcher's place, as it is found on machines: what it hears of, and how it writes.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use ssoproof_deployment::Deployment;
use ssoproof_deployment::traefik::is_dynamic_file;

/// A script that puts the middleware back on a file that has changed.
#[derive(Clone, Copy)]
pub struct Script {
    /// Whether it hears of an event.
    pub hears: fn(&EventKind) -> bool,
    /// How many files it patches before it is refused.
    pub most: usize,
    /// The text to be; none leaves the file.
    pub edit: fn(&str, &Deployment) -> Option<String>,
    /// How it writes.
    pub writes: Writes,
}

/// How a script writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Into the file, which is empty and half-written meanwhile.
    InPlace,
    /// A new file that takes the place of the old one.
    ByRename,
}

/// A script that runs. Dropping it ends it.
pub struct Running {
    _watcher: RecommendedWatcher,
}

impl Script {
    /// Starts it for the files in `folder`.
    ///
    /// # Errors
    /// When the system does not let the folder be watched.
    pub fn start(self, folder: &Path, deployment: Deployment) -> notify::Result<Running> {
        let mut left = self.most;
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !(self.hears)(&event.kind) {
                return;
            }
            for path in event.paths.iter().filter(|path| is_dynamic_file(path)) {
                // A script of this kind tells nobody what went wrong.
                if left > 0 && self.patch(path, &deployment).unwrap_or_default() {
                    left -= 1;
                }
            }
        })?;
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(Running { _watcher: watcher })
    }

    /// Patches the file at `path`; returns whether there was something to do.
    fn patch(&self, path: &Path, deployment: &Deployment) -> io::Result<bool> {
        let Some(text) = (self.edit)(&fs::read_to_string(path)?, deployment) else { return Ok(false) };
        match self.writes {
            Writes::InPlace => {
                let (begin, end) = text.split_at(text.floor_char_boundary(text.len() / 2));
                let mut file = File::create(path)?;
                file.write_all(begin.as_bytes())?;
                file.write_all(end.as_bytes())?;
            }
            Writes::ByRename => {
                let beside = path.with_extension("patched");
                fs::write(&beside, text)?;
                fs::rename(beside, path)?;
            }
        }
        Ok(true)
    }
}
