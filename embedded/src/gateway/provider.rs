//! The file provider: the configuration in use, and how it changes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher};
use ssoproof_deployment::traefik::{Dynamic, EntryPoint, Profile, RuntimeConfig, Status};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::logs::Logs;

/// Why the files were not taken. What was in use stays in use.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{message}", .position.as_ref().map(|position| format!("{position}: ")).unwrap_or_default())]
pub struct Rejected {
    /// What is wrong, in Traefik's words where it has some.
    pub message: String,
    /// `file:line:column`, when it is known.
    pub position: Option<String>,
}

/// A configuration in use.
#[derive(Clone)]
pub(super) struct Loaded {
    /// Counts the changes; 0 until the first.
    pub(super) version: u64,
    pub(super) config: Arc<RuntimeConfig>,
}

/// The file provider of one gateway.
pub(super) struct Provider {
    directory: PathBuf,
    entry_points: [EntryPoint; 2],
    profile: &'static Profile,
    logs: Logs,
    loaded: watch::Sender<Loaded>,
    /// What the watcher read and has not applied yet.
    pending: Mutex<Option<Dynamic>>,
}

impl Provider {
    /// A provider that starts with `config`, else with what the files in `directory` say.
    pub(super) fn new(
        directory: PathBuf,
        entry_points: [EntryPoint; 2],
        profile: &'static Profile,
        logs: Logs,
        config: Option<Arc<RuntimeConfig>>,
    ) -> Self {
        let version = u64::from(config.is_some());
        let loaded = watch::Sender::new(Loaded { version, config: config.unwrap_or_default() });
        let provider = Self { directory, entry_points, profile, logs, loaded, pending: Mutex::new(None) };
        if version > 0 {
            provider.report(&provider.config());
        } else {
            // Bad files are logged and leave nothing in use.
            let _ = provider.reload();
        }
        provider
    }

    /// The configuration in use.
    pub(super) fn config(&self) -> Arc<RuntimeConfig> {
        self.loaded.borrow().config.clone()
    }

    /// Tells of changes.
    pub(super) fn subscribe(&self) -> watch::Receiver<Loaded> {
        self.loaded.subscribe()
    }

    /// Reads the files and uses them at once; what the watcher had pending is older and dropped.
    pub(super) fn reload(&self) -> Result<Arc<RuntimeConfig>, Rejected> {
        let mut pending = self.pending();
        let dynamic = self.load()?;
        *pending = None;
        self.apply(dynamic);
        drop(pending);
        Ok(self.config())
    }

    fn pending(&self) -> MutexGuard<'_, Option<Dynamic>> {
        self.pending.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn load(&self) -> Result<Dynamic, Rejected> {
        Dynamic::load(&self.directory, self.profile).map_err(|problem| {
            let rejected = Rejected { message: problem.to_string(), position: problem.position() };
            self.log(format!(
                "ERR Error while building configuration error={:?} providerName=file",
                rejected.to_string()
            ));
            rejected
        })
    }

    /// Uses `dynamic` unless the same files are in use.
    fn apply(&self, dynamic: Dynamic) {
        let texts = |dynamic: &Dynamic| -> Vec<_> {
            dynamic.files.iter().map(|file| (file.path.clone(), file.text.clone())).collect()
        };
        let current = self.loaded.borrow().clone();
        if current.version > 0 && texts(&current.config.dynamic) == texts(&dynamic) {
            return;
        }
        let config = Arc::new(RuntimeConfig::build(dynamic, &self.entry_points, self.profile));
        self.report(&config);
        self.loaded.send_modify(|loaded| {
            loaded.version += 1;
            loaded.config = config;
        });
    }

    fn log(&self, line: String) {
        self.logs.write("traefik", line);
    }

    fn report(&self, config: &RuntimeConfig) {
        for duplicate in &config.dynamic.duplicates {
            self.log(format!(
                "WRN HTTP {} already configured, skipping name={} filename={}",
                duplicate.kind, duplicate.name, duplicate.skipped
            ));
        }
        for router in config.routers.iter().filter(|router| router.status != Status::Enabled) {
            for error in &router.errors {
                self.log(format!("ERR error={error:?} routerName={} filename={}", router.name, router.at()));
            }
        }
        for unmodelled in &config.dynamic.unmodelled {
            self.log(format!("WRN not modelled: {} filename={}", unmodelled.what, unmodelled.at));
        }
    }

    /// Starts to watch the folder: every event reads the files, and what they say is used at once, or, within
    /// `throttle` of the last change, at its end.
    ///
    /// # Errors
    /// When the system does not let the folder be watched.
    pub(super) fn watch(self: &Arc<Self>, throttle: Duration, stop: CancellationToken) -> notify::Result<()> {
        let (events, mut changed) = mpsc::unbounded_channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if !matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
                // The receiver is gone when the gateway is.
                let _ = events.send(());
            }
        })?;
        watcher.watch(&self.directory, RecursiveMode::NonRecursive)?;
        let provider = self.clone();
        tokio::spawn(async move {
            let _watcher = watcher;
            let mut next = Instant::now();
            loop {
                let waiting = provider.pending().is_some();
                tokio::select! {
                    () = stop.cancelled() => return,
                    event = changed.recv() => {
                        if event.is_none() {
                            return;
                        }
                        while changed.try_recv().is_ok() {}
                        provider.read_pending();
                    }
                    () = tokio::time::sleep_until(next), if waiting => {}
                }
                if Instant::now() >= next && provider.apply_pending() {
                    next = Instant::now() + throttle;
                }
            }
        });
        Ok(())
    }

    fn read_pending(&self) {
        let mut pending = self.pending();
        if let Ok(dynamic) = self.load() {
            *pending = Some(dynamic);
        }
    }

    /// Uses what is pending; returns whether there was something.
    fn apply_pending(&self) -> bool {
        let mut pending = self.pending();
        let Some(dynamic) = pending.take() else { return false };
        let before = self.loaded.borrow().version;
        self.apply(dynamic);
        self.loaded.borrow().version != before
    }
}
