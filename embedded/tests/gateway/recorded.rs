//! The recordings in `data/`: `truth/traefik`, trimmed. Versions other than 3.6.7 hold only what differs from it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::client::Got;
use crate::stub::{Answer, Seen};

/// One exchange and what everybody saw of it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Case {
    /// Settings of the middleware besides its address; `4-options` only.
    #[serde(default)]
    pub(crate) options: Option<BTreeMap<String, Value>>,
    pub(crate) request: String,
    pub(crate) answer: Scripted,
    pub(crate) auth: Vec<RecordedRequest>,
    pub(crate) backend: Vec<RecordedRequest>,
    pub(crate) outpost: Vec<RecordedRequest>,
    pub(crate) client: RecordedAnswer,
}

/// The auth server's answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Scripted {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    #[serde(default)]
    delay: u64,
}

impl Scripted {
    pub(crate) fn answer(&self) -> Answer {
        // A recorded second is played as 10 ms.
        let delay = std::time::Duration::from_millis(self.delay * 10);
        let body = self.body.clone().into_bytes();
        Answer::Response { status: self.status, headers: self.headers.clone(), body, delay }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RecordedRequest {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RecordedAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// One set of files with the requests made and what the API showed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ConfigCase {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) answers: Vec<ConfigAnswer>,
    pub(crate) routers: Vec<Value>,
    pub(crate) middlewares: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ConfigAnswer {
    pub(crate) request: String,
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) auth_calls: Vec<String>,
    pub(crate) backend: Vec<String>,
    pub(crate) outpost: Vec<String>,
}

/// Reads a recording.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(name: &str) -> BTreeMap<String, T> {
    let path = format!("{}/tests/gateway/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A request without what is the gateway's own: how the body travels, compression, ports; names in lower case,
/// sorted.
pub(crate) fn normal_request(seen: &Seen) -> Seen {
    let chunked =
        seen.body.ends_with(b"0\r\n\r\n") && seen.headers.iter().any(|(name, _)| name == "Transfer-Encoding");
    let body = if chunked { without_chunks(&seen.body) } else { seen.body.clone() };
    Seen {
        line: seen.line.clone(),
        headers: normal_headers(&seen.headers, &["accept-encoding", "transfer-encoding", "content-length"]),
        body,
    }
}

fn without_chunks(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let mut lines = text.split("\r\n");
    let mut whole = String::new();
    while let (Some(size), Some(data)) = (lines.next(), lines.next()) {
        if size == "0" {
            break;
        }
        whole.push_str(data);
    }
    whole.into_bytes()
}

/// An answer without what differs from run to run.
pub(crate) fn normal_answer(got: &Got) -> Got {
    let own_text = matches!(got.status, 400 | 431);
    Got {
        status: got.status,
        headers: if own_text {
            Vec::new()
        } else {
            normal_headers(&got.headers, &["date", "content-length"])
        },
        body: if own_text { String::new() } else { got.body.clone() },
    }
}

fn normal_headers(headers: &[(String, String)], without: &[&str]) -> Vec<(String, String)> {
    let mut normal: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), without_port(value)))
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .collect();
    normal.sort();
    normal
}

/// Ports of loopback differ from run to run.
fn without_port(value: &str) -> String {
    match value.split_once("127.0.0.1:") {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
            format!("{before}127.0.0.1:{rest}")
        }
        None => value.to_owned(),
    }
}

impl RecordedRequest {
    pub(crate) fn normal(&self) -> Seen {
        normal_request(&Seen {
            line: self.line.clone(),
            headers: self.headers.clone(),
            body: self.body.clone().into_bytes(),
        })
    }
}

impl RecordedAnswer {
    pub(crate) fn normal(&self) -> Got {
        normal_answer(&Got { status: self.status, headers: self.headers.clone(), body: self.body.clone() })
    }
}
