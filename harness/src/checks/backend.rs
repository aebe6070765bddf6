//! `backend`, `folded`, `reached`: what the service received.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use ssoproof_deployment::{Located, Place};

use super::Finding;
use super::expect::{Check, CheckFuture, differs};
use super::header::HeaderCheck;
use crate::evidence::{Hop, Tells, header_lines};
use crate::steps::{Parts, Seen, StepError, World};

/// Request headers by name, in any case.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Backend(BTreeMap<String, Located<HeaderCheck>>);

/// Request headers as a service sees them to which `-`, `_`, `.` and case in a name are one; names in lower case with
/// `-`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Folded(BTreeMap<String, Located<HeaderCheck>>);

/// Whether a service was reached.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Reached(bool);

/// The last report of a service in the step, with its hop.
///
/// # Errors
/// [`StepError::Unsupported`] when there is none, and the step was at a service that does not tell what reaches it.
pub(super) fn last_report(seen: &Seen, world: &World<'_>) -> Result<Option<(usize, Value)>, StepError> {
    let (ledger, hops) = (&world.ledger, seen.hops(&world.ledger));
    let reached = |hop: &Hop| Some((hop.index, ledger.arrived(hop)?));
    let report = hops.iter().rev().find_map(reached);
    let silent = hops.iter().find(|hop| ledger.backends.tells(&hop.request.url) == Tells::Nothing);
    match (report, silent) {
        (None, Some(hop)) => Err(untold(hop)),
        (report, _) => Ok(report),
    }
}

/// What cannot be checked at a service that does not tell what reaches it.
pub(super) fn untold(hop: &Hop) -> StepError {
    let host = hop.request.url.host_str().unwrap_or_default();
    StepError::Unsupported(format!("`{host}` does not tell what reaches it"))
}

/// The request's headers in a service's report, in their order, with their values byte for byte. A value that is no
/// UTF-8 stands in `headers` as Latin-1 and in `headers_hex` as what it is.
pub(super) fn arrived(report: &Value) -> impl Iterator<Item = (&str, Vec<u8>)> {
    let odd = report["headers_hex"].as_array().map(Vec::as_slice).unwrap_or_default();
    header_lines(report).map(|(key, text)| {
        let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        let bytes = latin1
            .filter(|bytes| {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                odd.iter().any(|line| line[0] == *key && line[1] == hex.as_str())
            })
            .unwrap_or_else(|| text.as_bytes().to_vec());
        (key, bytes)
    })
}

/// The values of a request header in a service's report; names are compared in any case but `_` is not `-`.
fn received(report: &Value, name: &str) -> Vec<Vec<u8>> {
    arrived(report).filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

/// The values of a folded name in a service's report; `None` when it does not tell them.
fn folded(report: &Value, name: &str) -> Option<Vec<Vec<u8>>> {
    let values = report["folded"].as_object()?.get(name).and_then(Value::as_array);
    let texts = values.into_iter().flatten().filter_map(Value::as_str);
    Some(texts.map(|text| text.as_bytes().to_vec()).collect())
}

/// That a service should have been reached, and what the step rests at instead.
pub(super) fn not_reached(place: Place, seen: &Seen, world: &World<'_>) -> Vec<Finding> {
    let resting = seen.resting(&world.ledger);
    let got = resting.map_or_else(
        || "no answer".to_owned(),
        |hop| format!("{} from {}", hop.status().unwrap_or_default(), hop.request.url),
    );
    let hop = resting.map(|hop| hop.index);
    differs("the service", "reached", got, place, hop).into_iter().collect()
}

/// What of the headers that reached the service is not as `checks` say; `values` reads one out of its report.
fn look(
    checks: &BTreeMap<String, Located<HeaderCheck>>,
    values: impl Fn(&Value, &str) -> Option<Vec<Vec<u8>>>,
    place: Place,
    seen: &Seen,
    world: &World<'_>,
) -> Result<Vec<Finding>, StepError> {
    let Some((hop, report)) = last_report(seen, world)? else {
        return Ok(not_reached(place, seen, world));
    };
    let mut findings = Vec::new();
    for (name, check) in checks {
        let values = values(&report, name)
            .ok_or_else(|| StepError::Unsupported("the service does not tell `folded`".to_owned()))?;
        findings.extend(check.look(name, &values, check.place, Some(hop), &world.scope)?);
    }
    Ok(findings)
}

impl Check for Backend {
    fn parts(&self, _: Place, parts: &mut Parts) {
        self.0.values().for_each(|check| check.parts(check.place, parts));
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        let values = |report: &Value, name: &str| Some(received(report, name));
        Box::pin(async move { look(&self.0, values, place, seen, world) })
    }
}

impl Check for Folded {
    fn parts(&self, _: Place, parts: &mut Parts) {
        self.0.values().for_each(|check| check.parts(check.place, parts));
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move { look(&self.0, folded, place, seen, world) })
    }
}

impl Check for Reached {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let ledger = &world.ledger;
            let reached = seen.hops(ledger).iter().rev().find(|hop| ledger.backends.reached(hop));
            let hop = match reached {
                Some(hop) => Some(hop.index),
                None => last_report(seen, world)?.map(|(hop, _)| hop),
            };
            let words = |reached: bool| if reached { "reached" } else { "not reached" };
            Ok(differs("the service", words(self.0), words(hop.is_some()), place, hop).into_iter().collect())
        })
    }
}
