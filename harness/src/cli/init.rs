//! `ssoproof init`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use ssoproof_deployment::Problem;
use url::Url;

use super::exit::Exit;
use super::place;
use super::threads::runtime;
use crate::init::{self, Api, Draft, InitError, Inputs, Written};
use crate::reports::out;
use crate::stacks::{AttachOptions, Resolve};

/// From what the deployment is written down.
#[derive(Clone, Debug, Args)]
pub(super) struct InitOptions {
    /// The folder of Traefik's file provider; deployment.yaml refers to it.
    #[arg(long, value_name = "DIR")]
    traefik: PathBuf,
    /// Authentik's URL: its API is asked for providers, applications, groups and users, with GET alone.
    #[arg(long, value_name = "URL", requires = "token_env")]
    authentik: Option<Url>,
    /// The variable that holds a token for Authentik's API, of a user who may read.
    #[arg(long, value_name = "NAME", requires = "authentik")]
    token_env: Option<String>,
    /// The folder to write deployment.yaml to; it is made when it is not there.
    #[arg(long, value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// What people call the deployment; the folder's name when left out.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Traefik's version; 3.6 when left out.
    #[arg(long, value_name = "VERSION")]
    traefik_version: Option<String>,
    /// Write files anew that are there already.
    #[arg(long)]
    force: bool,
    /// Where Authentik's host is instead of where DNS says: `auth.example.org=10.0.0.5:443`.
    #[arg(long, env = "SSOPROOF_RESOLVE", value_delimiter = ',', value_name = "HOST=ADDRESS:PORT")]
    resolve: Vec<Resolve>,
    /// CAs to trust beside the system's, PEM.
    #[arg(long, env = "SSOPROOF_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Writes a deployment down.
pub(super) fn init(options: &InitOptions) -> Exit {
    initialised(options).unwrap_or_else(|exit| exit)
}

fn initialised(options: &InitOptions) -> Result<Exit, Exit> {
    let authentik = api(options).map_err(|problem| place::refuse(problem, Exit::Usage))?;
    let inputs = Inputs {
        traefik: options.traefik.clone(),
        output: options.output.clone(),
        name: options.name.clone(),
        traefik_version: options.traefik_version.clone(),
        authentik,
    };
    let draft = runtime()?.block_on(init::draft(&inputs)).map_err(|error| match error {
        InitError::Problem(problem) => place::refuse(problem, Exit::Parse),
        InitError::Stack(error) => place::refuse(Problem::new(error.to_string()), Exit::StackFailed),
    })?;
    let written =
        init::write(&draft, options.force).map_err(|problem| place::refuse(problem, Exit::Usage))?;
    Ok(out(&told(&draft, &written, options)))
}

fn api(options: &InitOptions) -> Result<Option<Api>, Problem> {
    let (Some(url), Some(name)) = (&options.authentik, &options.token_env) else { return Ok(None) };
    let token = std::env::var(name).ok().filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Problem::new(format!("there is no token in the variable `{name}`")))?;
    let attach = AttachOptions {
        resolve: options.resolve.clone(),
        ca: options.ca.clone(),
        ..AttachOptions::default()
    };
    Ok(Some(Api { url: url.clone(), token: SecretString::from(token), attach }))
}

/// What was written, and what is next.
fn told(draft: &Draft, written: &Written, options: &InitOptions) -> String {
    let counts = draft.counts().map(|(count, what)| many(count, what)).join(", ");
    let mut text = format!("{}: {counts}\n", written.deployment.display());
    let _ = writeln!(
        text,
        "  library   {} fit, {} of it do not: `ssoproof list` says why",
        many(draft.cases(), "case"),
        many(draft.left_out(), "scenario")
    );
    if let Some(file) = &written.failures {
        let _ = writeln!(
            text,
            "  failing   {} today: look at {}",
            many(draft.failing(), "entry").replace("entrys", "entries"),
            file.display()
        );
    }
    if draft.decisions() > 0 {
        let _ = writeln!(
            text,
            "  decide    {}: look for `Decide:` in the file",
            many(draft.decisions(), "thing")
        );
    }
    let folder = options.output.display().to_string();
    let here = if folder == "." { String::new() } else { format!(" {folder}") };
    let _ = writeln!(text, "  next      ssoproof run{here}");
    text
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
