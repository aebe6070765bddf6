//! Values that differ from run to run. A placeholder `{kind:name}` matches a value of its kind where it is first
//! met, and from then on that value alone; `{kind}` matches any. No two placeholders get the same value, but
//! for times and for tokens that say the same in the same second.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{(?<kind>[a-z]+[0-9]*)(?<name>[:+-][a-z0-9-]+)?\}").expect("an expression")
});

/// How far a time may be from the recorded distance to now, in seconds.
const SLACK: i64 = 5;

/// The values met so far.
#[derive(Clone, Default)]
pub(super) struct Bindings {
    /// By `kind:name`.
    values: BTreeMap<String, String>,
    /// Header and payload of the recorded tokens, by name.
    pub(super) tokens: BTreeMap<String, [Value; 2]>,
}

/// A part of a recorded text.
enum Part<'t> {
    Plain(&'t str),
    Placeholder { kind: &'t str, name: &'t str },
}

impl Bindings {
    /// Says that `placeholder` (`kind:name`) stands for `value`.
    pub(super) fn bind(&mut self, placeholder: &str, value: &str) {
        self.values.insert(placeholder.to_owned(), value.to_owned());
    }

    /// `text` with the values met so far.
    ///
    /// # Errors
    /// The placeholder that no answer has given a value.
    pub(super) fn fill(&self, text: &str) -> Result<String, String> {
        if let Some(credentials) = credentials(text) {
            return Ok(format!("Basic {}", STANDARD.encode(self.fill(credentials)?)));
        }
        let mut filled = String::new();
        for part in parts(text) {
            match part {
                Part::Plain(plain) => filled.push_str(plain),
                Part::Placeholder { kind, name } => {
                    let key = format!("{kind}{name}");
                    filled.push_str(self.values.get(&key).ok_or(format!("no answer gave {{{key}}}"))?);
                }
            }
        }
        Ok(filled)
    }

    /// Whether `got` is the recorded `text`; values are learned from it.
    ///
    /// # Errors
    /// What is other than recorded.
    pub(super) fn text(&mut self, text: &str, got: &str) -> Result<(), String> {
        if credentials(text).is_some() {
            return if self.fill(text)? == got { Ok(()) } else { Err(format!("got {got} for {text}")) };
        }
        let mut expression = String::from("(?s)^");
        let mut captured = Vec::new();
        for part in parts(text) {
            match part {
                Part::Plain(plain) => expression.push_str(&regex::escape(plain)),
                Part::Placeholder { kind, name } => {
                    let key = format!("{kind}{name}");
                    match self.values.get(&key) {
                        Some(value) => expression.push_str(&regex::escape(value)),
                        None => {
                            expression.push_str(&format!("({})", form(kind)));
                            captured.push((kind, name, key));
                        }
                    }
                }
            }
        }
        expression.push('$');
        let unlike = || format!("got  {got}\n         for  {}", self.known(text));
        let found = Regex::new(&expression).expect("an expression").captures(got).ok_or_else(unlike)?;
        let values: Vec<_> = found.iter().skip(1).flatten().map(|value| value.as_str().to_owned()).collect();
        for ((kind, name, key), value) in captured.into_iter().zip(values) {
            self.learn(kind, name, &key, &value)?;
        }
        Ok(())
    }

    fn learn(&mut self, kind: &str, name: &str, key: &str, value: &str) -> Result<(), String> {
        match kind {
            "date" => return near(http_date(value)?, now() + distance(name)),
            "age" => return near(value.parse().unwrap_or_default(), distance(name)),
            "jwt" => self.token(name, value)?,
            _ => {}
        }
        if !name.starts_with(':') {
            return Ok(());
        }
        match self.values.get(key) {
            // The same placeholder twice in one text.
            Some(known) if known != value => Err(format!("{{{key}}} is {value} and {known}")),
            Some(_) => Ok(()),
            None => {
                let taken = |(other, known): (&String, &String)| {
                    known == value && other.starts_with(&format!("{kind}:"))
                };
                if !["iso", "jwt"].contains(&kind)
                    && let Some((other, _)) = self.values.iter().find(|pair| taken(*pair))
                {
                    return Err(format!("{{{key}}} has the value of {{{other}}}: {value}"));
                }
                self.values.insert(key.to_owned(), value.to_owned());
                Ok(())
            }
        }
    }

    /// Compares a token by what it says.
    fn token(&mut self, name: &str, value: &str) -> Result<(), String> {
        let [header, payload] = self.tokens[&name[1..]].clone();
        let mut parts =
            value.split('.').map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok());
        let (Some(Some(says)), Some(Some(claims))) = (parts.next(), parts.next()) else {
            return Err(format!("{value} is no token"));
        };
        let mut differences = Vec::new();
        super::fields::json(self, "token header", &header, &says, &mut differences);
        super::fields::json(self, "token payload", &payload, &claims, &mut differences);
        if differences.is_empty() { Ok(()) } else { Err(differences.join("\n         ")) }
    }

    /// A recorded text with the values known.
    fn known(&self, text: &str) -> String {
        let value = |part| match part {
            Part::Plain(plain) => plain.to_owned(),
            Part::Placeholder { kind, name } => {
                let key = format!("{kind}{name}");
                self.values.get(&key).cloned().unwrap_or_else(|| format!("{{{key}}}"))
            }
        };
        parts(text).into_iter().map(value).collect()
    }

    /// Whether `got` is the time, in seconds, that the recorded `text` stands for; `issued` is the `iat` beside it.
    /// [`None`] when `text` stands for no time.
    pub(super) fn time(text: &str, got: f64, issued: Option<f64>) -> Option<Result<(), String>> {
        #[expect(clippy::cast_possible_truncation, reason = "times of this century")]
        let (got, issued) = (got as i64, issued.map(|issued| issued as i64));
        let found = PLACEHOLDER.captures(text).filter(|found| found[0].len() == text.len())?;
        let name = found.name("name").map_or("", |name| name.as_str());
        match &found["kind"] {
            // A token may have been issued some time before it is shown.
            "now" if name.is_empty() => Some(between(got, now() - 60, now() + SLACK)),
            "now" => Some(near(got, now() + distance(name))),
            "before" => Some(between(got, now() - 60, issued.unwrap_or_else(now) + 1)),
            "iat" => Some(issued.map_or(Err("no `iat`".to_owned()), |issued| {
                between(got, issued + distance(name) - 1, issued + distance(name) + 1)
            })),
            _ => None,
        }
    }
}

/// The user and password in `{basic user:password}`, which stands for an `Authorization` header.
fn credentials(text: &str) -> Option<&str> {
    text.strip_prefix("{basic ").and_then(|rest| rest.strip_suffix('}'))
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut last = 0;
    for found in PLACEHOLDER.captures_iter(text) {
        let whole = found.get(0).expect("a match");
        parts.push(Part::Plain(&text[last..whole.start()]));
        parts.push(Part::Placeholder {
            kind: found.name("kind").expect("a kind").as_str(),
            name: found.name("name").map_or("", |name| name.as_str()),
        });
        last = whole.end();
    }
    parts.push(Part::Plain(&text[last..]));
    parts
}

/// The form of a kind's values.
fn form(kind: &str) -> String {
    let length = |prefix: &str| kind.strip_prefix(prefix).and_then(|length| length.parse::<usize>().ok());
    for (prefix, class) in
        [("hex", "[0-9a-f]"), ("alnum", "[A-Za-z0-9]"), ("low", "[a-z0-9]"), ("url", "[A-Za-z0-9_-]")]
    {
        if let Some(length) = length(prefix) {
            return format!("{class}{{{length}}}");
        }
    }
    if let Some(length) = length("print") {
        return format!("(?:[0-9a-f]{{2}}:){{{}}}[0-9a-f]{{2}}", length - 1);
    }
    match kind {
        "uuid" => "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        // 32 and 64 bytes.
        "base32" => "[A-Z2-7]{52}",
        "long32" => "[A-Z2-7]{103}",
        "proxy" => "authentik_proxy_[0-9a-f]{8}",
        "jwt" => r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
        "iso" => r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)",
        "date" => "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT",
        "svg" => "data:image/svg\\+xml;base64,[A-Za-z0-9+/]+=*",
        "certificate" => "MII[A-Za-z0-9+/]+=*",
        // Of at least 2048 bits.
        "modulus" => "[A-Za-z0-9_-]{342,}",
        "age" | "number" | "user" | "provider" => "[0-9]+",
        "words" => ".+",
        kind => panic!("no placeholder is of kind `{kind}`"),
    }
    .to_owned()
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

/// The seconds in `+3601`.
fn distance(name: &str) -> i64 {
    name.parse().unwrap_or_default()
}

fn http_date(text: &str) -> Result<i64, String> {
    let read = jiff::fmt::rfc2822::parse(text).map_err(|error| error.to_string())?;
    Ok(read.timestamp().as_second())
}

fn near(got: i64, wanted: i64) -> Result<(), String> {
    between(got, wanted - SLACK, wanted + SLACK)
}

fn between(got: i64, least: i64, most: i64) -> Result<(), String> {
    if (least..=most).contains(&got) { Ok(()) } else { Err(format!("{got} is not in {least}..={most}")) }
}
