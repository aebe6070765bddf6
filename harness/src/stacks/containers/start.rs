//! One start of a stack in containers.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::OptionFuture;
use secrecy::ExposeSecret as _;
use ssoproof_containers::{
    AuthentikServer, AuthentikSettings, Component, Defaults, Docker, Error, Image, Lab, Labels, Planned,
    Postgres, PostgresSettings, Traefik, TraefikSettings, authentik_worker, defaults_applied, redis,
    redis_host, redis_ready, upstreams_at,
};
use ssoproof_deployment::Deployment;
use ssoproof_embedded::authentik as embedded_authentik;
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::logs::Logs;
use tokio::time::timeout;

use super::super::authority::{Authority, trusting};
use super::super::defect::Defect;
use super::super::embedded::modelled;
use super::super::lease::LeaseFolder;
use super::super::parts::{
    Making, Parts, Services, Upstreams, behind_traefik, copy, failed, host_and_port, policies,
};
use super::super::{Lease, StackError};
use super::apps::Apps;
use super::late::Late;
use super::warm::{StackSecrets, Warm};
use super::{ContainerOptions, fingerprint};
use crate::provision::{self, Setup, provision};
use crate::routing::Routing;

/// The user and the database of Authentik in PostgreSQL.
const DATABASE: &str = "authentik";

/// How long a warm server has to be ready before the containers start that it is ready without.
const GRACE: Duration = Duration::from_secs(1);

/// One start.
pub(super) struct Start<'a> {
    pub(super) deployment: &'a Arc<Deployment>,
    pub(super) options: &'a ContainerOptions,
    pub(super) folder: &'a LeaseFolder,
    pub(super) docker: &'a Docker,
}

/// What a start has made.
pub(super) struct Started {
    pub(super) lease: Lease,
    pub(super) components: Vec<Component>,
    pub(super) late: Late,
    pub(super) parts: Parts,
    pub(super) authentik: Option<embedded_authentik::Authentik>,
}

/// Where Authentik is, whoever serves it.
struct Provider {
    address: SocketAddr,
    postgres: Option<Postgres>,
    components: Vec<Component>,
    late: Late,
    timings: Vec<(String, Duration)>,
    /// Whether it still has to be provisioned.
    fresh: bool,
}

impl Start<'_> {
    pub(super) async fn start(&self, labels: Labels) -> Result<Started, StackError> {
        let (deployment, images) = (self.deployment, &self.options.images);
        let profile = match images.authentik {
            Image::Embedded => Some(modelled(deployment)?),
            Image::Named(_) => None,
        };
        let policies = policies(deployment)?;
        let apps = Apps::of(deployment, images);
        let warm = Warm::of(self.docker, deployment, images).await?;
        let kept = if self.options.cold || profile.is_some() { None } else { warm.kept().await };
        let image = kept.as_ref().map(|_| warm.image());
        let all = kept.unwrap_or_else(|| StackSecrets::random(deployment));
        let secrets = &all.secrets;
        let mut hosts = deployment.hosts();
        hosts.sort();
        let authority = Authority::new(hosts)?;
        let ca = self.folder.path().join("ca.pem");
        std::fs::write(&ca, &authority.ca).map_err(|error| failed("the certificate authority", &error))?;
        let tls = trusting(&authority.ca)?;
        let started = Instant::now();
        let lab = Lab::open(self.docker.clone(), labels.clone(), apps.in_containers()).await?;

        // Names as the parts see them; Traefik's entry points are added once it is there.
        let (names, logs) = (Names::default(), Logs::default());
        let defect = Defect::default();
        let services = Services::start(deployment, lab.gateway(), &authority.server()?, &defect).await?;
        let parts = Parts::start(&Making {
            deployment,
            secrets,
            grafana: apps.served_grafana,
            minio: apps.served_minio,
            policies: &policies,
            tls: tls.clone(),
            names: names.clone(),
            logs: logs.clone(),
            services: services.into(),
            address: lab.gateway(),
            defect: &defect,
        })
        .await?;
        let mut upstreams = parts.upstreams.clone();
        let in_process = match profile {
            None => None,
            Some(profile) => {
                let settings = embedded_authentik::Settings {
                    bootstrap_token: secrets.admin_token.expose_secret().to_owned(),
                    bootstrap_password: secrets.admin_token.expose_secret().to_owned(),
                    state: None,
                    store: None,
                    secret_key: Vec::new(),
                    profile,
                    logs: logs.clone(),
                };
                let authentik =
                    embedded_authentik::Authentik::start_at((lab.gateway(), 0).into(), settings).await;
                let authentik = authentik.map_err(|error| failed("Authentik", &error))?;
                upstreams
                    .extend(host_and_port(&deployment.auth.upstream).map(|at| (at, authentik.address())));
                Some(authentik)
            }
        };

        let gateway = self.traefik(&lab, &authority, &upstreams);
        let provider = async {
            match &in_process {
                Some(authentik) => Ok(Provider {
                    address: authentik.address(),
                    postgres: None,
                    components: Vec::new(),
                    late: Late::default(),
                    timings: Vec::new(),
                    fresh: true,
                }),
                None => self.authentik(&lab, image, &all).await,
            }
        };
        let grafana = apps.grafana(&lab, &ca, secrets);
        let (gateway, provider, grafana) = tokio::try_join!(gateway, provider, grafana)?;
        let (traefik, traefik_took) = gateway;
        let Provider { address, postgres, mut components, late, mut timings, fresh } = provider;
        timings.push(("traefik".to_owned(), traefik_took));
        let mut started_apps = Vec::from_iter(grafana);

        let internal = Names::default();
        if let Some((host, port)) = host_and_port(&deployment.auth.upstream) {
            internal.insert(&host, port, address);
        }
        let client = Client::new(internal, tls);
        let upstream = &deployment.auth.upstream;
        if fresh {
            let since = Instant::now();
            provision(deployment, client.clone(), upstream, secrets).await?;
            timings.push(("provisioning".to_owned(), since.elapsed()));
        }
        provision::served(deployment, &client, upstream).await?;
        behind_traefik(&names, deployment, traefik.http, traefik.https);
        parts.initialise().await;
        started_apps.extend(apps.minio(&lab, &ca, secrets).await?);
        for (app, took) in started_apps {
            timings.push((app.name().to_owned(), took));
            components.push(app);
        }
        let setup = Setup::read(client, upstream, secrets).await?;
        if let (true, Some(postgres)) = (fresh, &postgres) {
            let since = Instant::now();
            // By now every image is on this daemon, and has the id that later starts find.
            Warm::of(self.docker, deployment, images).await?.keep(postgres, &all).await?;
            timings.push(("snapshot".to_owned(), since.elapsed()));
        }
        let (http, https) = (traefik.http, traefik.https);
        components.push(traefik.component);
        components.extend(postgres.map(|postgres| postgres.component));
        timings.push(("all".to_owned(), started.elapsed()));
        let names = components.iter().map(Component::name).chain(late.names().iter().copied());
        let lease = Lease {
            stack: labels.stack,
            deployment: deployment.name.clone(),
            pid: std::process::id(),
            fingerprint: fingerprint(deployment, self.options),
            http,
            https,
            ca: authority.ca,
            secrets: secrets.keep(),
            containers: names.map(|name| (name.to_owned(), lab.container(name))).collect(),
            setup,
            timings,
        };
        Ok(Started { lease, components, late, parts, authentik: in_process })
    }

    /// Copies the dynamic files, points them at the parts and starts Traefik with them.
    async fn traefik(
        &self,
        lab: &Lab,
        authority: &Authority,
        upstreams: &Upstreams,
    ) -> Result<(Traefik, Duration), StackError> {
        let (deployment, since) = (self.deployment, Instant::now());
        let (files, own) = (self.folder.path().join("traefik"), self.folder.path().join("traefik-own"));
        let prepare = || -> std::io::Result<()> {
            for folder in [&files, &own] {
                if folder.exists() {
                    std::fs::remove_dir_all(folder)?;
                }
                std::fs::create_dir(folder)?;
            }
            copy(&deployment.folder.join(&deployment.traefik.dynamic.value), &files)?;
            upstreams_at(&files, upstreams)
        };
        prepare().map_err(|error| failed("Traefik", &error))?;
        let routing = Routing::read(deployment, &files);
        let routing = routing.map_err(|problem| failed("Traefik", &problem))?;
        let routers: Vec<String> =
            routing.config().routers.iter().map(|router| router.name.clone()).collect();
        let mut hosts: Vec<_> = upstreams.keys().map(|(host, _)| (host.clone(), lab.gateway())).collect();
        hosts.dedup();
        let traefik = Traefik::start(
            lab,
            &TraefikSettings {
                image: &self.options.images.traefik,
                dynamic: &files,
                own: &own,
                certificate: (&authority.certificate, &authority.key),
                entry_points: &deployment.traefik.entry_points,
                throttle: deployment.traefik.throttle.as_ref().map(|throttle| throttle.0),
                hosts: &hosts,
                public: &deployment.hosts(),
                routers: &routers,
                ports: self.options.ports,
            },
        )
        .await?;
        Ok((traefik, since.elapsed()))
    }

    /// Starts the databases and then Authentik, which waits for their answers itself, as it does wherever it runs. In a
    /// `snapshot` the blueprints are applied, and neither the worker nor Redis is waited for: they come when the server is
    /// ready, or has had its time.
    async fn authentik(
        &self,
        lab: &Lab,
        snapshot: Option<String>,
        all: &StackSecrets,
    ) -> Result<Provider, StackError> {
        let (deployment, images) = (self.deployment, &self.options.images);
        let (alias, port) = host_and_port(&deployment.auth.upstream)
            .ok_or_else(|| failed("Authentik", &"`auth.upstream` names no host"))?;
        let postgres = PostgresSettings {
            image: snapshot.as_deref().unwrap_or(&images.postgres),
            user: DATABASE,
            password: &all.postgres_password,
            database: DATABASE,
        };
        let authentik = AuthentikSettings {
            image: images.authentik.name().unwrap_or_default(),
            alias: &alias,
            port,
            secret_key: &all.secret_key,
            bootstrap_password: &all.secrets.admin_token,
            bootstrap_token: &all.secrets.admin_token,
            postgres_host: &Postgres::host(lab),
            postgres_user: DATABASE,
            postgres_password: &all.postgres_password,
            postgres_name: DATABASE,
            redis_host: &redis_host(lab),
        };
        let fresh = snapshot.is_none();
        // One that has to be pulled first may fail, which is to be known at once.
        let redis_late = !fresh && self.docker.has(&images.redis).await;
        let (redis, worker) = (redis(lab, &images.redis), authentik_worker(lab, &authentik));
        let (redis, late_redis) = if redis_late { (None, Some(redis)) } else { (Some(redis), None) };
        let since = Instant::now();
        // Who dials a container whose network is not up yet is not heard, and dials again a second later.
        let redis = OptionFuture::from(redis.map(Planned::start)).map(Option::transpose);
        let (database, redis) = tokio::try_join!(Postgres::plan(lab, &postgres).start(), redis)?;
        let redis = OptionFuture::from(redis.map(redis_ready)).map(Option::transpose);
        let both = async {
            let server = AuthentikServer::plan(lab, &authentik).start();
            if fresh {
                let (server, worker) = tokio::try_join!(server, worker.start())?;
                let server = AuthentikServer::ready(server, lab, &authentik).await?;
                defaults_applied(&worker, server.address, &authentik, &defaults(deployment)).await?;
                return Ok((server, Some(worker), Late::default()));
            }
            let mut ready = pin!(AuthentikServer::ready(server.await?, lab, &authentik));
            // A server that takes its time may be waiting for them, as one that needs Redis does.
            let early = timeout(GRACE, &mut ready).await.ok().transpose()?;
            let late = Late::begin(late_redis.into_iter().chain([worker]).collect());
            let server = match early {
                Some(server) => server,
                None => ready.await?,
            };
            Ok((server, None, late))
        };
        let ((postgres, postgres_took), (redis, redis_took), ((server, worker, late), authentik_took)) = tokio::try_join!(
            timed(since, Postgres::ready(database, &postgres)),
            timed(since, redis),
            timed(since, both)
        )?;
        let mut timings =
            vec![("postgres".to_owned(), postgres_took), ("authentik".to_owned(), authentik_took)];
        timings.extend(redis.as_ref().map(|redis| (redis.name().to_owned(), redis_took)));
        let components = [Some(server.component), worker, redis].into_iter().flatten().collect();
        Ok(Provider { address: server.address, postgres: Some(postgres), components, late, timings, fresh })
    }
}

/// What a start comes to, and how long it took `since` it began.
pub(super) async fn timed<T>(
    since: Instant,
    start: impl Future<Output = Result<T, Error>>,
) -> Result<(T, Duration), StackError> {
    Ok((start.await?, since.elapsed()))
}

/// What the default blueprints must have made before `deployment` can be provisioned.
fn defaults(deployment: &Deployment) -> Defaults<'_> {
    let mut flows = provision::flows(deployment);
    flows.push(&deployment.auth.authentication_flow);
    flows.push(&deployment.auth.invalidation_flow);
    flows.sort_unstable();
    flows.dedup();
    let mut scopes: Vec<&str> = deployment
        .providers()
        .into_iter()
        .flat_map(|(_, provider)| provider.scopes.iter().map(|scope| scope.as_str()))
        .filter(|scope| provision::OWN_SCOPES.contains(scope))
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    Defaults { flows, scopes }
}

/// How long each component took, for people.
pub(crate) fn timeline(timings: &[(String, Duration)]) -> String {
    let parts = timings.iter().map(|(name, took)| format!("{name} {:.1} s", took.as_secs_f64()));
    parts.collect::<Vec<_>>().join(", ")
}
