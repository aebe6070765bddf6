//! Authentik's two programs on one database.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ssoproof_embedded::authentik::{Authentik, Profile, Settings, Store};
use ssoproof_embedded::logs::Logs;
use tokio_postgres::Config;

use crate::client::{Browser, TOKEN};
use crate::gateway::{self, Asked, Passed};
use crate::world::World;

/// The password of `akadmin`.
pub(crate) const ADMIN_PASSWORD: &str = "akadmin-Passw0rd!";

pub(crate) fn settings(store: Option<Store>, logs: &Logs) -> Settings {
    Settings {
        bootstrap_token: TOKEN.to_owned(),
        bootstrap_password: ADMIN_PASSWORD.to_owned(),
        state: None,
        store,
        secret_key: b"secret-key-of-server-and-worker".to_vec(),
        profile: Profile::V2026_2,
        logs: logs.clone(),
    }
}

/// A server on the database.
pub(crate) async fn server(config: Config) -> Authentik {
    logged_server(config, &Logs::default()).await
}

/// A server on the database that writes to `logs`.
pub(crate) async fn logged_server(config: Config, logs: &Logs) -> Authentik {
    let store = Store::new(config, logs.clone());
    Authentik::start(settings(Some(store), logs)).await.unwrap()
}

/// Does what a worker does at its start.
pub(crate) async fn apply_defaults(config: Config) {
    let logs = Logs::default();
    let store = Store::new(config, logs.clone());
    store.wait().await;
    store.apply_defaults(&settings(None, &logs)).await.unwrap();
}

/// Asks for `path` until the status is `status`; fails with the last one after 30 s.
pub(crate) async fn until(browser: &mut Browser, path: &str, status: u16) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let last = browser.get(path).await.status().as_u16();
        if last == status {
            return;
        }
        assert!(Instant::now() < deadline, "{path} did not answer {status} in 30 s but {last}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl World {
    /// A visit at `stream` with its session's cookie.
    pub(crate) async fn at_stream(&self, cookie: &str) -> Passed {
        let asked = Asked {
            method: "GET".to_owned(),
            url: "https://stream.spacemusic.tv/".to_owned(),
            headers: vec![("cookie".to_owned(), cookie.to_owned())],
            body: String::new(),
        };
        gateway::through(&mut Browser::new(&self.authentik), &asked).await
    }

    /// What `stream` is told about a visitor; none when the visit does not get that far.
    pub(crate) async fn identity_at_stream(&self, cookie: &str) -> Option<BTreeMap<String, Vec<u8>>> {
        self.at_stream(cookie).await.identity
    }
}
