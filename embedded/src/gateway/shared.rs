//! What every connection of one gateway shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use ssoproof_deployment::Problem;
use ssoproof_deployment::traefik::{self, EntryPoint, Router, Runtime, ServiceDefinition};
use tokio::sync::watch;

use super::settings::Settings;
use crate::dial::Client;

/// The component name in the logs.
const COMPONENT: &str = "traefik";

/// The longest body of a request or an answer, in bytes.
pub(super) const MAX_BODY: usize = 8 << 20;

/// How long an auth server or a service may take (Traefik's forwardAuth client: 30 s).
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) client: Client,
    pub(super) entries: [EntryPoint; 2],
    config: RwLock<Arc<Runtime>>,
    /// How many configurations were taken.
    taken: watch::Sender<u64>,
    /// Whose turn it is among a service's servers.
    turns: Mutex<HashMap<String, usize>>,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let client =
            Client::new(settings.names.clone(), settings.client_tls.clone()).with_bounds(MAX_BODY, PATIENCE);
        let entries = [
            EntryPoint { name: settings.http.clone(), tls: false },
            EntryPoint { name: settings.https.clone(), tls: true },
        ];
        Self {
            settings,
            client,
            entries,
            config: RwLock::default(),
            taken: watch::Sender::new(0),
            turns: Mutex::default(),
        }
    }

    pub(super) fn log(&self, line: String) {
        self.settings.logs.write(COMPONENT, line);
    }

    /// The configuration in force.
    pub(super) fn config(&self) -> Arc<Runtime> {
        self.config.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Sees a number rise whenever a configuration is taken.
    pub(super) fn taken(&self) -> watch::Receiver<u64> {
        self.taken.subscribe()
    }

    /// Reads the folder and takes what is in it; a bad file leaves the configuration as it is
    /// (`truth/traefik/3.6.7-6-live`, `7-start`).
    pub(super) fn reload(&self) -> Result<(), Vec<Problem>> {
        match traefik::read(&self.settings.directory, &self.settings.profile) {
            Ok(dynamic) => {
                for lost in &dynamic.duplicates {
                    self.log(format!(
                        "WRN HTTP {} already configured, skipping {}Name={}",
                        lost.kind, lost.kind, lost.name
                    ));
                }
                let runtime = Runtime::new(dynamic, &self.entries);
                for router in runtime.routers.iter().filter(|router| !router.enabled()) {
                    self.log(format!("ERR {} routerName={}", router.errors.join("; "), router.name));
                }
                *self.config.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Arc::new(runtime);
                self.taken.send_modify(|count| *count += 1);
                Ok(())
            }
            Err(problems) => {
                for problem in &problems {
                    let place = problem.position().unwrap_or_default();
                    self.log(format!("ERR Error while building configuration error=\"{place}: {problem}\""));
                }
                Err(problems)
            }
        }
    }

    /// The next server of `service`, one after the other.
    pub(super) fn next_server(&self, service: &ServiceDefinition) -> Option<String> {
        match service.servers.as_slice() {
            [] => None,
            [only] => Some(only.value.clone()),
            servers => {
                let mut turns = self.turns.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                let turn = turns.entry(service.name.clone()).or_default();
                *turn = (*turn + 1) % servers.len();
                servers.get(*turn).map(|server| server.value.clone())
            }
        }
    }

    /// The service that a router forwards to.
    pub(super) fn service(router: &Router) -> Option<&ServiceDefinition> {
        router.service.as_deref()
    }
}
