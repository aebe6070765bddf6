//! The arguments of every command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::authentik::AuthentikOptions;
use super::doctor::DoctorOptions;
use super::explain::ExplainOptions;
use super::init::InitOptions;
use super::stack::{ContainerArguments, EmbeddedArguments, Named, StackArguments, Started};
use super::traefik::TraefikOptions;
use crate::diff::Side;

/// Proves that single sign-on with Traefik and Authentik works, and explains what broke.
#[derive(Debug, Parser)]
#[command(name = "ssoproof", version, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 everything holds, 1 the harness broke, 2 usage, 3 a scenario or the \
deployment does not parse, 4 no case selected, 5 the stack failed to start, 100 a case failed, a change is breaking or the \
doctor has found an error, 101 a case passed \
that is expected to fail, 130 interrupted.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the scenarios and say what holds.
    Run(Box<RunOptions>),
    /// Start a stack that stays up: containers for later runs, or one in this process to look at.
    Up(UpOptions),
    /// Take the stack of containers down, and what dead processes left of others.
    Down(DownOptions),
    /// Say whether a stack of containers is up, and how to reach it.
    Status(Which),
    /// Hold a stack of containers for other processes.
    #[command(hide = true)]
    Hold(UpOptions),
    /// List the cases, without starting anything.
    List(Chosen),
    /// Read scenarios and look up every name in them, without starting anything.
    Check(Files),
    /// Run the scenarios under every fault of the catalogue, and say which of them no scenario catches.
    Faults(FaultsOptions),
    /// Run the same cases on two versions, or read saved runs, and say what differs and how bad that is.
    Diff(DiffOptions),
    /// Write a deployment down from Traefik files and, with a token, from what Authentik's API tells.
    Init(Box<InitOptions>),
    /// Look at Traefik files and settings for what is wrong, and try each finding on the embedded stack.
    Doctor(Box<DoctorOptions>),
    /// Explain a diagnosis, a role, policies, a loop or a token, or list the diagnoses.
    Explain(ExplainOptions),
    /// Print the JSON Schema of scenario files.
    Schema,
    /// Mend the files of Traefik's file provider.
    Traefik(TraefikOptions),
    /// Run the embedded Authentik as a server or worker of its own, with PostgreSQL as store.
    Authentik(AuthentikOptions),
}

/// Which deployment.
#[derive(Clone, Debug, Args)]
pub(super) struct Which {
    /// The deployment.yaml, or the folder that holds it. When none is named, the one that is there: in `.`, or under
    /// `scenarios/`, of several the one that says `default: true`.
    #[arg(long, short, env = "SSOPROOF_DEPLOYMENT", value_name = "PATH")]
    pub(super) deployment: Option<PathBuf>,
}

/// Which deployment, and which of its scenarios.
#[derive(Clone, Debug, Args)]
pub(super) struct Files {
    /// Scenario files or folders, or `library/…` for those that the program brings along; the folder of a deployment
    /// for all that it uses. Every scenario of the deployment when left out.
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) which: Which,
}

/// Which cases.
#[derive(Clone, Debug, Args)]
pub(super) struct Chosen {
    #[command(flatten)]
    pub(super) files: Files,
    /// Only cases with this text in their name; may be given more than once.
    #[arg(long, short, value_name = "TEXT")]
    pub(super) filter: Vec<String>,
    /// Only scenarios with this tag; may be given more than once.
    #[arg(long, short, value_name = "TAG")]
    pub(super) tag: Vec<String>,
    /// Only scenarios that prove this requirement: `LOGOUT-1`, or `LOGOUT` for all of them.
    #[arg(long, short, value_name = "ID")]
    pub(super) requirement: Vec<String>,
}

impl Chosen {
    /// Whether it leaves anything out.
    pub(super) fn narrows(&self) -> bool {
        let Self { files, filter, tag, requirement } = self;
        // The folder of a deployment stands for all that it uses.
        let part = files.paths.iter().any(|path| !path.join("deployment.yaml").is_file());
        part || !(filter.is_empty() && tag.is_empty() && requirement.is_empty())
    }
}

#[derive(Clone, Debug, Args)]
pub(super) struct RunOptions {
    #[command(flatten)]
    pub(super) chosen: Chosen,
    /// How many cases run at once [default: four for every core, four in all on a stack that is attached to].
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// Skip what has not begun once a case has failed.
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Run every case this many times.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) repeat: u32,
    /// Write every verdict with its evidence to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write a JUnit report to this file.
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Save what every case did to this file, for `ssoproof diff`.
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    // Last: its headings hold for every argument after them.
    #[command(flatten)]
    pub(super) stack: StackArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct FaultsOptions {
    #[command(flatten)]
    pub(super) chosen: Chosen,
    /// Only this fault; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub(super) fault: Vec<Named>,
    /// Name the faults and run nothing.
    #[arg(long)]
    pub(super) list: bool,
    /// Run every case under every fault, not only a case of each scenario and others where that leaves something open.
    #[arg(long)]
    pub(super) whole: bool,
    /// Write the checks that faults fail to `caught.yaml` beside the deployment; later runs ask for each of them.
    #[arg(long, conflicts_with_all = ["fault", "paths", "filter", "tag", "requirement"])]
    pub(super) accept: bool,
    /// Name the scenarios that each fault fails, the checks that none fails, and the cases that name another cause.
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// Write the matrix of faults and scenarios to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write the matrix of faults and scenarios to this file, as a page.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(super) struct DiffOptions {
    #[command(flatten)]
    pub(super) chosen: Chosen,
    /// The first side: versions, `authentik=2025.8,traefik=3.0`, or images, `authentik=registry/server:2025.12`, in place
    /// of the deployment's own; or a file that `ssoproof run --save` has written.
    #[arg(long, value_name = "SIDE")]
    pub(super) from: Side,
    /// The second side, in the same words.
    #[arg(long, value_name = "SIDE")]
    pub(super) to: Side,
    /// Where both sides run: `embedded` has versions of Authentik and Traefik, `containers` whatever has an image.
    #[arg(long, value_enum, default_value = "embedded", value_name = "KIND")]
    pub(super) stack: Started,
    /// Leave out the ledgers of the examples.
    #[arg(long)]
    pub(super) brief: bool,
    /// End with 100 when anything changed, not only when something broke.
    #[arg(long)]
    pub(super) strict: bool,
    /// Write the report with the ledgers of every example to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write the report to this file, as a page.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    // Last: its heading holds for every argument after it.
    #[command(flatten, next_help_heading = "Options for --stack containers")]
    pub(super) containers: ContainerArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct UpOptions {
    #[command(flatten)]
    pub(super) which: Which,
    /// Keep it until `ssoproof down`; without, it ends when nobody has used it for half an hour.
    #[arg(long)]
    pub(super) keep: bool,
    /// Where it runs: `containers`, unless a fault is named, or `embedded`, in this process, until it is interrupted.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(super) stack: Option<Started>,
    #[command(flatten)]
    pub(super) embedded: EmbeddedArguments,
    #[command(flatten)]
    pub(super) containers: ContainerArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct DownOptions {
    #[command(flatten)]
    pub(super) which: Which,
    /// Remove the deployment's database snapshots too.
    #[arg(long)]
    pub(super) snapshots: bool,
}
