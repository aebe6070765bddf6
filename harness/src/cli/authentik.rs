//! `ssoproof authentik`: the embedded Authentik as server and worker, with PostgreSQL as store.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use ssoproof_deployment::Problem;
use ssoproof_embedded::authentik::{Authentik, Profile, Settings, Store};
use ssoproof_embedded::logs::Logs;

use super::exit::Exit;
use super::place;
use crate::reports::out;
use crate::stacks::interrupted;

/// How often the worker says that it is alive.
const BEAT: Duration = Duration::from_secs(5);

/// One of Authentik's two programs, configured by the variables that Authentik reads.
#[derive(Clone, Debug, Args)]
pub(super) struct AuthentikOptions {
    /// Which program.
    #[arg(value_enum)]
    program: Program,
    /// Signs sessions; the same for server and worker.
    #[arg(long, env = "AUTHENTIK_SECRET_KEY", hide_env_values = true, value_name = "SECRET")]
    secret_key: SecretString,
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
    /// Used by Authentik up to 2025.8; ignored here, as by every later one.
    #[arg(long, env = "AUTHENTIK_REDIS__HOST", value_name = "HOST")]
    redis_host: Option<String>,
    /// Where the server listens.
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
    if options.secret_key.expose_secret().is_empty() {
        place::complain(Problem::new("AUTHENTIK_SECRET_KEY is empty"));
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
    let store = Store::new(config, logs.clone());
    let settings = Settings {
        bootstrap_token: options.bootstrap_token.expose_secret().to_owned(),
        bootstrap_password: options.bootstrap_password.expose_secret().to_owned(),
        state: None,
        store: Some(store.clone()),
        secret_key: options.secret_key.expose_secret().as_bytes().to_vec(),
        profile,
        logs: logs.clone(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            place::complain(Problem::new(format!("failed to start worker threads: {error}")));
            return Exit::Internal;
        }
    };
    let exit = runtime.block_on(async {
        tokio::select! {
            exit = async {
                match options.program {
                    Program::Server => serve(options.listen_http, settings, store, &logs).await,
                    Program::Worker => work(&settings, &store, &logs).await,
                }
            } => exit,
            () = interrupted() => Exit::Ok,
        }
    });
    runtime.shutdown_background();
    exit
}

async fn serve(address: SocketAddr, settings: Settings, store: Store, logs: &Logs) -> Exit {
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

async fn work(settings: &Settings, store: &Store, logs: &Logs) -> Exit {
    logs.write("authentik", "worker starting");
    let mut beat = tokio::time::interval(BEAT);
    loop {
        store.wait().await;
        let done = match store.apply_defaults(settings).await {
            Ok(()) => store.beat().await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            logs.write("authentik", format!("worker failed: {error}"));
        }
        beat.tick().await;
    }
}
