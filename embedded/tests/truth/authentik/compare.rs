//! An answer compared with the recorded one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use http::Response;
use regex::Regex;
use serde_json::Value;

use super::bindings::Bindings;
use super::fields;
use super::read::{Echo, Exchange, Html};

/// Headers that prove nothing, the only ones that are not compared: when and how a body was sent (the recorded
/// gateway asked for compression), its language (the recorded programs had no translations), and the name of the
/// recorded echo service.
const UNTOLD: [&str; 8] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "date",
    "server",
    "transfer-encoding",
];

/// The answer to one exchange.
pub(super) struct Answered {
    pub(super) response: Response<Bytes>,
    /// The requests that reached the service meanwhile.
    pub(super) echoes: Vec<Echo>,
}

/// Where `answered` differs from what was recorded.
pub(super) fn differences(bindings: &mut Bindings, exchange: &Exchange, answered: &Answered) -> Vec<String> {
    let mut differences = Vec::new();
    let response = &answered.response;
    if response.status().as_u16() != exchange.status {
        differences.push(format!("status: {} for {}", response.status().as_u16(), exchange.status));
    }
    let mut got = headers(response);
    let location = got.remove("location").and_then(|mut values| values.pop());
    match (&exchange.location, &location) {
        (Some(recorded), Some(got)) => {
            let outcome = bindings.text(&scopes_ordered(recorded), &scopes_ordered(got));
            note(&mut differences, "Location", outcome);
        }
        (None, None) => {}
        (recorded, got) => differences.push(format!("Location: {got:?} for {recorded:?}")),
    }
    let cookies = got.remove("set-cookie").unwrap_or_default();
    let cookies: Vec<_> = cookies.iter().map(|line| ordered(line)).collect();
    let recorded: Vec<_> = exchange.cookies.iter().map(|line| ordered(line)).collect();
    list(bindings, "Set-Cookie", &recorded, &cookies, &mut differences);
    header_fields(bindings, exchange, got, &mut differences);
    match (&exchange.echo, answered.echoes.as_slice()) {
        (Some(recorded), [got]) => echo(bindings, recorded, got, &mut differences),
        (None, got) if got.len() == usize::from(exchange.reached) => {}
        (_, got) => differences.push(format!("{} requests reached the service", got.len())),
    }
    if exchange.echo.is_none() {
        body(bindings, exchange, response.body(), &mut differences);
    }
    differences
}

fn note(differences: &mut Vec<String>, place: &str, outcome: Result<(), String>) {
    if let Err(unlike) = outcome {
        differences.push(format!("{place}: {unlike}"));
    }
}

/// A `Set-Cookie` line with its attributes, which stand in no order, in the order of their names.
fn ordered(line: &str) -> String {
    let (pair, rest) = line.split_once("; ").unwrap_or((line, ""));
    let mut attributes: Vec<_> = rest.split("; ").collect();
    attributes.sort_by_key(|attribute| attribute.to_ascii_lowercase());
    std::iter::once(pair).chain(attributes).collect::<Vec<_>>().join("; ")
}

/// An answer's header fields that tell something, by name in lower case.
fn headers(response: &Response<Bytes>) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let upgrades = response.status() == http::StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in response.headers() {
        if !is_untold(name.as_str()) || (upgrades && name == "connection") {
            found.entry(name.as_str().to_owned()).or_default().push(latin1(value.as_bytes()));
        }
    }
    found
}

/// A text with the scopes of its link in order: a set of Python's gives them in any.
fn scopes_ordered(text: &str) -> String {
    static SCOPE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("(?:[?&]|&amp;)scope=([a-z_+]+)").expect("an expression"));
    let Some(found) = SCOPE.captures(text).and_then(|found| found.get(1)) else { return text.to_owned() };
    let mut scopes: Vec<_> = found.as_str().split('+').collect();
    scopes.sort_unstable();
    format!("{}{}{}", &text[..found.start()], scopes.join("+"), &text[found.end()..])
}

fn is_untold(name: &str) -> bool {
    UNTOLD.iter().any(|untold| name.eq_ignore_ascii_case(untold))
}

/// Bytes as the recordings show them: one letter each.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn header_fields(
    bindings: &mut Bindings,
    exchange: &Exchange,
    mut got: BTreeMap<String, Vec<String>>,
    differences: &mut Vec<String>,
) {
    for (name, recorded) in &exchange.answer {
        let values = got.remove(&name.to_ascii_lowercase()).unwrap_or_default();
        if name == "Vary" {
            list(bindings, name, &varying(recorded), &varying(&values), differences);
        } else {
            identity(bindings, name, recorded, &values, differences);
        }
    }
    for (name, values) in got {
        differences.push(format!("{name} is too much: {values:?}"));
    }
}

/// What an answer varies by, in no order, without the language.
fn varying(values: &[String]) -> Vec<String> {
    let names = values.iter().flat_map(|value| value.split(", ")).map(str::to_ascii_lowercase);
    let mut names: Vec<_> = names.filter(|name| name != "accept-language").collect();
    names.sort();
    names
}

/// Compares a header's values; groups stand in no order.
fn identity(
    bindings: &mut Bindings,
    name: &str,
    recorded: &[String],
    got: &[String],
    differences: &mut Vec<String>,
) {
    match (recorded, got) {
        ([recorded], [got]) if name.eq_ignore_ascii_case("x-authentik-groups") => {
            fields::words(name, '|', recorded, got, differences);
        }
        _ => list(bindings, name, recorded, got, differences),
    }
}

fn list(
    bindings: &mut Bindings,
    place: &str,
    recorded: &[String],
    got: &[String],
    differences: &mut Vec<String>,
) {
    if recorded.len() != got.len() {
        differences.push(format!("{place}: {got:?} for {recorded:?}"));
        return;
    }
    for (recorded, got) in recorded.iter().zip(got) {
        note(differences, place, bindings.text(recorded, got));
    }
}

fn echo(bindings: &mut Bindings, recorded: &Echo, got: &Echo, differences: &mut Vec<String>) {
    for (place, recorded, got) in [
        ("method at the service", &recorded.method, &got.method),
        ("path at the service", &recorded.path, &got.path),
        ("body at the service", &recorded.body, &got.body),
    ] {
        note(differences, place, bindings.text(recorded, got));
    }
    let by_name = |echo: &Echo| {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in echo.headers.iter().filter(|(name, _)| !is_untold(name)) {
            found.entry(name.to_ascii_lowercase()).or_default().push(value.clone());
        }
        found
    };
    let mut found = by_name(got);
    for (name, recorded) in by_name(recorded) {
        let place = format!("service saw {name}");
        let values = found.remove(&name).unwrap_or_default();
        match (recorded.as_slice(), values.as_slice()) {
            ([recorded], [got]) if name == "x-authentik-groups" => {
                fields::words(&place, '|', recorded, got, differences);
            }
            (recorded, got) => list(bindings, &place, recorded, got, differences),
        }
    }
    differences.extend(found.into_iter().map(|(name, values)| format!("service saw {name}: {values:?}")));
}

fn body(bindings: &mut Bindings, exchange: &Exchange, body: &Bytes, differences: &mut Vec<String>) {
    let text = String::from_utf8_lossy(body);
    if let Some(recorded) = &exchange.html {
        page(bindings, recorded, &text, differences);
    } else if exchange.json.is_some() || exchange.begins.is_some() {
        let Ok(got) = serde_json::from_slice::<Value>(body) else {
            differences.push(format!("body: no JSON but {text:?}"));
            return;
        };
        if let Some(recorded) = &exchange.json {
            fields::json(bindings, "body", recorded, &got, differences);
        }
        if let Some(recorded) = &exchange.begins {
            fields::beginning(bindings, "body", recorded, &got, differences);
        }
    } else {
        let recorded = exchange.text.as_deref().unwrap_or_default();
        note(differences, "body", bindings.text(&scopes_ordered(recorded), &scopes_ordered(&text)));
    }
}

fn page(bindings: &mut Bindings, recorded: &Html, got: &str, differences: &mut Vec<String>) {
    let title = got.split_once("<title>").and_then(|(_, rest)| Some(rest.split_once("</title>")?.0.trim()));
    match (&recorded.title, title) {
        (Some(recorded), Some(got)) => note(differences, "title", bindings.text(recorded, got)),
        (None, None) => {}
        (recorded, got) => differences.push(format!("title: {got:?} for {recorded:?}")),
    }
    for text in &recorded.texts {
        match bindings.fill(text) {
            Ok(text) if got.contains(&text) => {}
            Ok(text) => differences.push(format!("page: no {text:?}")),
            Err(unknown) => differences.push(format!("page: {unknown}")),
        }
    }
}
