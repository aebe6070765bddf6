//! `hops`: hops in an order.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};

use super::Finding;
use super::cookies::{Attributes, name_matches};
use super::expect::{Check, CheckFuture};
use super::url_match;
use crate::evidence::{ChangeKind, Hop, parameter};
use crate::scenario::{Scope, Text, TextError};
use crate::steps::{Parts, Seen, World};

/// Patterns that hops match one after the other; other hops may stand between them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Hops(Vec<Located<Pattern>>);

/// A hop; what is not written does not count.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pattern {
    /// The URL asked for.
    #[serde(default)]
    at: Option<Located<Text>>,
    /// The status.
    #[serde(default)]
    status: Option<Located<u16>>,
    /// Where it redirects to.
    #[serde(default)]
    to: Option<Located<Text>>,
    /// Parameters of where it redirects to.
    #[serde(default)]
    query: BTreeMap<String, Located<Text>>,
    /// Cookies it sets; `*` at the end of a name stands for anything.
    #[serde(default)]
    sets: BTreeMap<String, Located<Attributes>>,
    /// Cookies it removes.
    #[serde(default)]
    removes: Vec<Located<Text>>,
}

impl Pattern {
    /// Why `hop` does not match: what was expected and what there is; none when it matches.
    fn mismatch(&self, hop: &Hop, scope: &Scope) -> Result<Option<(Place, String, String)>, TextError> {
        if let Some(at) = &self.at {
            let expected = at.string(scope)?;
            if !url_match::same(&expected, &hop.request.url) {
                return Ok(Some((at.place, expected, hop.request.url.to_string())));
            }
        }
        if let Some(status) = &self.status {
            let got = hop.status().unwrap_or_default();
            if got != status.value {
                return Ok(Some((status.place, format!("status {}", status.value), format!("status {got}"))));
            }
        }
        let target = hop.redirect_target();
        if let Some(to) = &self.to {
            let expected = to.string(scope)?;
            if !target.as_ref().is_some_and(|target| url_match::same(&expected, target)) {
                let got = target.map_or_else(|| "no redirect".to_owned(), String::from);
                return Ok(Some((to.place, format!("a redirect to {expected}"), got)));
            }
        }
        for (name, value) in &self.query {
            let expected = value.string(scope)?;
            let got = target.as_ref().and_then(|url| parameter(url, name));
            if got.as_deref() != Some(expected.as_str()) {
                let got = got.unwrap_or_else(|| "absent".to_owned());
                return Ok(Some((value.place, format!("{name}={expected}"), format!("{name}={got}"))));
            }
        }
        for (name, attributes) in &self.sets {
            let set = hop.jar.iter().find(|change| {
                name_matches(name, &change.name)
                    && matches!(change.kind, ChangeKind::Set | ChangeKind::Replaced { .. })
            });
            let Some(change) = set else {
                return Ok(Some((attributes.place, format!("cookie {name} set"), "not set".to_owned())));
            };
            if let Some((expected, got)) = attributes.mismatch(&change.attributes) {
                return Ok(Some((attributes.place, format!("cookie {name} {expected}"), got)));
            }
        }
        for name in &self.removes {
            let wanted = name.string(scope)?;
            let removed = hop
                .jar
                .iter()
                .any(|change| name_matches(&wanted, &change.name) && change.kind == ChangeKind::Removed);
            if !removed {
                return Ok(Some((name.place, format!("cookie {wanted} removed"), "not removed".to_owned())));
            }
        }
        Ok(None)
    }
}

impl Check for Hops {
    fn parts(&self, _: Place, parts: &mut Parts) {
        for pattern in &self.0 {
            parts.texts(
                pattern.at.iter().chain(&pattern.to).chain(pattern.query.values()).chain(&pattern.removes),
            );
        }
    }

    fn run<'a>(&'a self, _: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let mut rest = seen.hops(&world.ledger).iter();
            for (number, pattern) in self.0.iter().enumerate() {
                let mut nearest: Option<(usize, (Place, String, String))> = None;
                let mut found = false;
                for hop in rest.by_ref() {
                    match pattern.mismatch(hop, &world.scope)? {
                        None => {
                            found = true;
                            break;
                        }
                        // The mismatch farthest down the pattern says most.
                        Some(miss) => {
                            let far = nearest.as_ref().is_none_or(|(_, best)| miss.0.offset > best.0.offset);
                            if far {
                                nearest = Some((hop.index, miss));
                            }
                        }
                    }
                }
                if !found {
                    let (hop, (place, expected, got)) = match nearest {
                        Some((hop, miss)) => (Some(hop), miss),
                        None => (None, (pattern.place, "one more hop".to_owned(), "no more hops".to_owned())),
                    };
                    let what = format!("hop {}", number + 1);
                    return Ok(vec![Finding { check: "", what, expected, got, place, hop }]);
                }
            }
            Ok(Vec::new())
        })
    }
}
