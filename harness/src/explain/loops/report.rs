//! The ledger that `ssoproof run --json` writes, as hops.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use url::Url;

use super::Trail;
use crate::evidence::{
    Cause, ExchangeError, ExchangeErrorKind, HeaderLines, Hop, RequestRecord, ResponseRecord,
};

/// One trail for each actor of each case.
pub(super) fn trails(document: &Value) -> Result<Vec<Trail>, String> {
    let cases: Vec<&Value> = match (document.get("cases").and_then(Value::as_array), document) {
        (Some(cases), _) => cases.iter().collect(),
        (None, other) => vec![other],
    };
    let mut trails = Vec::new();
    for case in cases {
        let hops = case.get("hops").unwrap_or(case).as_array();
        let hops = hops.ok_or("is neither a HAR nor a report of `ssoproof run --json`")?;
        let name = case.get("id").and_then(Value::as_str).unwrap_or("hops");
        let mut actors: BTreeMap<String, Vec<Hop>> = BTreeMap::new();
        for (index, value) in hops.iter().enumerate() {
            let hop =
                hop(index, value).ok_or_else(|| format!("has no readable hop {} in `{name}`", index + 1))?;
            actors.entry(hop.actor.clone()).or_default().push(hop);
        }
        trails.extend(
            actors.into_iter().map(|(actor, hops)| Trail { name: format!("{name} ({actor})"), hops }),
        );
    }
    if trails.is_empty() { Err("holds no hop".to_owned()) } else { Ok(trails) }
}

fn hop(index: usize, value: &Value) -> Option<Hop> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let request = value.get("request")?;
    let response = value.get("response").unwrap_or(&Value::Null);
    let outcome =
        match response.get("status").and_then(Value::as_u64).and_then(|status| status.try_into().ok()) {
            Some(status) => Ok(ResponseRecord {
                status,
                headers: lines(response.get("headers")),
                body: Bytes::from(response.get("body").and_then(text).unwrap_or_default()),
                body_cut: false,
            }),
            None => {
                let said = response.get("error").and_then(text).unwrap_or_default();
                Err(ExchangeError::new(ExchangeErrorKind::Broken, said))
            }
        };
    Some(Hop {
        index: value.get("index").and_then(Value::as_u64).and_then(|at| at.try_into().ok()).unwrap_or(index),
        cause: cause(value.get("cause").and_then(Value::as_str).unwrap_or_default()),
        actor: value.get("actor").and_then(text).unwrap_or_else(|| "browser".to_owned()),
        request: RequestRecord {
            method: request.get("method").and_then(text).unwrap_or_else(|| "GET".to_owned()),
            url: Url::parse(request.get("url")?.as_str()?).ok()?,
            target: None,
            headers: lines(request.get("headers")),
            body: request.get("body").and_then(text).unwrap_or_default().into_bytes(),
        },
        outcome,
        jar: Vec::new(),
        took: Duration::ZERO,
    })
}

fn lines(value: Option<&Value>) -> HeaderLines {
    let pairs = value.and_then(Value::as_array).into_iter().flatten();
    let bytes = |value: &Value| value.as_str().map(|text| text.as_bytes().to_vec());
    pairs.filter_map(|pair| Some((bytes(pair.get(0)?)?, bytes(pair.get(1)?)?))).collect()
}

/// The inverse of [`Cause`]'s text.
fn cause(text: &str) -> Cause {
    match text {
        "meta refresh" => Cause::MetaRefresh,
        "form" => Cause::Form,
        "flow executor" => Cause::FlowExecutor,
        "raw" => Cause::Raw,
        "api" => Cause::Api,
        "script" => Cause::Script,
        "load" => Cause::Load,
        other => other
            .strip_prefix("redirect ")
            .and_then(|status| status.parse().ok())
            .map_or(Cause::Start, Cause::Redirect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_read_as_they_are_written() {
        for each in [Cause::Start, Cause::Redirect(302), Cause::MetaRefresh, Cause::Form, Cause::FlowExecutor]
        {
            assert_eq!(cause(&each.to_string()), each);
        }
        for each in [Cause::Raw, Cause::Api, Cause::Script, Cause::Load] {
            assert_eq!(cause(&each.to_string()), each);
        }
    }
}
