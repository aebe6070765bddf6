//! A stack that others have set up, reached by its public URLs.
//!
//! It is only read: every verb that changes something is refused unless the deployment lists it under `allow:`. Where
//! verbs of the API are allowed, what a case has made and changed by them is put back, and nothing else.

mod options;
mod secrets;
mod traefik_api;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use ssoproof_deployment::{Deployment, Service};
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::services::{Probe, ProbeSettings};
use tempfile::TempDir;

pub use options::{AttachOptions, Resolve};
pub(crate) use traefik_api::{list as traefik_list, without_credentials};

use super::authority::client_config;
use super::files::Kept;
use super::lease::LeaseFolder;
use super::locks::CaseLock;
use super::parts::{host_of, probe_settings};
use super::process::Interruption;
use super::{Loan, LogTails, Need, Reach, Secrets, Stack, StackError, StackFuture};
use crate::evidence::{Backends, Ledger, Tells};
use crate::provision::{self, Setup, Touched};
use crate::reports::err;

/// A stack that others have set up.
pub struct Attached {
    deployment: Arc<Deployment>,
    client: Client,
    secrets: Arc<Secrets>,
    backends: Arc<Backends>,
    traefik: TraefikFiles,
    /// The files as they were before the case that rewrites them now.
    kept: Arc<Mutex<Option<Arc<Kept>>>>,
    lock: CaseLock,
    probe: Option<Probe>,
}

/// What the gateway is thought to do.
enum TraefikFiles {
    /// What the deployment says.
    Deployment(PathBuf),
    /// What its API says.
    Api(TempDir),
    /// What its own folder says, which may be rewritten.
    Own(PathBuf),
}

impl Attached {
    /// Looks whether the deployment answers, and sets up its Authentik when the options say so.
    ///
    /// # Errors
    /// [`StackError::Attach`] with what does not answer or does not read, [`StackError::Provision`].
    pub async fn open(deployment: Arc<Deployment>, options: &AttachOptions) -> Result<Self, StackError> {
        let client = client(options)?;
        let secrets = secrets::read(&deployment, options)?;
        let probe = match options.probe_listen {
            Some(address) => Some(
                Probe::start_for(address, Default::default(), probes(&deployment))
                    .await
                    .map_err(|error| attach(format!("failed to listen on {address}: {error}")))?,
            ),
            None => None,
        };
        answers(&client, &deployment.auth.url).await?;
        if options.provision {
            let base = &deployment.auth.url;
            provision::provision(&deployment, client.clone(), base, &secrets).await?;
            provision::served_behind_gateway(&deployment, &client).await?;
        }
        let traefik = match (&options.traefik_folder, &options.traefik_api) {
            (Some(folder), _) if !folder.is_dir() => {
                return Err(attach(format!("`{}` is no folder", folder.display())));
            }
            (Some(folder), _) => TraefikFiles::Own(folder.clone()),
            (None, Some(url)) => TraefikFiles::Api(traefik_api::read(&client, url).await?),
            (None, None) => {
                TraefikFiles::Deployment(deployment.folder.join(&deployment.traefik.dynamic.value))
            }
        };
        let lock = CaseLock::new(LeaseFolder::of(&deployment)?.path());
        let backends = Arc::new(backends(&deployment, probe.is_some()));
        let kept = Arc::<Mutex<Option<Arc<Kept>>>>::default();
        if matches!(traefik, TraefikFiles::Own(_)) {
            tokio::spawn(put_back(Interruption::listen()?, kept.clone()));
        }
        Ok(Self { deployment, client, secrets: Arc::new(secrets), backends, traefik, kept, lock, probe })
    }

    /// Puts back what a case has changed by the API.
    async fn restore(&self, before: &Setup, touched: &Touched) -> Result<(), StackError> {
        let base = &self.deployment.auth.url;
        before.restore(&self.deployment, self.client.clone(), base, &self.secrets, Some(touched)).await
    }
}

impl Stack for Attached {
    fn kind(&self) -> &'static str {
        "attached"
    }

    fn client(&self) -> Client {
        self.client.clone()
    }

    fn secrets(&self) -> &Arc<Secrets> {
        &self.secrets
    }

    fn offers(&self, need: Need) -> bool {
        match need {
            Need::Admin => !self.secrets.admin_token.expose_secret().is_empty(),
            Need::Probe => self.probe.is_some(),
            Need::Components | Need::Faults => false,
            Need::Files => matches!(self.traefik, TraefikFiles::Own(_)),
        }
    }

    fn permits(&self, verb: &str) -> bool {
        self.deployment.allow.iter().any(|allowed| allowed.value == verb)
    }

    fn backends(&self) -> Arc<Backends> {
        self.backends.clone()
    }

    fn traefik_files(&self) -> &Path {
        match &self.traefik {
            TraefikFiles::Deployment(folder) | TraefikFiles::Own(folder) => folder,
            TraefikFiles::Api(folder) => folder.path(),
        }
    }

    fn throttle(&self) -> Duration {
        self.deployment.traefik.throttle()
    }

    fn logs(&self, _: usize) -> LogTails<'_> {
        Box::pin(std::future::ready(Vec::new()))
    }

    /// Cases that reach no further than their browsers run beside each other, others alone.
    fn lend(self: Arc<Self>, reach: Reach) -> StackFuture<'static, Loan> {
        Box::pin(async move {
            let taken = self.lock.take(reach).await?;
            if reach < Reach::Setup {
                let back = |_: &Ledger| -> StackFuture<'static, ()> {
                    drop(taken);
                    Box::pin(std::future::ready(Ok(())))
                };
                return Ok(Loan::returning(self, back));
            }
            let kept = if reach.files() { Some(Arc::new(Kept::of(self.traefik_files())?)) } else { None };
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&kept);
            let before = match self.offers(Need::Admin) {
                true => {
                    Some(Setup::read(self.client.clone(), &self.deployment.auth.url, &self.secrets).await?)
                }
                false => None,
            };
            let stack = self.clone();
            Ok(Loan::returning(self, move |ledger: &Ledger| {
                let touched = Touched::of(ledger, &stack.deployment.auth.url);
                Box::pin(async move {
                    let files = match kept {
                        Some(kept) => kept.put_back(&stack.deployment, &stack.client).await,
                        None => Ok(()),
                    };
                    *stack.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    let setup = match before {
                        Some(before) => stack.restore(&before, &touched).await,
                        None => Ok(()),
                    };
                    drop(taken);
                    files.and(setup)
                })
            }))
        })
    }
}

/// Somebody else's files are not left as a case has made them: who ends this process puts them back first.
async fn put_back(mut interruption: Interruption, kept: Arc<Mutex<Option<Arc<Kept>>>>) {
    interruption.came().await;
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Err(error)) = kept.map(|kept| kept.write_back()) {
        err(&format!("{error}\n"));
    }
    std::process::exit(130);
}

fn attach(reason: String) -> StackError {
    StackError::Attach(reason)
}

/// A client that finds hosts and trusts CAs as `options` say.
///
/// # Errors
/// [`StackError::Attach`] when the CAs cannot be read.
pub(crate) fn client(options: &AttachOptions) -> Result<Client, StackError> {
    let names = Names::with_dns();
    for resolve in &options.resolve {
        names.insert_pattern(&resolve.pattern, resolve.port, resolve.address);
    }
    Ok(Client::new(names, trusted(options.ca.as_deref())?))
}

/// The probes to serve, by host.
fn probes(deployment: &Deployment) -> BTreeMap<String, ProbeSettings> {
    let services = deployment.services.iter();
    services
        .filter_map(|(slug, service)| Some((host_of(&service.url)?, probe_settings(slug, service))))
        .collect()
}

/// How the services tell what reaches them.
fn backends(deployment: &Deployment, probes: bool) -> Backends {
    let tells = |service: &Service| match (service.echo, probes) {
        (true, _) => Tells::Echo,
        (false, true) => Tells::Probe,
        (false, false) => Tells::Nothing,
    };
    let services = deployment.services.values();
    Backends::new(services.filter_map(|service| Some((host_of(&service.url)?, tells(service)))).collect())
}

/// What browsers of this machine trust, and the CAs in `ca`, PEM.
fn trusted(ca: Option<&Path>) -> Result<Arc<ClientConfig>, StackError> {
    let mut roots = rustls::RootCertStore::empty();
    // Whatever of the system's store does not read is not trusted; the rest is.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let failed = |reason: String| attach(format!("failed to read the CA `{}`: {reason}", path.display()));
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let found: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|error| failed(error.to_string()))?;
        if found.is_empty() {
            return Err(failed("there is no certificate in it".to_owned()));
        }
        for root in found {
            roots.add(root).map_err(|error| failed(error.to_string()))?;
        }
    }
    client_config(roots)
}

/// Whether anything answers at `base`.
async fn answers(client: &Client, base: &str) -> Result<(), StackError> {
    let url = format!("{base}/-/health/live/");
    let request = Request::builder().uri(&url).body(Full::<Bytes>::default());
    let request = request.map_err(|error| attach(format!("{url}: {error}")))?;
    match client.send(request).await {
        Ok(_) => Ok(()),
        Err(error) => Err(attach(format!("the deployment does not answer at {base}: {error}"))),
    }
}
