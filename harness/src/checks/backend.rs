//! `backend`, `reached`: what the service received.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use ssoproof_deployment::{Located, Place};

use super::expect::{Check, CheckFuture, differs};
use super::header::HeaderCheck;
use crate::evidence::{Hop, Tells};
use crate::steps::{Parts, Seen, StepError, World};

/// Request headers by name, in any case.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Backend(BTreeMap<String, Located<HeaderCheck>>);

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

/// The values of a request header in a service's report, byte for byte; names are compared in any case but `_`
/// is not `-`. A value that is no UTF-8 stands in `headers` as Latin-1 and in `headers_hex` as what it is.
fn received(report: &Value, name: &str) -> Vec<Vec<u8>> {
    let lines = report["headers"].as_array().into_iter().flatten();
    let odd = report["headers_hex"].as_array().map(Vec::as_slice).unwrap_or_default();
    lines
        .filter_map(|line| Some((line[0].as_str()?, line[1].as_str()?)))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(key, text)| {
            let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            latin1
                .filter(|bytes| {
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    odd.iter().any(|line| line[0] == *key && line[1] == hex.as_str())
                })
                .unwrap_or_else(|| text.as_bytes().to_vec())
        })
        .collect()
}

impl Check for Backend {
    fn parts(&self, _: Place, parts: &mut Parts) {
        for check in self.0.values() {
            check.parts(check.place, parts);
        }
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let Some((hop, report)) = last_report(seen, world)? else {
                let got = seen.resting(&world.ledger).map_or_else(
                    || "no answer".to_owned(),
                    |hop| format!("{} from {}", hop.status().unwrap_or_default(), hop.request.url),
                );
                let hop = seen.resting(&world.ledger).map(|hop| hop.index);
                return Ok(differs("the service", "reached", got, place, hop).into_iter().collect());
            };
            let mut findings = Vec::new();
            for (name, check) in &self.0 {
                let values = received(&report, name);
                findings.extend(check.look(name, &values, check.place, Some(hop), &world.scope)?);
            }
            Ok(findings)
        })
    }
}

impl Check for Reached {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let report = last_report(seen, world)?;
            let words = |reached: bool| if reached { "reached" } else { "not reached" };
            let hop = report.as_ref().map(|(hop, _)| *hop);
            Ok(differs("the service", words(self.0), words(report.is_some()), place, hop)
                .into_iter()
                .collect())
        })
    }
}
