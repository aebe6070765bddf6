//! `ssoproof authentik`: the embedded Authentik as server and worker, with PostgreSQL as store.

use std::env::VarError;
use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use ssoproof_deployment::Problem;
use ssoproof_embedded::authentik::{Authentik, Profile, Redis, Settings, Store, Worker};
use ssoproof_embedded::logs::Logs;

use super::exit::Exit;
use super::place;
use super::threads::worker_threads;
use crate::reports::out;
use crate::stacks::Interruption;

/// What `--help` says of the secrets.
const SECRETS: &str = "\
Secrets are read from the environment alone, for everybody on a machine sees the arguments of a process:
  AUTHENTIK_SECRET_KEY            Signs sessions; required, the same for server and worker
  AUTHENTIK_BOOTSTRAP_PASSWORD    The password of `akadmin` in a fresh database
  AUTHENTIK_BOOTSTRAP_TOKEN       An API token of `akadmin` in a fresh database
  AUTHENTIK_POSTGRESQL__PASSWORD  The password of the user who owns the database";

/// One of Authentik's two programs, configured by the variables that Authentik reads.
#[derive(Clone, Debug, Args)]
#[command(after_help = SECRETS)]
pub(super) struct AuthentikOptions {
    /// Which program.
    #[arg(value_enum)]
    program: Program,
    /// Where PostgreSQL answers.
    #[arg(long, env = "AUTHENTIK_POSTGRESQL__HOST", default_value = "localhost", value_name = "HOST")]
    postgresql_host: String,
    /// The port where PostgreSQL answers.
    #[arg(long, env = "AUTHENTIK_POSTGRESQL__PORT", default_value_t = 5432, value_name = "PORT")]
    postgresql_port: u16,
    /// The user who owns the database.
    #[arg(long, env = "AUTHENTIK_POSTGRESQL__USER", default_value = "authentik", value_name = "NAME")]
    postgresql_user: String,
    /// The database.
    #[arg(long, env = "AUTHENTIK_POSTGRESQL__NAME", default_value = "authentik", value_name = "NAME")]
    postgresql_name: String,
    /// Where Redis answers; only versions up to 2025.8 need it.
    #[arg(long, env = "AUTHENTIK_REDIS__HOST", default_value = "localhost", value_name = "HOST")]
    redis_host: String,
    /// The port where Redis answers.
    #[arg(long, env = "AUTHENTIK_REDIS__PORT", default_value_t = 6379, value_name = "PORT")]
    redis_port: u16,
    /// Where the server listens, and the worker answers for its health.
    #[arg(long, env = "AUTHENTIK_LISTEN__HTTP", default_value = "0.0.0.0:9000", value_name = "ADDRESS")]
    listen_http: SocketAddr,
    /// The version to behave as.
    #[arg(long, env = "SSOPROOF_AUTHENTIK_VERSION", default_value = "2026.2", value_name = "VERSION")]
    behave_as: String,
}

/// Authentik's two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Program {
    /// Answers requests.
    Server,
    /// Applies the default blueprints to a fresh database.
    Worker,
}

/// What no argument tells.
struct Secrets {
    key: SecretString,
    bootstrap_password: SecretString,
    bootstrap_token: SecretString,
    postgresql_password: SecretString,
}

impl Secrets {
    /// What the environment says; an error names the variable that is missing or no text.
    fn of_environment() -> Result<Self, Problem> {
        let secrets = Self {
            key: secret("AUTHENTIK_SECRET_KEY")?,
            bootstrap_password: secret("AUTHENTIK_BOOTSTRAP_PASSWORD")?,
            bootstrap_token: secret("AUTHENTIK_BOOTSTRAP_TOKEN")?,
            postgresql_password: secret("AUTHENTIK_POSTGRESQL__PASSWORD")?,
        };
        if secrets.key.expose_secret().is_empty() {
            return Err(Problem::new("`AUTHENTIK_SECRET_KEY` is not set"));
        }
        Ok(secrets)
    }
}

/// The value of a variable, empty when it is not set.
fn secret(variable: &str) -> Result<SecretString, Problem> {
    match std::env::var(variable) {
        Ok(value) => Ok(value.into()),
        Err(VarError::NotPresent) => Ok(SecretString::default()),
        Err(VarError::NotUnicode(_)) => Err(Problem::new(format!("`{variable}` is not UTF-8"))),
    }
}

/// Runs the program until it is told to end.
pub(super) fn authentik(options: &AuthentikOptions) -> Exit {
    let Some(profile) = Profile::of(&options.behave_as) else {
        place::complain(Problem::new(format!("Authentik {} is not modelled", options.behave_as)));
        return Exit::Usage;
    };
    let secrets = match Secrets::of_environment() {
        Ok(secrets) => secrets,
        Err(problem) => {
            place::complain(problem);
            return Exit::Usage;
        }
    };
    let logs = Logs::told(|component, line| {
        let now = jiff::Timestamp::now();
        // Nobody is left to tell when standard output is closed.
        out(&format!("{}\n", json!({ "timestamp": now, "logger": component, "event": line })));
    });
    let mut config = tokio_postgres::Config::new();
    config
        .host(&options.postgresql_host)
        .port(options.postgresql_port)
        .user(&options.postgresql_user)
        .password(secrets.postgresql_password.expose_secret())
        .dbname(&options.postgresql_name);
    let redis = Redis { host: options.redis_host.clone(), port: options.redis_port };
    let store = Store::with_redis(config, profile.needs_redis.then_some(redis), logs.clone());
    let settings = Settings {
        bootstrap_token: secrets.bootstrap_token.expose_secret().to_owned(),
        bootstrap_password: secrets.bootstrap_password.expose_secret().to_owned(),
        state: None,
        store: Some(store.clone()),
        secret_key: secrets.key.expose_secret().as_bytes().to_vec(),
        profile,
        logs: logs.clone(),
    };
    let runtime = match worker_threads() {
        Ok(runtime) => runtime,
        Err(problem) => {
            place::complain(problem);
            return Exit::Internal;
        }
    };
    let running = async {
        match options.program {
            Program::Server => serve(options.listen_http, settings, store, &logs).await,
            Program::Worker => work(options.listen_http, settings, store, &logs).await,
        }
    };
    let exit = runtime.block_on(async {
        let mut interruption = match Interruption::listen() {
            Ok(interruption) => interruption,
            Err(error) => return place::refuse(Problem::new(error.to_string()), Exit::Internal),
        };
        tokio::select! {
            exit = running => exit,
            () = interruption.came() => Exit::Ok,
        }
    });
    runtime.shutdown_background();
    exit
}

async fn serve(address: SocketAddr, settings: Settings, store: Store, logs: &Logs) -> Exit {
    logs.write("authentik", format!("server starting, as Authentik {}", settings.profile.version));
    let server = match Authentik::start_at(address, settings).await {
        Ok(server) => server,
        Err(error) => {
            place::complain(Problem::new(format!("failed to listen on {address}: {error}")));
            return Exit::StackFailed;
        }
    };
    logs.write("authentik", format!("listening on {}", server.address()));
    store.wait().await;
    std::future::pending().await
}

async fn work(address: SocketAddr, settings: Settings, store: Store, logs: &Logs) -> Exit {
    logs.write("authentik", format!("worker starting, as Authentik {}", settings.profile.version));
    let _worker = Worker::start_at(address, settings, store).await;
    std::future::pending().await
}
