//! The answer of a probe.

use maud::{DOCTYPE, PreEscaped, html};
use serde_json::Value;

/// A page that holds the report for scripts and people.
pub(super) fn page(service: &str, report: &Value) -> String {
    let embedded = report.to_string().replace('<', "\\u003c");
    let user = report["user"]["username"].as_str();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (service) }
            }
            body {
                h1 { (service) }
                @if let Some(user) = user {
                    p { "Signed in as " span id="user" { (user) } }
                }
                script type="application/json" id="arrived" { (PreEscaped(embedded)) }
            }
        }
    }
    .into_string()
}

/// A whole response.
pub(super) struct Answer {
    pub(super) status: (u16, &'static str),
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Answer {
    /// The bytes on the wire; without the body when `head_only`, but with its length.
    pub(super) fn bytes(&self, head_only: bool, close: bool) -> Vec<u8> {
        let (code, words) = self.status;
        let mut bytes = format!("HTTP/1.1 {code} {words}\r\n");
        for (name, value) in &self.headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        if code != 101 {
            bytes.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
            bytes.push_str(if close { "Connection: close\r\n" } else { "Connection: keep-alive\r\n" });
        }
        bytes.push_str("\r\n");
        if !head_only {
            bytes.push_str(&self.body);
        }
        bytes.into_bytes()
    }
}
