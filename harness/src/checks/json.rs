//! `json`, `report`: what a JSON body holds.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use ssoproof_deployment::{Located, Place};

use super::Finding;
use super::backend::last_report;
use super::expect::{Check, CheckFuture, differs};
use crate::scenario::{Scope, Template};
use crate::steps::{Parts, Seen, StepError, World};

/// Values by JMESPath expression; `null` when there is nothing.
pub(super) type Values = BTreeMap<String, Located<Template>>;

/// What the last JSON body of the step holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Json(Values);

/// What the service's report holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Report(Values);

/// What of `document` is not as `values` say.
pub(super) fn compare(
    values: &Values,
    document: &Value,
    prefix: &str,
    hop: Option<usize>,
    scope: &Scope,
) -> Result<Vec<Finding>, StepError> {
    let mut findings = Vec::new();
    for (expression, wanted) in values {
        let got = search(expression, document)?;
        let expected = wanted.value(scope)?;
        if !same(&expected, &got) {
            findings.extend(differs(format!("{prefix}{expression}"), &expected, &got, wanted.place, hop));
        }
    }
    Ok(findings)
}

/// Whether the report has what an expression begins with: an echo service tells less than a probe.
fn told(expression: &str, report: &Value) -> Result<(), StepError> {
    let end = expression.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let name = &expression[..end.unwrap_or(expression.len())];
    // What begins with a function or a literal is no name.
    let is_name = !name.is_empty() && !expression[name.len()..].starts_with('(');
    if is_name && report.get(name).is_none() {
        return Err(StepError::Unsupported(format!("the service does not tell `{name}`")));
    }
    Ok(())
}

/// Numbers are the same whatever their JSON form.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

/// What a JMESPath expression gives.
///
/// # Errors
/// [`StepError::Broken`] when it is no expression, or fails.
pub(crate) fn search(expression: &str, document: &Value) -> Result<Value, StepError> {
    let failed = |error: &dyn std::fmt::Display| {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default().to_owned();
        StepError::Broken(format!("`{expression}`: {line}"))
    };
    let parsed = jmespath::compile(expression).map_err(|error| failed(&error))?;
    let result = parsed.search(document.clone()).map_err(|error| failed(&error))?;
    serde_json::to_value(&*result).map_err(|error| failed(&error))
}

impl Check for Json {
    fn parts(&self, _: Place, parts: &mut Parts) {
        self.0.values().for_each(|template| parts.template(template));
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            match seen.last_json(&world.ledger) {
                Some((hop, document)) => compare(&self.0, &document, "", Some(hop), &world.scope),
                None => {
                    let hop = seen.resting(&world.ledger).map(|hop| hop.index);
                    Ok(differs("the body", "JSON", "something else", place, hop).into_iter().collect())
                }
            }
        })
    }
}

impl Check for Report {
    fn parts(&self, _: Place, parts: &mut Parts) {
        self.0.values().for_each(|template| parts.template(template));
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            match last_report(seen, world)? {
                Some((hop, report)) => {
                    self.0.keys().try_for_each(|expression| told(expression, &report))?;
                    compare(&self.0, &report, "", Some(hop), &world.scope)
                }
                None => {
                    let hop = seen.resting(&world.ledger).map(|hop| hop.index);
                    Ok(differs("the service", "reached", "not reached", place, hop).into_iter().collect())
                }
            }
        })
    }
}
