//! What both ports of one MinIO share, and how its IAM comes up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::sync::Notify;

use super::iam::Iam;
use super::openid::{Fetcher, Provider};
use super::settings::Settings;
use super::store::Store;

/// The component name in the logs.
const COMPONENT: &str = "minio";

/// One MinIO's state.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) fetcher: Fetcher,
    pub(super) deployment_id: String,
    iam: RwLock<Iam>,
    store: Mutex<Store>,
    /// There once discovery and keys were read: IAM is initialised.
    provider: RwLock<Option<Arc<Provider>>>,
    /// Held while one caller reads discovery, so that others wait for its outcome.
    turn: tokio::sync::Mutex<()>,
    attempts: AtomicU64,
    again: Notify,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            iam: RwLock::new(iam(&settings)),
            store: Mutex::new(Store::with_buckets(&settings.buckets)),
            fetcher: Fetcher::new(settings.names.clone(), settings.tls.clone()),
            deployment_id: uuid::Uuid::new_v4().to_string(),
            provider: RwLock::new(None),
            turn: tokio::sync::Mutex::new(()),
            attempts: AtomicU64::new(0),
            again: Notify::new(),
            settings,
        }
    }

    pub(super) fn iam(&self) -> RwLockReadGuard<'_, Iam> {
        self.iam.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn iam_mut(&self) -> RwLockWriteGuard<'_, Iam> {
        self.iam.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The provider, if IAM is initialised.
    pub(super) fn provider(&self) -> Option<Arc<Provider>> {
        self.provider.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// The provider; when IAM is not initialised, tries once to make it so. MinIO itself only tries every few
    /// seconds (`truth/minio/22-startup`); a request that needs IAM need not wait for that here.
    pub(super) async fn initialise(&self) -> Option<Arc<Provider>> {
        if let Some(provider) = self.provider() {
            return Some(provider);
        }
        let seen = self.attempts.load(Ordering::Acquire);
        let _turn = self.turn.lock().await;
        if self.provider().is_some() || self.attempts.load(Ordering::Acquire) != seen {
            return self.provider();
        }
        let outcome = Provider::discover(&self.settings.openid, &self.fetcher).await;
        self.attempts.fetch_add(1, Ordering::AcqRel);
        match outcome {
            Ok(provider) => {
                let provider = Arc::new(provider);
                self.set_provider(Some(provider.clone()));
                self.log("INFO: IAM initialised");
                Some(provider)
            }
            Err(error) => {
                self.log(format!("Error: Unable to initialize OpenID: {error} (*fmt.wrapError)"));
                None
            }
        }
    }

    /// Initialises IAM, again and again until it is, now and after every restart.
    pub(super) async fn keep_initialised(&self) {
        loop {
            let mut pause = Duration::from_millis(50);
            while self.initialise().await.is_none() {
                self.log(format!("INFO: Waiting for OpenID to be initialized.. (retrying in {pause:?})"));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
            self.again.notified().await;
        }
    }

    /// Forgets provider and keys, as a new process would; policies, credentials and objects stay.
    pub(super) fn restart(&self) {
        self.set_provider(None);
        self.again.notify_one();
    }

    /// Forgets credentials, objects, what was done to policies, and every key but those that were read first. A provider
    /// that was not there at once is to be looked for again.
    pub(super) fn renew(&self) {
        *self.iam_mut() = iam(&self.settings);
        *self.store() = Store::with_buckets(&self.settings.buckets);
        let at_once = self.attempts.load(Ordering::Acquire) == 1;
        match self.provider().filter(|_| at_once) {
            Some(provider) => self.set_provider(Some(Arc::new(provider.as_read()))),
            None => self.restart(),
        }
    }

    pub(super) fn log(&self, line: impl Into<String>) {
        self.settings.logs.write(COMPONENT, line);
    }

    fn set_provider(&self, provider: Option<Arc<Provider>>) {
        *self.provider.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = provider;
    }
}

fn iam(settings: &Settings) -> Iam {
    let openid = &settings.openid;
    let role = openid.role_arn().zip(openid.role_policy.clone());
    Iam::new(&settings.policies, openid.claim(), role, &settings.root_password)
}

/// Seconds since 1970, now.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
