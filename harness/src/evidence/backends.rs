//! How a service tells what reached it: as a probe, as an echo service, or not at all.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use url::Url;

use super::Hop;

/// The header of every answer of a probe, with the probe's name.
pub(crate) const PROBE: &str = "x-ssoproof-probe";

/// How the services tell what reached them, by host. A host that is not listed has a probe, as on stacks that the
/// harness has started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backends(BTreeMap<String, Tells>);

/// How one service tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// The answer is a probe's.
    Probe,
    /// The answer is the request that reached the service: in JSON, or in the text of `traefik/whoami`.
    Echo,
    /// It does not.
    Nothing,
}

impl Backends {
    /// Services that tell in these ways, by host in lower case.
    pub fn new(by_host: BTreeMap<String, Tells>) -> Self {
        Self(by_host)
    }

    /// How the service at `url` tells.
    pub fn tells(&self, url: &Url) -> Tells {
        url.host_str().and_then(|host| self.0.get(host)).copied().unwrap_or(Tells::Probe)
    }

    /// What a service says reached it, when `hop` is an answer of one.
    pub fn arrived(&self, hop: &Hop) -> Option<Value> {
        match self.tells(&hop.request.url) {
            Tells::Probe => of_probe(hop),
            Tells::Echo => of_probe(hop).or_else(|| of_echo(hop)),
            Tells::Nothing => None,
        }
    }

    /// Whether `hop` is the answer of a service that tells what reaches it, be there a body that does or not, as to HEAD.
    pub fn reached(&self, hop: &Hop) -> bool {
        let probe = self.tells(&hop.request.url) != Tells::Nothing
            && hop.response().is_some_and(|response| response.header(PROBE).is_some());
        probe || self.arrived(hop).is_some()
    }

    /// Whether `hop` is the answer of a service that does not tell, as far as can be seen from outside: nothing of the
    /// outpost's, no redirect, no refusal, and the gateway has reached it.
    pub fn answers_silently(&self, hop: &Hop) -> bool {
        let outpost = hop.request.url.path().starts_with("/outpost.goauthentik.io/");
        self.tells(&hop.request.url) == Tells::Nothing
            && !outpost
            && hop.status().is_some_and(|status| matches!(status, 200..300 | 304 | 400 | 404..500))
    }
}

/// The header lines in a report of what reached a service, in their order.
pub(crate) fn header_lines(report: &Value) -> impl Iterator<Item = (&str, &str)> {
    let lines = report["headers"].as_array().into_iter().flatten();
    lines.filter_map(|line| Some((line.get(0)?.as_str()?, line.get(1)?.as_str()?)))
}

/// The report of a probe.
fn of_probe(hop: &Hop) -> Option<Value> {
    let response = hop.response()?;
    response.header(PROBE)?;
    if response.media_type().as_deref() == Some("text/html") {
        let page = scraper::Html::parse_document(&response.text());
        let selector = scraper::Selector::parse("script#arrived").ok()?;
        let text: String = page.select(&selector).next()?.text().collect();
        return serde_json::from_str(&text).ok();
    }
    response.json()
}

/// What an echo service says, in the words of a probe's report as far as it says so.
fn of_echo(hop: &Hop) -> Option<Value> {
    let response = hop.response().filter(|response| response.status == 200)?;
    let report = match response.json() {
        Some(body) => of_json(&body)?,
        None => of_whoami(&response.text())?,
    };
    Some(Value::Object(report))
}

/// A body with the headers as an object, each value a text or a list of them; in `request` where it is not at the top.
fn of_json(body: &Value) -> Option<Map<String, Value>> {
    let told = [body, &body["request"]].into_iter().find(|told| told["headers"].is_object())?;
    let mut lines = Vec::new();
    for (name, value) in told["headers"].as_object()? {
        match value {
            Value::Array(values) => lines.extend(values.iter().map(|value| json!([name, value]))),
            value => lines.push(json!([name, value])),
        }
    }
    let mut report = Map::from_iter([("headers".to_owned(), Value::Array(lines))]);
    if let Some(method) = told["method"].as_str() {
        report.insert("method".to_owned(), json!(method));
    }
    Some(report)
}

/// The text of `traefik/whoami`: its own names and addresses, then the request as it would be on the wire.
fn of_whoami(text: &str) -> Option<Map<String, Value>> {
    let mut lines = text.lines().skip_while(|line| !line.contains(" HTTP/"));
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let headers: Vec<Value> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| json!([name, value.trim()]))
        .collect();
    let facts = [("method", json!(method)), ("target", json!(target)), ("headers", json!(headers))];
    Some(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::evidence::{Cause, RequestRecord, ResponseRecord};

    fn hop(url: &str, status: u16, body: &str) -> Hop {
        let request = RequestRecord {
            method: "GET".into(),
            url: Url::parse(url).unwrap(),
            target: None,
            headers: Vec::new(),
            body: Vec::new(),
        };
        let body = body.to_owned().into();
        let response = ResponseRecord { status, headers: Vec::new(), body, body_cut: false };
        Hop {
            index: 0,
            cause: Cause::Start,
            actor: "user".into(),
            request,
            outcome: Ok(response),
            jar: Vec::new(),
            took: Duration::ZERO,
        }
    }

    fn backends(tells: Tells) -> Backends {
        Backends::new(BTreeMap::from([("docs.test".to_owned(), tells)]))
    }

    #[test]
    fn a_probe_is_reached_when_its_answer_has_no_body() {
        let mut hop = hop("https://docs.test/", 200, "");
        assert!(!backends(Tells::Probe).reached(&hop));
        let response = hop.outcome.as_mut().unwrap();
        response.headers.push((b"X-Ssoproof-Probe".to_vec(), b"docs".to_vec()));
        assert!(backends(Tells::Probe).reached(&hop));
        assert_eq!(backends(Tells::Probe).arrived(&hop), None);
        assert!(!backends(Tells::Nothing).reached(&hop));
    }

    #[test]
    fn whoami_is_read_as_a_report() {
        let text = "Hostname: 1f2e\nIP: 127.0.0.1\nRemoteAddr: 10.0.0.2:1234\nGET /a?b=c HTTP/1.1\nHost: docs.test\n\
                    X-Authentik-Name: Zoë: Müller\nX-Two: 1\nX-Two: 2\n\n";
        let expected = json!({
            "method": "GET", "target": "/a?b=c",
            "headers": [["Host", "docs.test"], ["X-Authentik-Name", "Zoë: Müller"], ["X-Two", "1"], ["X-Two", "2"]],
        });
        let hop = hop("https://docs.test/a?b=c", 200, text);
        assert_eq!(backends(Tells::Echo).arrived(&hop), Some(expected));
        assert_eq!(backends(Tells::Nothing).arrived(&hop), None);
        assert_eq!(
            Backends::default().arrived(&hop),
            None,
            "an answer without the probe's header is none of its"
        );
    }

    #[test]
    fn json_of_several_echo_services_is_read_as_a_report() {
        let cases = [
            json!({ "headers": { "x-a": "1", "x-b": ["2", "3"] }, "method": "POST" }),
            json!({ "host": {}, "request": { "headers": { "x-a": "1", "x-b": ["2", "3"] }, "method": "POST" } }),
        ];
        let expected = json!({ "method": "POST", "headers": [["x-a", "1"], ["x-b", "2"], ["x-b", "3"]] });
        for body in cases {
            let hop = hop("https://docs.test/", 200, &body.to_string());
            assert_eq!(backends(Tells::Echo).arrived(&hop), Some(expected.clone()), "{body}");
        }
    }

    #[test]
    fn what_is_no_echo_is_no_report() {
        for (status, body) in [(404, "GET / HTTP/1.1\n\n"), (200, "<h1>Hello</h1>"), (200, "{\"error\": 1}")]
        {
            assert_eq!(
                backends(Tells::Echo).arrived(&hop("https://docs.test/", status, body)),
                None,
                "{body}"
            );
        }
    }

    #[test]
    fn the_answer_of_a_service_that_tells_nothing_is_known_by_its_status_and_path() {
        let cases = [
            ("https://docs.test/", 200, true),
            ("https://docs.test/", 302, false),
            ("https://docs.test/", 403, false),
            ("https://docs.test/none", 404, true),
            ("https://docs.test/", 502, false),
            ("https://docs.test/outpost.goauthentik.io/ping", 204, false),
            ("https://auth.test/", 200, false),
        ];
        for (url, status, expected) in cases {
            assert_eq!(
                backends(Tells::Nothing).answers_silently(&hop(url, status, "")),
                expected,
                "{url} {status}"
            );
        }
    }
}
