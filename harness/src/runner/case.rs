//! One case, from its first step to its verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use secrecy::ExposeSecret as _;
use serde_json::Value;
use ssoproof_deployment::{Deployment, Located, Place, Source};

use super::outcome::{CaseOutcome, StepFigure, StepFinding, StepRisk};
use super::verdict::Verdict;
use crate::agent::{Agent, Limits};
use crate::checks::{self, json::search};
use crate::diagnoses::{self, Subject};
use crate::evidence::{Ledger, parameter};
use crate::scenario::{Case, PlannedStep};
use crate::stacks::Stack;
use crate::steps::{ActorState, Capture, Seen, StepError, World};

/// The most log lines of a component that are kept with a case.
const LOG_LINES: usize = 200;

/// Why a case ended before its last step.
struct Broken {
    source: Source,
    place: Place,
    reason: String,
    /// Whether it is the stack that lacks something.
    unsupported: bool,
}

/// What the steps of a case have shown.
#[derive(Default)]
struct Found {
    findings: Vec<StepFinding>,
    risks: Vec<StepRisk>,
    figures: Vec<StepFigure>,
}

/// Why `stack` is none for `case`, when it is not.
pub(crate) fn unsupported(case: &Case, stack: &dyn Stack) -> Option<String> {
    if let Some(need) = case.scenario.file.needs.iter().find(|need| !stack.offers(need.value)) {
        return Some(format!("the {} stack does not offer `{}`", stack.kind(), need.value.word()));
    }
    let verb = case.mutations().into_iter().find(|verb| !stack.permits(verb))?;
    Some(format!("`{verb}` changes the stack, which is only read: list it under `allow:` in deployment.yaml"))
}

/// Runs `case` against `stack`, which is one for it.
pub async fn run_case(
    case: Arc<Case>,
    round: usize,
    deployment: &Deployment,
    stack: &dyn Stack,
) -> CaseOutcome {
    let started = Instant::now();
    let mut world = world(&case, deployment, stack);
    let mut found = Found::default();
    let mut broken = walk(&case.scenario.steps, &mut world, &mut found).await.err();
    let closing = walk(&case.scenario.always, &mut world, &mut found).await;
    let Found { mut findings, risks, figures } = found;
    broken = broken.or(closing.err());
    let World { mut ledger, .. } = world;

    findings.sort_by_key(|finding| !finding.must);
    if ledger.turning.is_none() {
        ledger.turning = findings.first().and_then(|finding| finding.finding.hop);
    }
    let failed = findings.iter().any(|finding| finding.must);
    let verdict = match (&broken, failed, findings.is_empty(), &case.expect_failure) {
        (Some(Broken { unsupported: true, .. }), false, _, _) => Verdict::Unsupported,
        (Some(_), false, _, _) => Verdict::Error,
        (_, true, _, Some(_)) => Verdict::ExpectedFailure,
        (_, true, _, None) => Verdict::Failed,
        (_, _, _, Some(_)) => Verdict::UnexpectedPass,
        (_, _, false, None) => Verdict::Warned,
        (_, _, true, None) => Verdict::Passed,
    };
    let (diagnoses, logs) = if matches!(verdict, Verdict::Passed | Verdict::Unsupported) {
        (Vec::new(), Vec::new())
    } else {
        // What the scenario has broken itself explains nothing.
        if case.reach().faults() {
            let _ = stack.switch_fault(None);
        }
        let logs = stack.logs(LOG_LINES).await;
        let (traefik, unprovoked) = (stack.traefik_files(), ledger.unprovoked());
        let subject = Subject::new(deployment, traefik, &logs, &case, &findings, &unprovoked);
        (diagnoses::examine(&subject), logs)
    };
    let mut outcome = CaseOutcome::untried(case, round, verdict).with_secrets(stack.secrets().clone());
    outcome.findings = findings;
    outcome.risks = risks;
    outcome.figures = figures;
    if let Some(broken) = broken {
        outcome.reason = Some(broken.reason);
        outcome.reason_at = Some((broken.source, broken.place));
    }
    outcome.diagnoses = diagnoses;
    outcome.ledger = ledger;
    outcome.logs = logs;
    outcome.took = started.elapsed();
    outcome
}

fn world<'a>(case: &Case, deployment: &'a Deployment, stack: &'a dyn Stack) -> World<'a> {
    let actors: BTreeMap<String, ActorState> = case
        .actors
        .iter()
        .map(|actor| {
            let agent = Agent::new(actor.name.clone(), stack.client(), Limits::default());
            let state = ActorState { agent, persona: actor.persona.clone(), tokens: None, credentials: None };
            (actor.name.clone(), state)
        })
        .collect();
    let ledger = Ledger { backends: stack.backends(), ..Ledger::default() };
    let began = SystemTime::now();
    World { deployment, stack, scope: case.scope.clone(), actors, acting: None, ledger, began }
}

/// Takes the steps one after the other; the first that a MUST fails in is the last.
async fn walk(steps: &[PlannedStep], world: &mut World<'_>, found: &mut Found) -> Result<(), Broken> {
    for (index, planned) in steps.iter().enumerate() {
        let step = &planned.step;
        let Some((verb_key, verb_place, verb)) = step.verb() else { continue };
        let broken = |error: StepError, place: Place| Broken {
            source: planned.source.clone(),
            place,
            unsupported: matches!(error, StepError::Unsupported(_)),
            reason: error.to_string(),
        };
        world.acting = world.step_actor(step);
        let seen = verb.run(step, world).await.map_err(|error| broken(error, verb_place))?;
        let figures = seen.figures.iter().cloned();
        found.figures.extend(figures.map(|figure| StepFigure { step: index + 1, figure }));
        let mut failed = false;
        for (expect, must) in [(step.expected(), true), (step.should.as_ref(), false)] {
            let Some(expect) = expect else { continue };
            let unlike =
                checks::run(expect, &seen, world).await.map_err(|error| broken(error, expect.place))?;
            failed |= must && !unlike.is_empty();
            found.findings.extend(unlike.into_iter().map(|finding| StepFinding {
                source: planned.source.clone(),
                used_at: planned.used_at,
                step: index + 1,
                verb: verb_key,
                name: step.name.clone(),
                must,
                finding,
            }));
        }
        if failed {
            return Ok(());
        }
        if let Some(Located { value: risk, place }) = &step.risk {
            let text = world.text(&risk.text).map_err(|error| broken(error, *place))?;
            let source = planned.source.clone();
            found.risks.push(StepRisk { source, place: *place, severity: risk.severity, text });
        }
        for (name, capture) in &step.save {
            let value = captured(capture, &seen, world).map_err(|error| broken(error, capture.place))?;
            world.scope.set(name.clone(), value);
        }
    }
    Ok(())
}

fn captured(capture: &Capture, seen: &Seen, world: &mut World<'_>) -> Result<Value, StepError> {
    let missing = |what: String| StepError::Missing(format!("nothing to save: {what}"));
    let hop = seen.resting(&world.ledger);
    let response = hop.and_then(|hop| hop.response());
    Ok(match capture {
        Capture::Json(expression) => {
            let last = seen.last_json(&world.ledger);
            search(expression, &last.ok_or_else(|| missing("there is no JSON body".into()))?.1)?
        }
        Capture::Header(name) => response
            .and_then(|response| response.header(name))
            .map(|value| Value::String(value.to_owned()))
            .ok_or_else(|| missing(format!("no header `{name}`")))?,
        Capture::Query(name) => hop
            .and_then(|hop| hop.redirect_target())
            .and_then(|url| parameter(&url, name))
            .map(Value::String)
            .ok_or_else(|| missing(format!("no parameter `{name}` in the redirect")))?,
        Capture::Cookie(name) => world
            .actor()?
            .agent
            .cookies()
            .into_iter()
            .find(|cookie| cookie.name == *name)
            .map(|cookie| Value::String(cookie.value))
            .ok_or_else(|| missing(format!("no cookie `{name}`")))?,
        Capture::Token(name) => world
            .actor()?
            .tokens
            .as_ref()
            .and_then(|tokens| tokens.raw(name))
            .map(|token| Value::String(token.expose_secret().to_owned()))
            .ok_or_else(|| missing(format!("no token `{name}`")))?,
    })
}
