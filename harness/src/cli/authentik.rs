//! `ssoproof authentik`: the embedded Authentik as server and worker, with PostgreSQL as store.

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
use crate::stacks::interrupted;

/// One of Authentik's two programs, configured by the variables that Authentik reads.
#[derive(Clone, Debug, Args)]
pub(super) struct AuthentikOptions {
    /// Which program.
    #[arg(value_enum)]
    program: Program,
    /// Signs sessions; the same for server and worker.
    #[arg(long, env = "AUTHENTIK_SECRET_KEY", hide_env_values = true, value_name = "SECRET")]
    secret_key: Option<SecretString>,
    /// The password of `akadmin` in a fresh database.
    #[arg(
        long,
        env = "AUTHENTIK_BOOTSTRAP_PASSWORD",
        hide_env_values = true,
        default_value = "",
        value_name = "SECRET"
    )]
    bootstrap_password: SecretString,
    /// An API token of `akadmin` in a fresh database.
    #[arg(
        long,
        env = "AUTHENTIK_BOOTSTRAP_TOKEN",
        hide_env_values = true,
        default_value = "",
        value_name = "SECRET"
    )]
    bootstrap_token: SecretString,
    /// Where PostgreSQL answers.
    #[arg(long, env = "AUTHENTIK_POSTGRESQL__HOST", default_value = "localhost", value_name = "HOST")]
    postgresql_host: String,
    /// The port where PostgreSQL answers.
    #[arg(long, env = "AUTHENTIK_POSTGRESQL__PORT", default_value_t = 5432, value_name = "PORT")]
    postgresql_port: u16,
    /// The user who owns the database.
    #[arg(long, env = "AUTHENTIK_POSTGRESQL__USER", default_value = "authentik", value_name = "NAME")]
    postgresql_user: String,
    /// The user's password.
    #[arg(
        long,
        env = "AUTHENTIK_POSTGRESQL__PASSWORD",
        hide_env_values = true,
        default_value = "",
        value_name = "SECRET"
    )]
    postgresql_password: SecretString,
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

/// Runs the program until it is told to end.
pub(super) fn authentik(options: &AuthentikOptions) -> Exit {
    let Some(profile) = Profile::of(&options.behave_as) else {
        place::complain(Problem::new(format!("Authentik {} is not modelled", options.behave_as)));
        return Exit::Usage;
    };
    let secret_key = options.secret_key.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
    if secret_key.is_empty() {
        place::complain(Problem::new("`AUTHENTIK_SECRET_KEY` is not set"));
        return Exit::Usage;
    }
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
        .password(options.postgresql_password.expose_secret())
        .dbname(&options.postgresql_name);
    let redis = Redis { host: options.redis_host.clone(), port: options.redis_port };
    let store = Store::with_redis(config, profile.needs_redis.then_some(redis), logs.clone());
    let settings = Settings {
        bootstrap_token: options.bootstrap_token.expose_secret().to_owned(),
        bootstrap_password: options.bootstrap_password.expose_secret().to_owned(),
        state: None,
        store: Some(store.clone()),
        secret_key: secret_key.as_bytes().to_vec(),
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
        tokio::select! {
            exit = running => exit,
            () = interrupted() => Exit::Ok,
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
