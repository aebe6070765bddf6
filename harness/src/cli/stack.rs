//! Which stack a command works with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Parser, ValueEnum};
use secrecy::SecretString;
use ssoproof_containers::Image;
use ssoproof_deployment::{Deployment, Problem, suggestion};
use ssoproof_embedded::faults::{self, Fault};
use url::Url;

use crate::doctor::LiveOptions;
use crate::stacks::{AttachOptions, ContainerOptions, Resolve, StackChoice};

/// The kind of stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// In this process.
    #[default]
    Embedded,
    /// In Docker containers.
    Containers,
    /// Set up by others: the deployment's own URLs.
    Attach,
}

/// The kinds of stack that a command starts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Started {
    /// In Docker containers.
    Containers,
    /// In this process.
    Embedded,
}

/// Who serves Authentik in a stack of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Served {
    /// A container.
    Container,
    /// This process.
    Embedded,
}

/// How the stack in this process is made.
#[derive(Clone, Debug, Args)]
pub(super) struct EmbeddedArguments {
    /// Switch this fault on; `ssoproof faults --list` names them all.
    #[arg(long, value_name = "NAME")]
    pub(super) fault: Option<Named>,
}

/// A fault by its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named(pub(super) &'static Fault);

impl FromStr for Named {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        faults::find(name).map(Self).ok_or_else(|| {
            let names: Vec<&str> = faults::all().map(|fault| fault.name).collect();
            let near = suggestion(name, &names).map(|near| format!("; {near}")).unwrap_or_default();
            format!("there is no such fault{near}")
        })
    }
}

/// How containers are started.
#[derive(Clone, Debug, Args)]
pub(super) struct ContainerArguments {
    /// Start without the database snapshot of an earlier start.
    #[arg(long)]
    pub(super) cold: bool,
    /// Who serves Authentik behind the real Traefik.
    #[arg(long, value_enum, default_value = "container", value_name = "BY")]
    pub(super) authentik: Served,
    /// The loopback port for Traefik's plain entry point; 0 means a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) http_port: u16,
    /// The loopback port for Traefik's TLS entry point; 0 means a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) https_port: u16,
}

impl ContainerArguments {
    /// The options for `deployment`, images from `deployment.yaml` and the environment.
    pub(super) fn options(&self, deployment: &Deployment) -> Result<ContainerOptions, Problem> {
        self.options_besides(deployment, &[])
    }

    /// The same, with the images of the components `stated` from `deployment.yaml` alone.
    pub(super) fn options_besides(
        &self,
        deployment: &Deployment,
        stated: &[&str],
    ) -> Result<ContainerOptions, Problem> {
        let mut options = ContainerOptions::of_environment(deployment, stated).map_err(Problem::new)?;
        if self.authentik == Served::Embedded {
            options.images.authentik = Image::Embedded;
        }
        Ok(ContainerOptions { cold: self.cold, ports: (self.http_port, self.https_port), ..options })
    }

    /// The same arguments, for another process.
    pub(super) fn again(&self) -> Vec<String> {
        let mut again =
            vec![format!("--http-port={}", self.http_port), format!("--https-port={}", self.https_port)];
        if self.cold {
            again.push("--cold".to_owned());
        }
        if self.authentik == Served::Embedded {
            again.push("--authentik=embedded".to_owned());
        }
        again
    }
}

/// How a stack that others have set up is reached.
#[derive(Clone, Debug, Args)]
pub(super) struct AttachArguments {
    /// Where a host is instead of where DNS says: `auth.example.org=10.0.0.5:443`, `*.example.org=…`, `*=…`; for one
    /// port only `HOST:80=…`. May be given more than once.
    #[arg(long, env = "SSOPROOF_RESOLVE", value_delimiter = ',', value_name = "HOST=ADDRESS:PORT")]
    resolve: Vec<Resolve>,
    /// CAs to trust beside the system's, PEM.
    #[arg(long, env = "SSOPROOF_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A file with `api_token`, `passwords` by persona and `client_secrets` by client id, readable by its owner alone;
    /// SSOPROOF_API_TOKEN, SSOPROOF_PASSWORD_<PERSONA> and SSOPROOF_CLIENT_SECRET_<CLIENT_ID> go before it.
    #[arg(long, env = "SSOPROOF_SECRETS", value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// Make the deployment in its Authentik first, which is fresh: groups, users, applications, providers. Passwords
    /// and client secrets that are not known are made, and kept in the file of `--secrets`.
    #[arg(long)]
    provision: bool,
    /// Take the routers from Traefik's API instead of the deployment's files.
    #[arg(long, env = "SSOPROOF_TRAEFIK_API", value_name = "URL")]
    traefik_api: Option<Url>,
    /// The folder of Traefik's file provider, on this machine: where the deployment allows `deploy` or `traefik_file`,
    /// files in it are rewritten, and put back after each case.
    #[arg(long, env = "SSOPROOF_TRAEFIK_FOLDER", value_name = "FOLDER", conflicts_with = "traefik_api")]
    traefik_folder: Option<PathBuf>,
    /// Serve probes here, in place of every service whose URL the gateway sends here.
    #[arg(long, env = "SSOPROOF_PROBE_LISTEN", value_name = "ADDRESS:PORT")]
    probe_listen: Option<SocketAddr>,
}

impl AttachArguments {
    fn options(&self) -> AttachOptions {
        AttachOptions {
            resolve: self.resolve.clone(),
            ca: self.ca.clone(),
            secrets: self.secrets.clone(),
            provision: self.provision,
            traefik_api: self.traefik_api.clone(),
            traefik_folder: self.traefik_folder.clone(),
            probe_listen: self.probe_listen,
        }
    }
}

/// How the doctor reaches what runs.
#[derive(Clone, Debug, Args)]
pub(super) struct ReachArguments {
    /// Where a host is instead of where DNS says: `auth.example.org=10.0.0.5:443`, `*.example.org=…`, `*=…`; for one
    /// port only `HOST:80=…`. May be given more than once.
    #[arg(long, env = "SSOPROOF_RESOLVE", value_delimiter = ',', value_name = "HOST=ADDRESS:PORT")]
    resolve: Vec<Resolve>,
    /// CAs to trust beside the system's, PEM.
    #[arg(long, env = "SSOPROOF_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Where Traefik's API answers.
    #[arg(long, env = "SSOPROOF_TRAEFIK_API", value_name = "URL")]
    traefik_api: Option<Url>,
    /// The variable that holds a token for Authentik's API: what is set up there is looked at then, and versions.
    #[arg(long, value_name = "NAME")]
    authentik_token_env: Option<String>,
}

impl ReachArguments {
    /// The options, with the token of the variable that is named.
    pub(super) fn options(&self) -> Result<LiveOptions, Problem> {
        let attach = AttachOptions {
            resolve: self.resolve.clone(),
            ca: self.ca.clone(),
            traefik_api: self.traefik_api.clone(),
            ..AttachOptions::default()
        };
        let token = self.authentik_token_env.as_ref().map(|name| {
            let token = std::env::var(name).ok().filter(|token| !token.is_empty());
            token
                .map(SecretString::from)
                .ok_or_else(|| Problem::new(format!("there is no token in the variable `{name}`")))
        });
        Ok(LiveOptions { attach, token: token.transpose()? })
    }
}

/// Which stack a run works with.
#[derive(Clone, Debug, Args)]
pub(super) struct StackArguments {
    /// Your own command that keeps the middleware on the Traefik files, for the scenarios that try it: run by `sh -c`
    /// with the folder as `$1` while files are rewritten, and ended with its process group.
    #[arg(long, env = "SSOPROOF_PATCH_COMMAND", value_name = "COMMAND")]
    pub(super) patch_command: Option<String>,
    /// Where the cases run. A stack of containers that is up is used; else one is started, and removed afterwards. One
    /// that is attached to is only read, but for what the deployment allows.
    #[arg(long, value_enum, env = "SSOPROOF_STACK", default_value = "embedded", value_name = "KIND")]
    pub(super) stack: Kind,
    #[command(flatten, next_help_heading = "Options for --stack embedded")]
    pub(super) embedded: EmbeddedArguments,
    #[command(flatten, next_help_heading = "Options for --stack containers")]
    pub(super) containers: ContainerArguments,
    #[command(flatten, next_help_heading = "Options for --stack attach")]
    pub(super) attach: AttachArguments,
}

impl StackArguments {
    /// An argument that was typed, and the kind of stack it is for, when that is not the one that is asked for.
    pub(super) fn misplaced(&self, given: &ArgMatches) -> Option<(String, &'static str)> {
        let of = |kind: Kind, word: &'static str, arguments: clap::Command| {
            let typed = |name: &str| given.value_source(name) == Some(ValueSource::CommandLine);
            let found = arguments.get_arguments().find(|argument| typed(argument.get_id().as_str()))?;
            (self.stack != kind).then(|| (found.get_long().unwrap_or_default().to_owned(), word))
        };
        let none = || clap::Command::new("arguments");
        of(Kind::Embedded, "embedded", EmbeddedArguments::augment_args(none()))
            .or_else(|| of(Kind::Containers, "containers", ContainerArguments::augment_args(none())))
            .or_else(|| of(Kind::Attach, "attach", AttachArguments::augment_args(none())))
    }

    /// The kind of stack with its options. What is said of `deployment` on the command line goes into it.
    pub(super) fn choice(&self, deployment: &mut Deployment) -> Result<StackChoice, Problem> {
        deployment.patch_command.clone_from(&self.patch_command);
        match self.stack {
            Kind::Embedded => Ok(StackChoice::Embedded(self.embedded.fault.map(|Named(fault)| fault))),
            Kind::Containers => Ok(StackChoice::Containers(Box::new(self.containers.options(deployment)?))),
            Kind::Attach => Ok(StackChoice::Attach(Box::new(self.attach.options()))),
        }
    }
}

/// The stack that the variables `SSOPROOF_…` say, for a program that has no arguments of its own for it.
pub(crate) fn choice_of_environment(deployment: &mut Deployment) -> Result<StackChoice, Problem> {
    #[derive(Parser)]
    struct Variables {
        #[command(flatten)]
        stack: StackArguments,
    }
    let variables = Variables::try_parse_from(["variables"]);
    variables.map_err(|error| Problem::new(error.to_string().trim_end().to_owned()))?.stack.choice(deployment)
}

/// How long a stack is kept while nobody uses it, unless it shall be kept.
pub(super) const IDLE: Duration = Duration::from_secs(30 * 60);
