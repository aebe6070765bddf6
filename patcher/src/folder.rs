//! A folder of dynamic files, and one look through it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ssoproof_deployment::traefik::{Outline, dynamic_files};
use ssoproof_deployment::{Problem, Source};

use crate::edit::{Patched, Unpatched, patch};
use crate::name::MiddlewareName;
use crate::place::{Read, ReadError};
use crate::replace::{Displaced, ReplaceError, Replaced, replace};
use crate::scope::Scope;
use crate::spare::Spare;

/// How often a file may change under a write before it is left for the next look.
const MOST_TRIES: usize = 8;

/// The files of a folder, and what their routers should have.
#[derive(Debug)]
pub struct Folder {
    directory: PathBuf,
    middleware: MiddlewareName,
    scope: Scope,
    spare: Spare,
    memory: Memory,
}

/// What the last look has found, so that only what changed is read again.
#[derive(Debug, Default)]
struct Memory {
    outlines: HashMap<PathBuf, (Arc<str>, Option<Outline>)>,
    context: Outline,
    /// Texts that were left as they are, and whether they are in order.
    settled: HashMap<PathBuf, (Arc<str>, bool)>,
}

/// A file that lacks the middleware somewhere, and what it is to be.
#[derive(Debug)]
pub struct Found {
    /// The file as it was.
    pub old: Source,
    /// The file as it is to be.
    pub patched: Patched,
    /// The old file, when the new one was put in its place.
    pub displaced: Option<Displaced>,
}

/// A file that was left as it is, though something is wrong.
#[derive(Debug)]
pub struct Left {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub why: Why,
}

/// Why a file was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// It cannot be patched as it is written.
    #[error(transparent)]
    Unpatched(#[from] Unpatched),
    /// It cannot be read.
    #[error("failed to read it: {0}")]
    Unread(#[from] ReadError),
    /// The new version cannot be put in place.
    #[error(transparent)]
    Unwritten(#[from] ReplaceError),
    /// It changed again and again while it was written.
    #[error("it changes faster than it can be written")]
    Restless,
}

impl Why {
    /// Whether another try may end otherwise although the file stays as it is.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unwritten(_) | Self::Restless | Self::Unread(ReadError::Io(_)))
    }

    /// The problem with its place.
    pub fn problem(&self, path: &Path) -> Problem {
        match self {
            Self::Unpatched(unpatched) => unpatched.problem().clone(),
            other => Problem::new(format!("{}: {other}", path.display())),
        }
    }
}

impl Folder {
    /// The files below `directory`, whose routers of `scope` should have `middleware`. New files are made in `spare`.
    pub fn new(
        directory: impl Into<PathBuf>,
        middleware: MiddlewareName,
        scope: Scope,
        spare: Spare,
    ) -> Self {
        Self { directory: directory.into(), middleware, scope, spare, memory: Memory::default() }
    }

    /// The same folder by its whole path.
    pub(crate) fn absolute(mut self) -> Self {
        if let Ok(absolute) = std::path::absolute(&self.directory) {
            self.directory = absolute;
        }
        self
    }

    /// The folder.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The middleware.
    pub fn middleware(&self) -> &MiddlewareName {
        &self.middleware
    }

    /// Whether a file that was looked at says which address the middleware asks. Else the routers to Authentik are
    /// known by their paths alone.
    pub fn knows_auth(&self) -> bool {
        let bare = self.middleware.as_str().strip_suffix("@file");
        bare.is_some_and(|name| self.memory.context.auths.contains_key(name))
    }

    /// Where new files are made.
    pub fn spare(&self) -> &Spare {
        &self.spare
    }

    /// Says what would be done and does nothing.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn look(&mut self) -> Result<(Vec<Found>, Vec<Left>), Problem> {
        self.pass(false, &|_| false)
    }

    /// Patches every file that lacks the middleware somewhere. What was found in order, or left, is looked at again
    /// only once it or another file has changed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn mend(&mut self) -> Result<(Vec<Found>, Vec<Left>), Problem> {
        self.mend_but(&|_| false)
    }

    /// The same once, for a caller that does not stay: what a tool was still writing is put back for it and patched
    /// again.
    ///
    /// # Errors
    /// As [`Folder::mend`].
    pub fn mend_for_good(&mut self) -> Result<(Vec<Found>, Vec<Left>), Problem> {
        self.spare.clean(&self.directory);
        let (mut found, mut left) = self.mend()?;
        for _ in 0..MOST_TRIES {
            let changed: Vec<_> = found
                .iter_mut()
                .filter_map(|found| found.displaced.take())
                .filter(|displaced| displaced.changed().is_some())
                .collect();
            if changed.is_empty() {
                break;
            }
            // One that cannot be put back is as lost as without a patcher.
            changed.into_iter().for_each(|displaced| drop(displaced.restore()));
            let (more, still) = self.mend()?;
            found.extend(more);
            left.extend(still);
        }
        self.spare.leave();
        Ok((found, left))
    }

    /// The same without the files that `skip` names.
    pub(crate) fn mend_but(
        &mut self,
        skip: &dyn Fn(&Path) -> bool,
    ) -> Result<(Vec<Found>, Vec<Left>), Problem> {
        self.pass(true, skip)
    }

    /// Whether the file at `path` was in order when it was last looked at.
    pub(crate) fn is_well(&self, path: &Path) -> bool {
        self.memory.settled.get(path).is_some_and(|(_, well)| *well)
    }

    /// Whether `text` could be patched, or is in order, as the text of the file at `path`.
    pub(crate) fn reads(&self, path: &Path, text: &str) -> bool {
        let source = Source { path: path.into(), text: text.into() };
        let patched = patch(&source, &self.middleware, &self.scope, &self.memory.context);
        patched.is_ok() && !text.trim().is_empty()
    }

    fn pass(
        &mut self,
        write: bool,
        skip: &dyn Fn(&Path) -> bool,
    ) -> Result<(Vec<Found>, Vec<Left>), Problem> {
        let (mut found, mut left) = (Vec::new(), Vec::new());
        let files = dynamic_files(&self.directory)?;
        let mut reads = Vec::new();
        for path in files.into_iter().filter(|path| !skip(path)) {
            match Read::open(&path) {
                Ok(read) => reads.push(read),
                Err(ReadError::Gone | ReadError::NoFile) => {}
                Err(error) => left.push(Left { path, why: error.into() }),
            }
        }
        self.remember(&reads);
        for read in reads {
            let path = read.source.path.to_path_buf();
            if self.memory.settled.get(&path).is_some_and(|(text, _)| *text == read.source.text) {
                continue;
            }
            match self.file(read, write) {
                Ok(None) => {}
                Ok(Some(one)) => found.push(one),
                Err(why) => left.push(Left { path, why }),
            }
        }
        Ok((found, left))
    }

    /// Learns what the files define besides routers. What a file defined before it was emptied to be written anew
    /// still counts: else Authentik's own routers could not be told from others for a moment.
    fn remember(&mut self, reads: &[Read]) {
        let mut before = std::mem::take(&mut self.memory.outlines);
        let mut context = Outline::default();
        for read in reads {
            let path = read.source.path.to_path_buf();
            let text = &read.source.text;
            let outline = match before.remove(&path) {
                Some((known, outline)) if known == *text => outline,
                _ => {
                    Outline::read(&read.source).ok().map(|outline| Outline { routers: Vec::new(), ..outline })
                }
            };
            outline.iter().cloned().for_each(|outline| context.add(outline));
            self.memory.outlines.insert(path, (text.clone(), outline));
        }
        context.add(self.memory.context.clone());
        if context != self.memory.context {
            self.memory.context = context;
            self.memory.settled.clear();
        }
    }

    /// One file; none when nothing is to do.
    fn file(&mut self, mut read: Read, write: bool) -> Result<Option<Found>, Why> {
        let path = read.source.path.to_path_buf();
        for _ in 0..MOST_TRIES {
            let patched = patch(&read.source, &self.middleware, &self.scope, &self.memory.context);
            let settles = patched.as_ref().map_or(true, |patched| patched.routers.is_empty());
            if settles {
                self.memory.settled.insert(path.clone(), (read.source.text.clone(), patched.is_ok()));
            }
            let patched = patched?;
            if settles {
                return Ok(None);
            }
            let old = read.source.clone();
            if !write {
                return Ok(Some(Found { old, patched, displaced: None }));
            }
            match replace(&read, &patched.text, &self.spare)? {
                Replaced::Done(displaced) => {
                    self.memory.settled.insert(path, (patched.text.as_str().into(), true));
                    return Ok(Some(Found { old, patched, displaced: Some(displaced) }));
                }
                Replaced::Changed => match Read::open(&path) {
                    Ok(again) => read = again,
                    Err(ReadError::Gone | ReadError::NoFile) => return Ok(None),
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Err(Why::Restless)
    }
}
