//! `ssoproof up --stack embedded`: a stack in this process, for a person to look at.

use std::fmt::Write as _;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use ssoproof_deployment::{Deployment, Problem};
use ssoproof_embedded::faults::Fault;

use super::args::Which;
use super::exit::Exit;
use super::place;
use super::threads::runtime;
use crate::reports::out;
use crate::stacks::{Embedded, Interruption, Stack as _, StackError};

/// Starts the stack, tells how to reach it, and holds it until the process is interrupted.
pub(super) fn show(which: &Which, fault: Option<&'static Fault>) -> Exit {
    held(which, fault).unwrap_or_else(|exit| exit)
}

fn held(which: &Which, fault: Option<&'static Fault>) -> Result<Exit, Exit> {
    let deployment = place::deployment(which).map_err(|problem| place::refuse(problem, Exit::Parse))?;
    let deployment = Arc::new(deployment);
    runtime()?.block_on(async {
        let failed = |error: StackError| place::refuse(Problem::new(error.to_string()), Exit::StackFailed);
        let stack = Embedded::start_with(deployment.clone(), fault).await.map_err(failed)?;
        let mut interruption = Interruption::listen().map_err(failed)?;
        let told = out(&told(&deployment, &stack, fault));
        if told != Exit::Ok {
            return Err(told);
        }
        interruption.came().await;
        Ok(Exit::Ok)
    })
}

/// How to reach the stack with a browser or `curl`, and who can sign in.
fn told(deployment: &Deployment, stack: &Embedded, fault: Option<&Fault>) -> String {
    let (http, https) = stack.entry_points();
    let mut text = format!("{}: plain on {http}, TLS on {https}\n", deployment.name);
    if let Some(fault) = fault {
        let _ = writeln!(text, "  fault    {}: {}", fault.name, fault.story);
        let _ = writeln!(text, "  breaks   {}, named by {}", fault.breaks, fault.diagnosis);
    }
    let width = deployment.personas.values().map(|persona| persona.username.chars().count());
    let width = width.max().unwrap_or_default();
    for (name, persona) in &deployment.personas {
        let Some(password) = stack.secrets().passwords.get(name) else { continue };
        let (user, password) = (persona.username.as_str(), password.expose_secret());
        let _ = writeln!(text, "  sign in  {user:<width$}  {password}");
    }
    let rules = format!("MAP *:80 {http}, MAP *:443 {https}");
    let _ = writeln!(
        text,
        "  chromium --user-data-dir=\"$(mktemp -d)\" --ignore-certificate-errors --host-resolver-rules='{rules}'"
    );
    let first =
        deployment.services.values().next().map_or(deployment.auth.url.as_str(), |one| one.url.as_str());
    let _ = writeln!(text, "  curl --insecure --connect-to ::{https} {first}/");
    text.push_str("interrupt to take it down\n");
    text
}
