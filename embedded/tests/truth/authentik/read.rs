//! The recordings as they are kept.
//!
//! Each is a file of JSON lines: first the tokens that occur in it, header and payload by name, then the exchanges.
//! In texts, `{kind:name}` stands for a value that differs from run to run (see `bindings`), and `{text:…}` and
//! `{same:…}` for a text or a value that `shared.jsonl` holds because several lines have it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// A recording.
pub(super) struct File {
    /// Header and payload of each token, by its name.
    pub(super) tokens: BTreeMap<String, [Value; 2]>,
    pub(super) exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    jwt: BTreeMap<String, [Value; 2]>,
}

/// One recorded exchange.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    /// What the recording says about it.
    #[serde(default, rename = "note")]
    _note: Option<String>,
    /// Its place among all exchanges of the set-up, whose recordings overlap in time.
    #[serde(default)]
    pub(super) order: usize,
    /// What was done to the worker before, or how it was seen to be.
    pub(super) worker: Option<Worker>,
    /// `GET https://stream.spacemusic.tv/path`.
    pub(super) request: String,
    /// Whether Authentik was asked without the gateway.
    #[serde(default)]
    pub(super) direct: bool,
    /// The headers sent, without those that every request has.
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) body: String,
    pub(super) status: u16,
    pub(super) location: Option<String>,
    /// The `Set-Cookie` lines.
    #[serde(default)]
    pub(super) cookies: Vec<String>,
    /// The other headers of the answer.
    #[serde(default)]
    pub(super) answer: BTreeMap<String, Vec<String>>,
    /// The request that the service behind the gateway saw.
    pub(super) echo: Option<Echo>,
    /// Whether the service was reached by a request whose answer shows nothing of it.
    #[serde(default)]
    pub(super) reached: bool,
    pub(super) html: Option<Html>,
    pub(super) json: Option<Value>,
    /// JSON whose end the recording lost.
    pub(super) begins: Option<Value>,
    /// A body that is none of these.
    pub(super) text: Option<String>,
}

/// How the worker was: it tells the outpost which sessions are over, and may be stopped or behind.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Worker {
    Stopped,
    Running,
}

/// A request as a service saw it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Echo {
    pub(super) method: String,
    pub(super) path: String,
    /// In the order of their names.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// What the recording keeps of a page.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Html {
    pub(super) title: Option<String>,
    pub(super) texts: Vec<String>,
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "truth", "data", "authentik"].iter().collect()
}

/// The names of a version's recordings, in order.
pub(super) fn names(version: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder().join(version))
        .expect("the version has a folder")
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// What several lines share, by name.
pub(super) struct Shared(BTreeMap<String, Value>);

impl Shared {
    pub(super) fn read() -> Self {
        let text = std::fs::read_to_string(folder().join("shared.jsonl")).expect("shared.jsonl can be read");
        let pairs = text.lines().map(serde_json::from_str::<(String, Value)>);
        Self(pairs.collect::<Result<_, _>>().expect("shared.jsonl holds pairs"))
    }

    /// A version's recording.
    pub(super) fn recording(&self, version: &str, name: &str) -> File {
        let path = folder().join(version).join(format!("{name}.jsonl"));
        let text = std::fs::read_to_string(path).expect("the recording can be read");
        let mut values =
            text.lines().map(|line| self.whole(serde_json::from_str(line).expect("a line is JSON")));
        let head: Head =
            serde_json::from_value(values.next().expect("there is a first line")).expect("a head");
        let exchanges = values.map(|value| serde_json::from_value(value).expect("a line is an exchange"));
        File { tokens: head.jwt, exchanges: exchanges.collect() }
    }

    /// `value` with what it shares put in.
    fn whole(&self, value: Value) -> Value {
        match value {
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (name, self.whole(value))).collect()
            }
            Value::Array(items) => items.into_iter().map(|item| self.whole(item)).collect(),
            Value::String(text) => {
                match text.strip_prefix("{same:").and_then(|rest| rest.strip_suffix('}')) {
                    Some(name) => self.whole(self.0[name].clone()),
                    None => Value::String(self.with_texts(text)),
                }
            }
            other => other,
        }
    }

    fn with_texts(&self, mut text: String) -> String {
        while let Some(start) = text.find("{text:") {
            let end = start + text[start..].find('}').expect("a name ends");
            let found = self.0[&text[start + "{text:".len()..end]].as_str().expect("a text").to_owned();
            text.replace_range(start..=end, &found);
        }
        text
    }
}
