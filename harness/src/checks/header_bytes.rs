//! `header_bytes`: how long the headers are that the service gets.

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::Place;

use super::Finding;
use super::backend::{arrived, last_report, not_reached};
use super::expect::{Check, CheckFuture};
use crate::steps::{Parts, Seen, World};

/// The most bytes that the headers of the request may have had when it reached the service: of every line the name, the
/// value, and the four of `: ` and the line's end, as servers count them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct HeaderBytes(usize);

/// What a header's line has besides its name and its value.
const AROUND: usize = 4;
/// How many headers are named, the longest first.
const NAMED: usize = 3;

impl Check for HeaderBytes {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let Some((hop, report)) = last_report(seen, world)? else {
                return Ok(not_reached(place, seen, world));
            };
            let mut lines: Vec<(&str, usize)> =
                arrived(&report).map(|(name, value)| (name, name.len() + value.len() + AROUND)).collect();
            let all: usize = lines.iter().map(|(_, bytes)| bytes).sum();
            if all <= self.0 {
                return Ok(Vec::new());
            }
            lines.sort_by_key(|(_, bytes)| Reverse(*bytes));
            let longest: Vec<String> =
                lines.iter().take(NAMED).map(|(name, bytes)| format!("{name} {bytes}")).collect();
            Ok(vec![Finding {
                check: "",
                what: "the headers that reached the service".to_owned(),
                expected: format!("at most {} bytes", self.0),
                got: format!("{all} bytes, the longest {}", longest.join(", ")),
                place,
                hop: Some(hop),
            }])
        })
    }
}
