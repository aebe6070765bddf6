//! `ssoproof explain policies`.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use serde::Deserialize;
use ssoproof_deployment::Problem;
use ssoproof_embedded::minio::{OpenId, Request, builtin};

use super::super::args::Which;
use super::super::exit::Exit;
use super::super::place;
use crate::explain::input::{self, InputError};
use crate::explain::policies::{self, PoliciesQuestion};

/// The arguments of `explain policies`.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The id token or its claims: a JWT, or JSON; `-` reads standard input. Without it the configuration is checked.
    #[arg(long, value_name = "FILE")]
    claims: Option<String>,
    /// What the userinfo endpoint answered; given, MinIO is taken to have claim_userinfo on.
    #[arg(long, value_name = "FILE")]
    userinfo: Option<String>,
    /// MINIO_IDENTITY_OPENID_CLAIM_NAME; the deployment's when left out.
    #[arg(long, value_name = "NAME")]
    claim_name: Option<String>,
    /// MINIO_IDENTITY_OPENID_CLIENT_ID; the deployment's when left out.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// MINIO_IDENTITY_OPENID_ROLE_POLICY.
    #[arg(long, value_name = "NAMES")]
    role_policy: Option<String>,
    /// MINIO_IDENTITY_OPENID_SCOPES.
    #[arg(long, value_name = "SCOPES")]
    scopes: Option<String>,
    /// A whole provider instead, as JSON with the keys client_id, claim_name, role_policy and scopes; may be given
    /// more than once.
    #[arg(long, value_name = "JSON", conflicts_with_all = ["claim_name", "client_id", "role_policy", "scopes"])]
    provider: Vec<String>,
    /// The policies there are: names with commas between them and no others, or a folder of `NAME.json` besides the
    /// built-in ones; the deployment's and the built-in ones when left out.
    #[arg(long, value_name = "NAMES|DIR")]
    policies: Option<String>,
    /// RoleArn of the request.
    #[arg(long, value_name = "ARN", default_value = "", hide_default_value = true)]
    role_arn: String,
    /// DurationSeconds of the request.
    #[arg(long, value_name = "SECONDS", default_value = "", hide_default_value = true)]
    duration: String,
    /// The provider's JWKS: the token's signature and times are then verified as MinIO does.
    #[arg(long, value_name = "FILE")]
    jwks: Option<String>,
    /// The variable that holds the client secret, for tokens that are signed with it.
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

/// A provider on the command line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Provider {
    client_id: String,
    claim_name: String,
    role_policy: Option<String>,
    scopes: String,
}

/// Explains the policies.
pub(super) fn explain(options: &Options) -> Exit {
    let question = match question(options) {
        Ok(question) => question,
        Err(problem) => {
            place::complain(problem);
            return Exit::Parse;
        }
    };
    super::print(&policies::explain(&question), options.json)
}

fn question(options: &Options) -> Result<PoliciesQuestion, Problem> {
    let unreadable = |error: InputError| Problem::new(error.to_string());
    let whole = !options.provider.is_empty() && options.policies.is_some();
    let given = options.claim_name.is_some() && options.client_id.is_some() && options.policies.is_some();
    let deployment = if whole || given { None } else { Some(place::deployment(&options.which)?) };
    let minio = deployment.as_ref().and_then(|deployment| deployment.apps.minio.as_ref());
    let secret = options.secret_env.as_ref().and_then(|name| std::env::var(name).ok()).unwrap_or_default();
    let mut providers = Vec::new();
    for text in &options.provider {
        let provider: Provider = serde_json::from_str(text)
            .map_err(|error| Problem::new(format!("`--provider {text}` is no provider: {error}")))?;
        providers.push(OpenId {
            client_id: provider.client_id,
            claim_name: provider.claim_name,
            role_policy: provider.role_policy,
            scopes: provider.scopes,
            ..OpenId::default()
        });
    }
    if providers.is_empty() {
        let claim = minio.map(|minio| minio.claim_name.to_string());
        let claim = options.claim_name.clone().or_else(|| claim.filter(|_| options.role_policy.is_none()));
        let client = minio.map(|minio| minio.provider.client_id.clone());
        providers.push(OpenId {
            client_id: options.client_id.clone().or(client).unwrap_or_default(),
            claim_name: claim.unwrap_or_default(),
            role_policy: options.role_policy.clone(),
            scopes: options.scopes.clone().unwrap_or_default(),
            ..OpenId::default()
        });
    }
    for provider in &mut providers {
        provider.client_secret.clone_from(&secret);
        provider.claim_userinfo = options.userinfo.is_some();
    }
    let builtin = || builtin::policies().into_keys();
    let known: BTreeSet<String> = match &options.policies {
        Some(folder) if Path::new(folder).is_dir() => builtin().chain(names_in(Path::new(folder))?).collect(),
        Some(names) => names.split(',').map(|name| name.trim().to_owned()).collect(),
        None => builtin().chain(minio.into_iter().flat_map(|minio| minio.policies.keys().cloned())).collect(),
    };
    let text = options.claims.as_deref().map(input::text).transpose().map_err(unreadable)?;
    let text = text.map(|text| text.trim().to_owned());
    let token = text.clone().filter(|text| !text.starts_with('{'));
    // A token that cannot be read is for MinIO to refuse.
    let claims = match (&text, &token) {
        (Some(text), None) => {
            let value =
                input::parse_claims(text).map_err(|what| Problem::new(format!("the claims: {what}")))?;
            Some(input::object("claims", value).map_err(unreadable)?)
        }
        (Some(text), Some(_)) => input::parse_claims(text).ok().and_then(|value| value.as_object().cloned()),
        (None, _) => None,
    };
    let userinfo = match &options.userinfo {
        Some(name) => Some(input::object(name, input::json(name).map_err(unreadable)?).map_err(unreadable)?),
        None => None,
    };
    Ok(PoliciesQuestion {
        providers,
        claims,
        token,
        jwks: options.jwks.as_deref().map(input::json).transpose().map_err(unreadable)?,
        request: Request { role_arn: options.role_arn.clone(), duration: options.duration.clone(), userinfo },
        policies: known,
        now: super::now(),
    })
}

/// The names of the policies in a folder: those of its `.json` files.
fn names_in(folder: &Path) -> Result<Vec<String>, Problem> {
    let failed = |error: std::io::Error| Problem::new(format!("cannot read `{}`: {error}", folder.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    Ok(names)
}
