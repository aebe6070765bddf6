//! Recordings of browsers, as HAR files, and what goes round in them.

use serde::Deserialize;
use serde_json::{Value, json};
use ssoproof::explain::loops::{explain, read};

use crate::Tried;
use crate::cases::said;

/// One recording.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    id: String,
    title: String,
    hops: Vec<Hop>,
    #[serde(rename = "loop")]
    goes_round: bool,
    period: Option<usize>,
    codes: Vec<String>,
    says: Option<String>,
}

/// One navigation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hop {
    url: String,
    status: u16,
    location: Option<String>,
    set: Option<String>,
    cookie: Option<String>,
    by: Option<String>,
}

/// Every recording.
pub(crate) fn tried() -> Vec<Tried> {
    let recordings: Vec<Recording> =
        serde_json::from_str(include_str!("data/loops.json")).expect("recordings");
    recordings
        .into_iter()
        .map(|recording| {
            Tried::new(&recording.id.clone(), &recording.title.clone(), move || check(&recording))
        })
        .collect()
}

/// The recording as a browser saves it.
fn har(recording: &Recording) -> String {
    let header = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| json!({ "name": name, "value": value }))
    };
    let entries: Vec<Value> = recording
        .hops
        .iter()
        .enumerate()
        .map(|(place, hop)| {
            let sent: Vec<Value> = header("Cookie", &hop.cookie).into_iter().collect();
            let got: Vec<Value> = [header("Location", &hop.location), header("Set-Cookie", &hop.set)]
                .into_iter()
                .flatten()
                .collect();
            json!({
                "_resourceType": "document",
                "_initiator": { "type": hop.by.as_deref().unwrap_or("other") },
                "startedDateTime": format!("2026-01-01T00:{:02}:00.000Z", place),
                "request": { "method": "GET", "url": hop.url, "headers": sent },
                "response": { "status": hop.status, "headers": got, "content": { "mimeType": "text/html" } },
            })
        })
        .collect();
    json!({ "log": { "version": "1.2", "entries": entries } }).to_string()
}

fn check(recording: &Recording) -> Result<(), String> {
    let trails = read(&har(recording))?;
    let explanation = explain(trails.first().ok_or("no trail")?);
    let text = explanation.to_string();
    if explanation.found.is_some() != recording.goes_round {
        return Err(format!(
            "a loop is {}expected in\n{text}",
            if recording.goes_round { "" } else { "not " }
        ));
    }
    if recording.period.is_some() && explanation.found.as_ref().map(|found| found.period) != recording.period
    {
        return Err(format!("the period is another in\n{text}"));
    }
    let codes: Vec<&str> = explanation.causes.iter().map(|cause| cause.code).collect();
    if recording.codes.is_empty() && !codes.is_empty() {
        return Err(format!("a cause is named where there is none in\n{text}"));
    }
    said(&codes, &recording.codes, recording.says.as_deref(), &text)
}
