//! Patching whenever something changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, DataChange, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use ssoproof_deployment::traefik::is_dynamic_file;

use crate::folder::{Folder, Left};
use crate::journal::{Entry, Event};
use crate::metrics::Metrics;
use crate::replace::Displaced;

/// How long a file that is being written may stay open before it is looked at all the same.
const OPEN: Duration = Duration::from_millis(20);

/// How long an old file is kept for a tool that still writes to it, after its last change.
const KEPT: Duration = Duration::from_secs(2);

/// How often kept files are looked at.
const KEPT_LOOK: Duration = Duration::from_millis(20);

/// When what failed for a passing reason is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How often a folder that appears and goes is looked for in one go.
const MOST_STEPS: usize = 16;

/// The system does not let folders be watched.
#[derive(Debug, thiserror::Error)]
#[error("failed to watch `{folder}`: {error}")]
pub struct WatchError {
    /// The folder.
    pub folder: PathBuf,
    /// The system's reason.
    pub error: notify::Error,
}

enum Message {
    Changed(Instant, notify::Result<notify::Event>),
    Stop,
}

/// What the events of one go were about.
#[derive(Debug, Default)]
struct Heard {
    /// A file was written.
    file: bool,
    /// The folder may have come or gone.
    folder: bool,
}

/// Ends a [`Watch`] from another thread.
#[derive(Clone, Debug)]
pub struct Stop(Sender<Message>);

impl Stop {
    /// Ends the watch once it has finished what it is at.
    pub fn stop(&self) {
        // A watch that has ended needs no more.
        let _ = self.0.send(Message::Stop);
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if matches!(self, Self::Stop) { "Stop" } else { "Changed" })
    }
}

/// A watch over a folder, which need not be there yet.
#[derive(Debug)]
pub struct Watch {
    folder: Folder,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    metrics: Metrics,
    /// When each file was first reported changed since it was last in order.
    news: HashMap<PathBuf, Instant>,
    /// Files that are being written, and until when they are waited for.
    open: HashMap<PathBuf, Instant>,
    kept: Vec<Kept>,
    /// What was told of files that are left.
    told: HashMap<PathBuf, String>,
    /// When to look again whatever happens.
    again: Option<Instant>,
    /// Whether the folder was there at the last look.
    there: bool,
}

/// An old file that a tool may still be writing.
#[derive(Debug)]
struct Kept {
    file: PathBuf,
    displaced: Displaced,
    seen: Option<String>,
    until: Instant,
}

impl Watch {
    /// A watch over `folder` that has not begun.
    pub fn new(folder: Folder) -> Self {
        let (sender, receiver) = channel();
        let folder = folder.absolute();
        Self {
            folder,
            sender,
            receiver,
            metrics: Metrics::default(),
            news: HashMap::new(),
            open: HashMap::new(),
            kept: Vec::new(),
            told: HashMap::new(),
            again: None,
            there: false,
        }
    }

    /// What ends the watch.
    pub fn stopper(&self) -> Stop {
        Stop(self.sender.clone())
    }

    /// Patches what is there, and then whatever changes, until it is stopped. Everything is told to `tell`, with the
    /// counters so far.
    ///
    /// # Errors
    /// When nothing can be watched; not for what is wrong with a file.
    pub fn run(mut self, tell: &mut dyn FnMut(&Entry, &Metrics)) -> Result<(), WatchError> {
        let directory = self.folder.directory().to_owned();
        let failed = |error| WatchError { folder: directory.clone(), error };
        let sender = self.sender.clone();
        let watcher = notify::recommended_watcher(move |event| {
            // The receiver is gone when the watch is.
            let _ = sender.send(Message::Changed(Instant::now(), event));
        })
        .map_err(failed)?;
        let mut arms = Arms { watcher, directory: directory.clone(), above: None };
        arms.reach().map_err(failed)?;
        self.folder.spare().clean(&directory);
        self.look(tell);
        while let Some(first) = self.next() {
            let mut heard = Heard::default();
            let more = std::iter::from_fn(|| self.receiver.try_recv().ok());
            let messages: Vec<_> = first.into_iter().chain(more).collect();
            for message in messages {
                match message {
                    Message::Stop => {
                        self.tell(tell, Entry::now(Event::Stopped));
                        return Ok(());
                    }
                    Message::Changed(at, event) => self.hear(at, event, &directory, &mut heard),
                }
            }
            if heard.folder {
                arms.reach().map_err(failed)?;
                self.again = Some(Instant::now() + OPEN);
            }
            let due = self.is_due(Instant::now());
            let restored = self.keep(Instant::now(), tell);
            if heard.file || heard.folder || due || restored {
                self.look(tell);
            }
        }
        Ok(())
    }

    /// Whether a time has come to look; what waited for it waits no more.
    fn is_due(&mut self, now: Instant) -> bool {
        let waiting = self.open.len();
        self.open.retain(|_, until| *until > now);
        let again = self.again.take_if(|again| *again <= now).is_some();
        again || self.open.len() < waiting
    }

    /// Waits for the next message, or for a time that is due, which gives none; ends when nobody can send any more.
    fn next(&self) -> Option<Option<Message>> {
        let kept = (!self.kept.is_empty()).then(|| Instant::now() + KEPT_LOOK);
        let due = self.open.values().copied().chain(self.again).chain(kept).min();
        match due {
            None => self.receiver.recv().ok().map(Some),
            Some(due) => match self.receiver.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(message) => Some(Some(message)),
                Err(RecvTimeoutError::Timeout) => Some(None),
                Err(RecvTimeoutError::Disconnected) => None,
            },
        }
    }

    /// Notes what an event says.
    fn hear(
        &mut self,
        at: Instant,
        event: notify::Result<notify::Event>,
        directory: &Path,
        heard: &mut Heard,
    ) {
        let event = match event {
            Ok(event) if !event.need_rescan() && !event.paths.is_empty() => event,
            // Something was missed.
            _ => {
                heard.folder = true;
                return;
            }
        };
        for path in &event.paths {
            if directory.starts_with(path) {
                heard.folder |=
                    !matches!(event.kind, EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)));
            } else if path.starts_with(directory) && is_dynamic_file(path) {
                match event.kind {
                    EventKind::Create(CreateKind::File)
                    | EventKind::Modify(ModifyKind::Data(DataChange::Any)) => {
                        self.open.entry(path.clone()).or_insert(at + OPEN);
                    }
                    EventKind::Access(AccessKind::Close(AccessMode::Write)) => drop(self.open.remove(path)),
                    EventKind::Access(_) => continue,
                    _ => drop(self.open.remove(path)),
                }
                heard.file |= !self.open.contains_key(path);
                self.news.entry(path.clone()).or_insert(at);
            } else if path.starts_with(directory) && !matches!(event.kind, EventKind::Access(_)) {
                // A folder, perhaps, in which files were or are made before it is watched.
                heard.file = true;
                self.again.get_or_insert(at + OPEN);
            }
        }
    }

    /// Looks through the folder and patches.
    fn look(&mut self, tell: &mut dyn FnMut(&Entry, &Metrics)) {
        self.metrics.looked = jiff::Timestamp::now().as_millisecond() as f64 / 1e3;
        let (found, left) = match self.folder.mend_but(&|path| self.open.contains_key(path)) {
            Ok(result) => result,
            Err(problem) => {
                let directory = self.folder.directory().to_owned();
                if directory.is_dir() {
                    self.metrics.failures += 1;
                    self.again = Some(Instant::now() + RETRY);
                }
                self.there = false;
                self.tell_once(tell, &directory, Event::Waiting, &problem.to_string(), None);
                return;
            }
        };
        let now = Instant::now();
        let begins = !std::mem::replace(&mut self.there, true);
        for found in found {
            let path = found.old.path.to_path_buf();
            let delay = self.news.remove(&path).map(|first| now.saturating_duration_since(first));
            self.metrics.patched(found.patched.routers.len(), delay);
            let entry = Entry { routers: found.patched.routers, ..Entry::now(Event::Patched).file(&path) };
            let entry = delay.into_iter().fold(entry, Entry::delay);
            self.told.remove(&path);
            if let Some(displaced) = found.displaced {
                self.kept.push(Kept { file: path, displaced, seen: None, until: now + KEPT });
            }
            self.tell(tell, entry);
        }
        if left.iter().any(|left| left.why.is_passing()) {
            self.again = Some(now + RETRY);
        }
        for left in &left {
            self.metrics.failures += 1;
            self.tell_left(tell, left);
        }
        // What is in order is no news any more.
        let unsettled =
            |path: &Path| path.exists() && (self.open.contains_key(path) || !self.folder.is_well(path));
        self.news.retain(|path, _| unsettled(path));
        self.told.retain(|path, _| path != self.folder.directory() && unsettled(path));
        if begins {
            let started = Entry::now(Event::Started).file(self.folder.directory());
            self.tell(tell, started);
        }
    }

    fn tell_left(&mut self, tell: &mut dyn FnMut(&Entry, &Metrics), left: &Left) {
        let problem = left.why.problem(&left.path);
        let at = problem.position();
        self.tell_once(tell, &left.path, Event::Left, &left.why.to_string(), at);
    }

    /// Tells what is wrong with a file, once.
    fn tell_once(
        &mut self,
        tell: &mut dyn FnMut(&Entry, &Metrics),
        path: &Path,
        event: Event,
        message: &str,
        at: Option<String>,
    ) {
        if self.told.get(path).is_some_and(|told| told == message) {
            return;
        }
        self.told.insert(path.to_owned(), message.to_owned());
        self.tell(tell, Entry { at, ..Entry::now(event).file(path).message(message) });
    }

    fn tell(&mut self, tell: &mut dyn FnMut(&Entry, &Metrics), entry: Entry) {
        self.metrics.left = self.told.len() as u64;
        tell(&entry, &self.metrics);
    }

    /// Puts old files back that a tool has gone on writing, and lets go of those that nobody has touched for a while.
    /// Returns whether one was put back.
    fn keep(&mut self, now: Instant, tell: &mut dyn FnMut(&Entry, &Metrics)) -> bool {
        let mut still = Vec::new();
        let mut restored = false;
        for mut kept in std::mem::take(&mut self.kept) {
            let changed = kept.displaced.changed();
            if changed != kept.seen {
                kept.seen = changed;
                kept.until = now + KEPT;
                self.news.entry(kept.file.clone()).or_insert(now);
            } else if let Some(text) = &kept.seen
                // Half-written texts wait for their other half, as long as something comes.
                && (now >= kept.until || self.folder.reads(&kept.file, text))
            {
                let file = kept.file.clone();
                if let Ok(true) = kept.displaced.restore() {
                    restored = true;
                    self.tell(tell, Entry::now(Event::Restored).file(&file));
                }
                continue;
            }
            if now < kept.until {
                still.push(kept);
            }
        }
        self.kept = still;
        restored
    }
}

/// The watches on the folder and on the nearest folder above it that is there.
struct Arms {
    watcher: RecommendedWatcher,
    directory: PathBuf,
    above: Option<PathBuf>,
}

impl Arms {
    /// Watches the folder, or what it will appear in.
    fn reach(&mut self) -> notify::Result<()> {
        for _ in 0..MOST_STEPS {
            // Another folder of the same name may be there by now, so that nothing is kept.
            if let Some(old) = self.above.take() {
                let _ = self.watcher.unwatch(&old);
            }
            let above = self.directory.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned);
            if let Some(new) = &above {
                match self.watcher.watch(new, RecursiveMode::NonRecursive) {
                    Ok(()) => self.above = above,
                    Err(_) if !new.is_dir() => continue,
                    Err(error) => return Err(error),
                }
            }
            let _ = self.watcher.unwatch(&self.directory);
            match self.watcher.watch(&self.directory, RecursiveMode::Recursive) {
                Ok(()) => return Ok(()),
                Err(error) if self.directory.is_dir() => {
                    if matches!(error.kind, notify::ErrorKind::PathNotFound) {
                        continue;
                    }
                    return Err(error);
                }
                // Somebody may have made the next folder on the way before the one above was watched.
                Err(_)
                    if self.directory.ancestors().skip(1).find(|folder| folder.is_dir())
                        == self.above.as_deref() =>
                {
                    return Ok(());
                }
                Err(_) => {}
            }
        }
        Ok(())
    }
}
