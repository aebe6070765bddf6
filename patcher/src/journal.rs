//! What the watch tells: one JSON object for each event.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

/// Something that has happened.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// When, in UTC.
    pub time: String,
    /// What.
    pub event: Event,
    /// Which file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The routers that got the middleware.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routers: Vec<String>,
    /// From the first news of the change until the new file was in place, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<f64>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where: `file:line:column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The folder is there and watched, and everything in it has been looked at.
    Started,
    /// Routers of a file got the middleware.
    Patched,
    /// A file was left as it is, though something is wrong.
    Left,
    /// A file that a tool was still writing was put back for it, to be patched again.
    Restored,
    /// The folder is not there, or cannot be watched; it will be once it can.
    Waiting,
    /// The watch has ended.
    Stopped,
}

impl Entry {
    /// An entry of this moment.
    pub(crate) fn now(event: Event) -> Self {
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        Self { time, event, file: None, routers: Vec::new(), delay_ms: None, message: None, at: None }
    }

    pub(crate) fn file(mut self, path: &Path) -> Self {
        self.file = Some(path.display().to_string());
        self
    }

    pub(crate) fn delay(mut self, delay: Duration) -> Self {
        self.delay_ms = Some((delay.as_secs_f64() * 1e6).round() / 1e3);
        self
    }

    pub(crate) fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The entry as one line, with its line end.
    pub fn line(&self) -> String {
        let line = serde_json::to_string(self).unwrap_or_else(|error| format!("{{\"event\":\"{error}\"}}"));
        format!("{line}\n")
    }
}
