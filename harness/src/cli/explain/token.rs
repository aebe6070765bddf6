//! `ssoproof explain token`.

use clap::Args;
use ssoproof_deployment::Problem;

use super::super::exit::Exit;
use super::super::place;
use crate::explain::input;
use crate::explain::token::{self, TokenQuestion};

/// The arguments of `explain token`.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The token, a file that holds it, or `-` for standard input, which keeps it out of the shell's history.
    token: String,
    /// The provider's JWKS: is there a key for the token, and does its signature stand?
    #[arg(long, value_name = "FILE")]
    jwks: Option<String>,
    /// The variable that holds the client secret, for a token that is signed with it.
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,
    /// The issuer that the token's recipient expects: `AUTHENTIK_HOST` with the application's path.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The client that the token should be for.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Explains the token, which goes nowhere.
pub(super) fn explain(options: &Options) -> Exit {
    let inline = options.token != "-" && options.token.starts_with("eyJ");
    let text = if inline { Ok(options.token.clone()) } else { input::text(&options.token) };
    let jwks = options.jwks.as_deref().map(input::json).transpose();
    let (text, jwks) = match text.and_then(|text| Ok((text, jwks?))) {
        Ok(read) => read,
        Err(error) => return super::unreadable(&error),
    };
    let secret = match &options.secret_env {
        None => None,
        Some(name) => match std::env::var(name) {
            Ok(secret) => Some(secret.into()),
            Err(_) => {
                place::complain(Problem::new(format!("variable `{name}` is not set")));
                return Exit::Usage;
            }
        },
    };
    let question = TokenQuestion {
        token: text,
        jwks,
        secret,
        issuer: options.issuer.clone(),
        client_id: options.client_id.clone(),
        now: super::now() as i64,
    };
    match token::explain(&question) {
        Ok(explanation) => super::print(&explanation, options.json),
        Err(what) => super::misshapen("the token", &what),
    }
}
