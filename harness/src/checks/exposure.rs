//! `exposure`: for how long strangers were let in while a file was rewritten, and how many.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Period, Place};

use super::expect::{Check, CheckFuture, Finding};
use super::loaded::not_loaded;
use crate::scenario::Given;
use crate::steps::{Exposure as Met, Parts, Seen, StepError, World};

/// What strangers may meet while a file is rewritten. Unless it says otherwise the service is closed again in the end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// The longest time from the first request that is let in to the last one: `$deploys.limit`, or `3s`.
    #[serde(default)]
    limit: Option<Located<Given<Period>>>,
    /// The most requests that are let in.
    #[serde(default)]
    let_in: Option<Located<usize>>,
    /// Whether the service is open to everybody in the end.
    #[serde(default)]
    open: bool,
}

impl Check for Exposure {
    fn parts(&self, _: Place, parts: &mut Parts) {
        if let Some(limit) = &self.limit {
            parts.text_at(limit.text(), limit.place);
        }
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let Some(met) = &seen.exposure else {
                return Err(StepError::Missing("`exposure` needs a step `deploy: …`".into()));
            };
            let of = |what: String, expected: String, got: String, place| Finding {
                check: "",
                what,
                expected,
                got,
                place,
                hop: met.hops.map(|(first, _)| first),
            };
            let exposed = |expected: &str, place| {
                of(format!("the exposure of `{}`", met.service), expected.to_owned(), met.told(), place)
            };
            let mut findings = Vec::new();
            if let Some(Err(limit)) = seen.loaded {
                let hop = met.hops.map(|(first, _)| first);
                findings.push(Finding { hop, ..not_loaded(limit, place) });
            }
            if met.open_before {
                let what = format!("`{}` before the deploy", met.service);
                findings.push(of(what, "closed to strangers".to_owned(), "open".to_owned(), place));
            }
            match (self.open, met.open) {
                (false, true) => findings.push(exposed("an end", place)),
                (true, false) => findings.push(exposed("none", place)),
                (false, false) | (true, true) => findings.extend(self.within(met, world, exposed)?),
            }
            Ok(findings)
        })
    }
}

impl Exposure {
    /// What is more than the limits allow.
    fn within(
        &self,
        met: &Met,
        world: &World<'_>,
        exposed: impl Fn(&str, Place) -> Finding,
    ) -> Result<Vec<Finding>, StepError> {
        let mut findings = Vec::new();
        if let Some(limit) = &self.limit {
            let most = limit.value(&world.scope)?;
            if met.window > most.0 {
                findings.push(exposed(&format!("at most {most}"), limit.place));
            }
        }
        if let Some(most) = self.let_in.as_ref().filter(|most| met.let_in > most.value) {
            findings.push(exposed(&format!("at most {} requests let in", **most), most.place));
        }
        Ok(findings)
    }
}
