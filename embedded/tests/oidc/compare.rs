//! How an answer differs from the recorded one. Values that no two servers share are learned where they first
//! stand and must stay what they were.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use url::form_urlencoded::parse;

use crate::client::{header, set_cookies};
use crate::gateway::Passed;
use crate::world::Exchange;

/// Members that hold times, which differ.
const TIMES: [&str; 3] = ["exp", "iat", "auth_time"];

/// How far `Max-Age` may be from the recorded one, in seconds.
const SLACK: i64 = 3;

/// Recorded values and those that stand for them here, and every difference so far.
#[derive(Default)]
pub(crate) struct Comparison {
    pub(crate) learned: BTreeMap<String, String>,
    pub(crate) differences: Vec<String>,
}

impl Comparison {
    /// Text with the recorded values replaced by those of this server.
    pub(crate) fn translated(&self, text: &str) -> String {
        self.learned.iter().rev().fold(text.to_owned(), |text, (recorded, here)| text.replace(recorded, here))
    }

    /// Compares an answer with `exchange`.
    pub(crate) fn compare(&mut self, place: &str, exchange: &Exchange, passed: &Passed) {
        let response = &passed.response;
        if response.status() != exchange.status {
            self.differ(place, format!("status {} for {}", response.status().as_u16(), exchange.status));
            return;
        }
        match &exchange.location {
            Some(location) => {
                self.location(&format!("{place} Location"), location, header(response, "location"))
            }
            None if header(response, "location").is_empty() => {}
            None => self.differ(place, format!("unexpected Location {}", header(response, "location"))),
        }
        self.cookies(place, &exchange.set, &set_cookies(response));
        for (name, values) in &exchange.response {
            let got: Vec<_> =
                response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
            if values.len() == 1 && got.len() == 1 {
                self.text(&format!("{place} {name}"), &values[0], got[0]);
            } else if *values != got {
                self.differ(&format!("{place} {name}"), format!("{got:?} for {values:?}"));
            }
        }
        match (&exchange.identity, &passed.identity) {
            (Some(recorded), Some(got)) => {
                assert_eq!(recorded.keys().collect::<Vec<_>>(), got.keys().collect::<Vec<_>>(), "{place}");
                for (name, value) in recorded {
                    // The recording shows bytes one by one.
                    let got: String = got[name].iter().copied().map(char::from).collect();
                    let place = format!("{place} {name}");
                    if name == "x-authentik-groups" {
                        self.set(&place, value.split('|'), got.split('|'));
                    } else {
                        self.text(&place, value, &got);
                    }
                }
            }
            (None, None) => {}
            (recorded, _) => self.differ(place, format!("reached the service: {}", recorded.is_none())),
        }
        let body = String::from_utf8_lossy(response.body()).into_owned();
        if let Some(title) = &exchange.title {
            let texts = exchange.text.iter().map(String::as_str);
            for text in texts.chain([format!("<title>{title}</title>").as_str()]) {
                if !body.contains(text) {
                    self.differ(place, format!("no {text:?} on the page"));
                }
            }
        }
        if let Some(recorded) = &exchange.json {
            let got = serde_json::from_str(&body).unwrap_or(Value::String(body));
            // Of these, the recordings keep what leads further: other tests compare the rest.
            let partial = exchange.url.contains("/api/v3/");
            self.json(place, partial, recorded, &got);
        } else if let Some(recorded) = exchange.raw.as_ref().filter(|raw| self.translated(raw) != body) {
            self.differ(place, format!("body {body:?} for {recorded:?}"));
        }
    }

    fn cookies(&mut self, place: &str, recorded: &[String], got: &[&str]) {
        if recorded.len() != got.len() {
            self.differ(place, format!("cookies {got:?} for {recorded:?}"));
            return;
        }
        for (recorded, got) in recorded.iter().zip(got) {
            let place = format!("{place} Set-Cookie");
            let (wanted, wanted_attributes) = cookie(recorded);
            let (found, attributes) = cookie(got);
            if wanted.0.starts_with("authentik_proxy_") && found.0.starts_with("authentik_proxy_") {
                self.learn(wanted.0, found.0);
            } else if wanted.0 != found.0 {
                self.differ(&place, format!("{} for {}", found.0, wanted.0));
            }
            self.text(&place, wanted.1, found.1);
            for ((name, value), (got_name, got_value)) in wanted_attributes.iter().zip(&attributes) {
                let near =
                    || Some((value.parse::<i64>().ok()? - got_value.parse::<i64>().ok()?).abs() <= SLACK);
                let alike = match name.as_str() {
                    "expires" => !got_value.is_empty(),
                    "max-age" => near().unwrap_or_default(),
                    _ => value == got_value,
                };
                if name != got_name || !alike {
                    self.differ(&place, format!("{got_name}={got_value} for {name}={value}"));
                }
            }
            if wanted_attributes.len() != attributes.len() {
                self.differ(&place, format!("{attributes:?} for {wanted_attributes:?}"));
            }
        }
    }

    fn location(&mut self, place: &str, recorded: &str, got: &str) {
        let (recorded_parts, got_parts) = (parts(recorded), parts(got));
        if recorded_parts.0 != got_parts.0 {
            self.differ(place, format!("{got} for {recorded}"));
            return;
        }
        for (recorded, got) in [(recorded_parts.1, got_parts.1), (recorded_parts.2, got_parts.2)] {
            if recorded == "query=@" {
                continue;
            }
            let pairs = |query: &str| parse(query.as_bytes()).into_owned().collect::<Vec<_>>();
            let (recorded, got) = (pairs(recorded), pairs(got));
            let names =
                |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            if names(&recorded) != names(&got) {
                self.differ(place, format!("parameters {:?} for {:?}", names(&got), names(&recorded)));
                continue;
            }
            for ((name, recorded), (_, got)) in recorded.iter().zip(&got) {
                let place = format!("{place} {name}");
                if name == "next" || name == "rd" {
                    self.location(&place, recorded, got);
                } else {
                    self.text(&place, recorded, got);
                }
            }
        }
    }

    fn json(&mut self, place: &str, partial: bool, recorded: &Value, got: &Value) {
        match (recorded, got) {
            (Value::Object(recorded), Value::Object(got)) => {
                for (name, value) in recorded {
                    let place = format!("{place} .{name}");
                    match got.get(name) {
                        None => self.differ(&place, "is missing".to_owned()),
                        Some(_) if TIMES.contains(&name.as_str()) => {}
                        Some(Value::String(found)) if name == "scope" => {
                            let recorded = value.as_str().unwrap_or_default();
                            self.set(&place, recorded.split(' '), found.split(' '));
                        }
                        Some(Value::Array(found)) if name == "groups" || name.ends_with("_supported") => {
                            let recorded = value.as_array().into_iter().flatten().map(Value::to_string);
                            self.set(&place, recorded, found.iter().map(Value::to_string));
                        }
                        Some(Value::String(found)) if name == "to" => {
                            self.location(&place, value.as_str().unwrap_or_default(), found);
                        }
                        Some(found) => self.json(&place, false, value, found),
                    }
                }
                for name in got.keys().filter(|name| !partial && !recorded.contains_key(*name)) {
                    self.differ(place, format!("unexpected `{name}`"));
                }
            }
            (Value::Array(recorded), Value::Array(got)) if recorded.len() == got.len() => {
                for (recorded, got) in recorded.iter().zip(got) {
                    self.json(place, false, recorded, got);
                }
            }
            (Value::String(recorded), Value::String(got)) => self.text(place, recorded, got),
            (recorded, got) if recorded != got => self.differ(place, format!("{got} for {recorded}")),
            _ => {}
        }
    }

    /// Compares what stands in no order.
    fn set<T: Ord + ToString>(
        &mut self,
        place: &str,
        recorded: impl Iterator<Item = T>,
        got: impl Iterator<Item = T>,
    ) {
        let sorted = |items: Vec<T>| {
            let mut items: Vec<_> = items.iter().map(ToString::to_string).collect();
            items.sort();
            items
        };
        let (recorded, got) = (sorted(recorded.collect()), sorted(got.collect()));
        if recorded != got {
            self.differ(place, format!("{got:?} for {recorded:?}"));
        }
    }

    /// Compares two texts; tokens by what they say.
    fn text(&mut self, place: &str, recorded: &str, got: &str) {
        if recorded == "…" || self.translated(recorded) == got {
            return;
        }
        if let (Some(says), Some(said)) = (token(recorded), token(got)) {
            self.json(&format!("{place} header"), false, &says.0, &said.0);
            self.json(&format!("{place} payload"), false, &says.1, &said.1);
            self.learn(recorded, got);
            return;
        }
        if kind(recorded).is_some() && kind(recorded) == kind(got) && !self.learned.contains_key(recorded) {
            self.learn(recorded, got);
            return;
        }
        self.differ(place, format!("{got:?} for {:?}", self.translated(recorded)));
    }

    fn learn(&mut self, recorded: &str, got: &str) {
        self.learned.insert(recorded.to_owned(), got.to_owned());
    }

    fn differ(&mut self, place: &str, what: String) {
        self.differences.push(format!("{place}: {what}"));
    }
}

/// Name and value of a cookie, and its attributes by name.
fn cookie(line: &str) -> ((&str, &str), Vec<(String, String)>) {
    let (pair, attributes) = line.split_once("; ").unwrap_or((line, ""));
    let mut attributes: Vec<_> = attributes
        .split("; ")
        .map(|text| text.split_once('=').unwrap_or((text, "")))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    attributes.sort();
    (pair.split_once('=').unwrap_or((pair, "")), attributes)
}

/// A URL's address, query and fragment.
fn parts(url: &str) -> (&str, &str, &str) {
    let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    (address, query, fragment)
}

/// Header and payload of a JWT.
fn token(text: &str) -> Option<(Value, Value)> {
    let mut parts =
        text.split('.').map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok());
    Some((parts.next()??, parts.next()??))
}

/// The form of a value that is made at random: two of one form may stand for each other.
fn kind(text: &str) -> Option<(&'static str, usize)> {
    let all = |class: fn(char) -> bool| !text.is_empty() && text.chars().all(class);
    let digits = text.chars().any(|letter| letter.is_ascii_digit() || letter.is_ascii_uppercase());
    let bare = text.replace('-', "");
    match text.len() {
        32 | 64 if all(|letter| letter.is_ascii_hexdigit()) => Some(("hex", text.len())),
        36 if bare.len() == 32 && bare.chars().all(|letter| letter.is_ascii_hexdigit()) => Some(("uuid", 36)),
        60 if text.starts_with("authentik_proxy_session_") => Some(("stored session", 60)),
        22 | 32 | 40 | 43 | 52 | 60 | 86 | 128
            if digits && all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_') =>
        {
            Some(("random", text.len()))
        }
        _ => None,
    }
}
