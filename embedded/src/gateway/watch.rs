//! Watching the folder, as Traefik's file provider does.

use std::sync::{Arc, Weak};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::shared::Shared;

/// Watches the folder of `shared` for as long as the watcher that is returned lives.
pub(super) fn watch(shared: &Arc<Shared>) -> notify::Result<RecommendedWatcher> {
    let (told, events) = mpsc::channel::<()>(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let changes = event.is_ok_and(|event| !event.kind.is_access());
        if changes {
            // Full means that a change is waiting already, which covers this one.
            let _ = told.try_send(());
        }
    })?;
    watcher.watch(&shared.settings.directory, RecursiveMode::Recursive)?;
    tokio::spawn(take_changes(Arc::downgrade(shared), events, shared.settings.throttle));
    Ok(watcher)
}

/// Takes a change at once when the last was long ago, else when the throttle lets it.
async fn take_changes(shared: Weak<Shared>, mut events: mpsc::Receiver<()>, throttle: Duration) {
    let mut free_at = Instant::now();
    while events.recv().await.is_some() {
        tokio::time::sleep_until(free_at).await;
        while events.try_recv().is_ok() {}
        let Some(shared) = shared.upgrade() else { return };
        // What is wrong with the files is in the log.
        let _ = shared.reload();
        free_at = Instant::now() + throttle;
    }
}
