//! HAR files: the navigations of each page, as hops.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::Trail;
use crate::evidence::{Cause, ExchangeError, ExchangeErrorKind, Hop, RequestRecord, ResponseRecord};

/// The most navigations that are looked at.
const MOST: usize = 5_000;

#[derive(Deserialize)]
struct Har {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default, rename = "_resourceType")]
    resource_type: Option<String>,
    #[serde(default, rename = "_initiator")]
    initiator: Option<Value>,
    #[serde(default)]
    started_date_time: String,
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default)]
    cookies: Vec<Pair>,
    #[serde(default)]
    post_data: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status: i32,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default, rename = "redirectURL")]
    redirect_url: String,
    #[serde(default)]
    content: Content,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default)]
    value: String,
}

/// The navigations of a HAR, in the order they began. What a page loads for itself is left out.
pub(super) fn trails(document: &Value) -> Result<Vec<Trail>, String> {
    let mut har: Har =
        serde_json::from_value(document.clone()).map_err(|error| format!("is no HAR: {error}"))?;
    // Browsers write entries as they end; the times are all of one form in one file.
    har.log.entries.sort_by(|one, other| one.started_date_time.cmp(&other.started_date_time));
    let mut hops: Vec<Hop> = Vec::new();
    for entry in har.log.entries.iter().filter(|entry| entry.navigates()).take(MOST) {
        let Ok(url) = Url::parse(&entry.request.url) else { continue };
        let cause = cause(hops.last(), entry, &url);
        hops.push(entry.hop(hops.len(), cause, url));
    }
    if hops.is_empty() {
        return Err("holds no navigation: record it with the pages, not only with their data".to_owned());
    }
    Ok(vec![Trail { name: "HAR".to_owned(), hops }])
}

fn cause(before: Option<&Hop>, entry: &Entry, url: &Url) -> Cause {
    let redirected = before.and_then(|hop| Some((hop.status()?, hop.redirect_target()?)));
    if let Some((status, target)) = redirected
        && without_fragment(&target) == without_fragment(url)
    {
        return Cause::Redirect(status);
    }
    if url.path().contains("/api/v3/flows/executor/") {
        return Cause::FlowExecutor;
    }
    if entry.request.method != "GET" || entry.request.post_data.is_some() {
        return Cause::Form;
    }
    let by_script = entry.initiator.as_ref().is_some_and(|initiator| initiator["type"] == "script");
    if by_script { Cause::Script } else { Cause::Start }
}

fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

impl Entry {
    /// Whether it is a page, a redirect on the way to one, or a step of a login flow.
    fn navigates(&self) -> bool {
        if self.request.url.contains("/api/v3/flows/executor/") {
            return true;
        }
        if let Some(kind) = &self.resource_type {
            return kind == "document";
        }
        let header = |name: &str| {
            let found = self.request.headers.iter().find(|pair| pair.name.eq_ignore_ascii_case(name));
            found.map(|pair| pair.value.to_ascii_lowercase())
        };
        if let Some(mode) = header("sec-fetch-mode") {
            return mode == "navigate";
        }
        let media = self.response.content.mime_type.to_ascii_lowercase();
        media.is_empty() || media.contains("html") || matches!(self.response.status, 300..=399 | 0)
    }

    fn hop(&self, index: usize, cause: Cause, url: Url) -> Hop {
        let lines = |pairs: &[Pair]| {
            pairs
                .iter()
                .map(|pair| (pair.name.clone().into_bytes(), pair.value.clone().into_bytes()))
                .collect()
        };
        let has = |pairs: &[Pair], name: &str| pairs.iter().any(|pair| pair.name.eq_ignore_ascii_case(name));
        let mut sent: Vec<(Vec<u8>, Vec<u8>)> = lines(&self.request.headers);
        if !has(&self.request.headers, "cookie") && !self.request.cookies.is_empty() {
            let pairs = self.request.cookies.iter().map(|pair| format!("{}={}", pair.name, pair.value));
            sent.push((b"cookie".to_vec(), pairs.collect::<Vec<_>>().join("; ").into_bytes()));
        }
        let mut got: Vec<(Vec<u8>, Vec<u8>)> = lines(&self.response.headers);
        if !has(&self.response.headers, "location") && !self.response.redirect_url.is_empty() {
            got.push((b"location".to_vec(), self.response.redirect_url.clone().into_bytes()));
        }
        let outcome = match u16::try_from(self.response.status) {
            Ok(status @ 100..) => {
                let text = self.response.content.text.clone().unwrap_or_default();
                let body = if self.response.content.encoding.is_some() { String::new() } else { text };
                Ok(ResponseRecord { status, headers: got, body: Bytes::from(body), body_cut: false })
            }
            _ => Err(ExchangeError::new(ExchangeErrorKind::Broken, "no response was recorded")),
        };
        Hop {
            index,
            cause,
            actor: "browser".to_owned(),
            request: RequestRecord {
                method: self.request.method.clone(),
                url,
                target: None,
                headers: sent,
                body: Vec::new(),
            },
            outcome,
            jar: Vec::new(),
            took: Duration::ZERO,
        }
    }
}
