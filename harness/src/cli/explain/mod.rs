//! `ssoproof explain`: a diagnosis by its code, and the explainers, one file each.

mod code;
mod loops;
mod policies;
mod role;
mod token;

use std::fmt::Display;

use clap::{Args, Subcommand};
use serde::Serialize;
use ssoproof_deployment::Problem;

use super::exit::Exit;
use super::place;
use crate::explain::input::InputError;
use crate::reports::out;

/// The arguments of `explain`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ExplainOptions {
    /// The code of a diagnosis, `SSO-R01`; all of them are listed when left out.
    code: Option<String>,
    #[command(subcommand)]
    what: Option<What>,
}

/// What can be explained besides a code. Nothing is started or sent.
#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Explain which role Grafana gives for claims, and which part of the expression decides.
    Role(Box<role::Options>),
    /// Explain which policies MinIO gives for claims, or in which words it refuses.
    Policies(Box<policies::Options>),
    /// Explain whether a recording of a browser goes round, where it turns, and why.
    Loop(loops::Options),
    /// Explain what a token says, how long it is valid, and whether its signature stands.
    Token(token::Options),
}

/// Explains what is asked.
pub(super) fn explain(options: &ExplainOptions) -> Exit {
    match &options.what {
        None => code::explain(options.code.as_deref()),
        Some(What::Role(options)) => role::explain(options),
        Some(What::Policies(options)) => policies::explain(options),
        Some(What::Loop(options)) => loops::explain(options),
        Some(What::Token(options)) => token::explain(options),
    }
}

/// Prints an explanation as text or as JSON.
fn print<T: Serialize + Display>(explanation: &T, json: bool) -> Exit {
    if !json {
        return out(&explanation.to_string());
    }
    match serde_json::to_string_pretty(explanation) {
        Ok(text) => out(&format!("{text}\n")),
        Err(_) => Exit::Internal,
    }
}

/// Tells that something cannot be read.
fn unreadable(error: &InputError) -> Exit {
    place::complain(Problem::new(error.to_string()));
    Exit::Parse
}

/// Tells that `name` is not what it should be.
fn misshapen(name: &str, what: &str) -> Exit {
    place::complain(Problem::new(format!("`{name}` {what}")));
    Exit::Parse
}

/// The time, in seconds since 1970.
fn now() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1_000.0
}
