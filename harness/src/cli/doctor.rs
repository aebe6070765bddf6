//! `ssoproof doctor`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::place;
use super::stack::ReachArguments;
use super::threads::runtime;
use crate::doctor::{self, Examination, Inputs, Severity};
use crate::reports::{colours_on_stdout, out};

/// What to look at.
#[derive(Clone, Debug, Args)]
pub(super) struct DoctorOptions {
    /// The deployment.yaml, or the folder that holds it; found under `.` or `scenarios/` when there is only one and no
    /// folder of Traefik files is named.
    #[arg(env = "SSOPROOF_DEPLOYMENT", value_name = "DEPLOYMENT")]
    deployment: Option<PathBuf>,
    /// The folder of Traefik's file provider; the deployment's when left out.
    #[arg(long, value_name = "DIR")]
    traefik: Option<PathBuf>,
    /// Hosts that have to be protected, beside those of the deployment or the files; with commas, or more than once.
    #[arg(long, value_delimiter = ',', value_name = "HOST")]
    hosts: Vec<String>,
    /// A router that is meant to be open, a webhook's for example; may be given more than once.
    #[arg(long, value_name = "ROUTER")]
    open: Vec<String>,
    /// Traefik's version; the deployment's, or 3.6, when left out.
    #[arg(long, value_name = "VERSION")]
    traefik_version: Option<String>,
    /// Traefik's static configuration, YAML: whom its entry points believe.
    #[arg(long = "static", value_name = "FILE")]
    static_config: Option<PathBuf>,
    /// Grafana's settings: an env file with GF_*, or grafana.ini.
    #[arg(long, value_name = "FILE")]
    grafana: Option<PathBuf>,
    /// MinIO's settings: an env file with MINIO_IDENTITY_OPENID_*.
    #[arg(long, value_name = "FILE")]
    minio: Option<PathBuf>,
    /// What is set up in Authentik: a blueprint (YAML), or what its API says (JSON).
    #[arg(long, value_name = "FILE")]
    authentik: Option<PathBuf>,
    /// Try findings on this Traefik, a program of this machine, in place of the embedded gateway. A copy of the files is
    /// used, in which every URL is turned to loopback.
    #[arg(long, value_name = "FILE")]
    traefik_bin: Option<PathBuf>,
    /// Ask what runs as well, with GET alone.
    #[arg(long)]
    live: bool,
    /// Write the report as JSON to this file, or to standard output for `-`.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as SARIF 2.1.0 to this file.
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    // Last: its heading holds for every argument after it.
    #[command(flatten, next_help_heading = "Options for --live")]
    reach: ReachArguments,
}

/// Examines, and tells what was found.
pub(super) fn doctor(options: &DoctorOptions) -> Exit {
    examined(options).unwrap_or_else(|exit| exit)
}

fn examined(options: &DoctorOptions) -> Result<Exit, Exit> {
    let deployment = match (&options.deployment, &options.traefik) {
        (None, None) => {
            Some(place::only_one(Path::new(".")).map_err(|problem| place::refuse(problem, Exit::Parse))?)
        }
        (given, _) => given.clone(),
    };
    let inputs = Inputs {
        deployment,
        traefik: options.traefik.clone(),
        hosts: options.hosts.clone(),
        open: options.open.clone(),
        traefik_version: options.traefik_version.clone(),
        static_config: options.static_config.clone(),
        grafana: options.grafana.clone(),
        minio: options.minio.clone(),
        authentik: options.authentik.clone(),
        traefik_bin: options.traefik_bin.clone(),
    };
    let live = options.live.then(|| options.reach.options()).transpose();
    let live = live.map_err(|problem| place::refuse(problem, Exit::Usage))?;
    let examination =
        runtime()?.block_on(doctor::examine(&inputs, live.as_ref())).map_err(|error| match error {
            doctor::DoctorError::Problem(problem) => place::refuse(problem, Exit::Parse),
            doctor::DoctorError::Stack(error) => {
                place::refuse(ssoproof_deployment::Problem::new(error.to_string()), Exit::StackFailed)
            }
        })?;
    let json = || format!("{:#}\n", doctor::json(&examination));
    let to_stdout = options.json.as_deref() == Some(Path::new("-"));
    place::write_report(options.json.as_deref().filter(|_| !to_stdout), json)?;
    place::write_report(options.sarif.as_deref(), || format!("{:#}\n", doctor::sarif(&examination)))?;
    let written = if to_stdout { json() } else { doctor::text(&examination, colours_on_stdout()) };
    Ok(match out(&written) {
        Exit::Ok => verdict(&examination),
        exit => exit,
    })
}

/// An error that holds fails; what does not reproduce counts for nothing.
fn verdict(examination: &Examination) -> Exit {
    if examination.count(Severity::Error) > 0 { Exit::CaseFailed } else { Exit::Ok }
}
