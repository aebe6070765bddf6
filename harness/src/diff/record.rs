//! A case's hops in a form that can be kept and compared: no secrets, and nothing that is new in every run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::body::{self, Bodies};
use super::normal;
use crate::evidence::{Cause, ChangeKind, CookieAttributes, Hop, JarChange, Ledger, is_identity, mask_value};
use crate::runner::{CaseOutcome, Verdict};

/// Response headers that say nothing of how a component behaves, or that stand elsewhere in the record.
const PASSED_OVER: [&str; 14] = [
    "date",
    "content-length",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "set-cookie",
    "location",
    "etag",
    "last-modified",
    "x-amz-request-id",
    "x-amz-id-2",
    "x-authentik-id",
    "x-request-id",
    "sec-websocket-accept",
];

/// The most characters of a page or text that are compared.
const LONGEST_TEXT: usize = 1_000;

/// A case that is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRecord {
    /// The case's name.
    pub id: String,
    /// The requirements that its scenario proves.
    pub requirements: Vec<String>,
    /// What it came to, as [`Verdict`] writes it.
    pub verdict: String,
    /// Whether the verdict says that everything holds; none where the case did not run.
    pub holds: Option<bool>,
    /// What did not hold first, with the cause when it was recognised.
    pub broken: Option<String>,
    /// The hops.
    pub hops: Vec<HopRecord>,
}

/// One exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HopRecord {
    /// Who made it.
    pub actor: String,
    /// Why.
    pub cause: String,
    /// The method.
    pub method: String,
    /// Scheme, host and port.
    pub host: String,
    /// The path, with `<…>` for what names one object.
    pub path: String,
    /// The status; none when nothing came back.
    pub status: Option<u16>,
    /// Why nothing came back.
    pub error: Option<String>,
    /// How long it took, in milliseconds; none where an older program has kept the record.
    #[serde(default)]
    pub took: Option<u64>,
    /// Where a redirect leads.
    pub location: Option<Target>,
    /// What happened to the jar, in the order of the lines.
    pub cookies: Vec<CookieRecord>,
    /// The response's headers, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// The headers that say who and whence, as a service received them, by name in lower case.
    pub arrived: BTreeMap<String, String>,
    /// The claims of each token and of userinfo, by `token.claim`.
    pub claims: BTreeMap<String, String>,
    /// The fields of a JSON body, by their path.
    pub fields: BTreeMap<String, String>,
    /// What a page or a text says.
    pub text: Option<String>,
}

/// Where a redirect leads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Scheme, host and port.
    pub host: String,
    /// The path.
    pub path: String,
    /// The parameters of the query.
    pub parameters: BTreeMap<String, String>,
}

/// What one `Set-Cookie` line did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CookieRecord {
    /// The cookie's name.
    pub name: String,
    /// `set`, `set again`, `removed` or `refused`.
    pub what: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
}

impl CaseRecord {
    /// What is kept of `outcome`.
    pub fn of(outcome: &CaseOutcome) -> Self {
        let mut ids: Vec<String> =
            outcome.case.scenario.file.requirements.iter().map(|id| id.as_str().to_owned()).collect();
        ids.sort();
        // Which requests of many are kept is a matter of chance.
        let hops = outcome.ledger.hops.iter().filter(|hop| hop.cause != Cause::Load);
        let record = Self {
            id: outcome.case.id.clone(),
            requirements: ids,
            verdict: outcome.verdict.to_string(),
            holds: holds(outcome.verdict),
            broken: broken(outcome),
            hops: hops.map(|hop| HopRecord::of(&outcome.ledger, hop)).collect(),
        };
        let mut record = normal::normalised(&record, outcome.redactor()).unwrap_or_else(|| Self {
            id: outcome.case.id.clone(),
            verdict: outcome.verdict.to_string(),
            ..Self::default()
        });
        // Only now: half a secret is not known as one.
        for text in record.hops.iter_mut().filter_map(|hop| hop.text.as_mut()) {
            *text = text.chars().take(LONGEST_TEXT).collect();
        }
        record
    }
}

fn holds(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Passed | Verdict::Warned | Verdict::UnexpectedPass => Some(true),
        Verdict::Failed | Verdict::Error | Verdict::ExpectedFailure => Some(false),
        Verdict::Skipped | Verdict::Unsupported => None,
    }
}

fn broken(outcome: &CaseOutcome) -> Option<String> {
    if holds(outcome.verdict) != Some(false) {
        return None;
    }
    let finding = outcome.findings.first().map(|found| found.finding.what.clone());
    let what = finding.or_else(|| outcome.reason.clone())?;
    Some(match outcome.diagnoses.first() {
        Some(diagnosed) => format!("{}: {what}", diagnosed.code),
        None => what,
    })
}

impl HopRecord {
    fn of(ledger: &Ledger, hop: &Hop) -> Self {
        let mut record = Self {
            actor: hop.actor.clone(),
            cause: hop.cause.to_string(),
            method: hop.request.method.clone(),
            host: origin(&hop.request.url),
            path: normal::template(hop.request.target.as_deref().unwrap_or_else(|| hop.request.url.path())),
            cookies: hop.jar.iter().map(cookie).collect(),
            took: u64::try_from(hop.took.as_millis()).ok(),
            location: hop.redirect_target().map(|url| target(&url)),
            ..Self::default()
        };
        let response = match &hop.outcome {
            Ok(response) => response,
            Err(error) => {
                record.error = Some(format!("{:?}", error.kind));
                return record;
            }
        };
        record.status = Some(response.status);
        for (name, value) in &response.headers {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            if !PASSED_OVER.contains(&name.as_str()) {
                join(&mut record.headers, name, &String::from_utf8_lossy(value));
            }
        }
        let Bodies { fields, claims, text } = body::read(hop.request.url.path(), response);
        record.fields = fields;
        record.claims = claims;
        record.text = text;
        if let Some(report) = ledger.arrived(hop) {
            // The report is the request itself, which is compared as such.
            record.fields.clear();
            record.claims.clear();
            record.text = None;
            record.arrived(&report);
        }
        record
    }

    fn arrived(&mut self, report: &Value) {
        for line in report["headers"].as_array().into_iter().flatten() {
            let name = line[0].as_str().unwrap_or_default();
            let value = line[1].as_str().unwrap_or("bytes");
            if !is_identity(name) {
                continue;
            }
            let token = name.to_ascii_lowercase().replace('_', "-");
            self.claims.extend(body::claims(token.trim_start_matches("http-"), value));
            join(&mut self.arrived, name.to_ascii_lowercase(), value);
        }
    }

    /// The exchange in one line.
    pub fn line(&self) -> String {
        let Self { method, host, path, .. } = self;
        let came = match (self.status, &self.error) {
            (Some(status), _) => status.to_string(),
            (None, error) => format!("no answer: {}", error.as_deref().unwrap_or("unknown")),
        };
        let led = self.location.as_ref().map(|to| format!(" → {}{}", to.host, to.path)).unwrap_or_default();
        format!("{method} {host}{path} {came}{led}")
    }
}

/// Two lines of one header are one, as HTTP reads them.
fn join(headers: &mut BTreeMap<String, String>, name: String, value: &str) {
    let held = headers.entry(name).or_default();
    if !held.is_empty() {
        held.push_str(", ");
    }
    held.push_str(value);
}

fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

fn target(url: &Url) -> Target {
    let mut parameters = BTreeMap::new();
    // The executor of a flow carries the query of the page all along; the hop that led there has shown it.
    let carried = url.path().starts_with("/api/v3/flows/executor/");
    for (name, value) in url.query_pairs() {
        let value = if carried { "…".to_owned() } else { mask_value(&name, &value, 0) };
        parameters.insert(name.to_string(), value);
    }
    Target { host: origin(url), path: normal::template(url.path()), parameters }
}

fn cookie(change: &JarChange) -> CookieRecord {
    let (what, attributes) = match &change.kind {
        ChangeKind::Set => ("set", attributes(&change.attributes)),
        ChangeKind::Replaced { .. } => ("set again", attributes(&change.attributes)),
        ChangeKind::Removed => ("removed", BTreeMap::new()),
        ChangeKind::Rejected { reason } => ("refused", BTreeMap::from([("because".into(), reason.clone())])),
    };
    CookieRecord { name: change.name.clone(), what: what.to_owned(), attributes }
}

fn attributes(of: &CookieAttributes) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([("Path".to_owned(), of.path.clone())]);
    if !of.host_only {
        all.insert("Domain".to_owned(), of.domain.clone());
    }
    if of.secure {
        all.insert("Secure".to_owned(), String::new());
    }
    if of.http_only {
        all.insert("HttpOnly".to_owned(), String::new());
    }
    all.extend(of.same_site.map(|same_site| ("SameSite".to_owned(), same_site.to_string())));
    // What is left of a session is a second more or less from run to run.
    let minutes = |seconds: i64| if seconds < 120 { seconds } else { (seconds + 30) / 60 * 60 };
    all.extend(of.max_age.map(|seconds| ("Max-Age".to_owned(), minutes(seconds).to_string())));
    // The moment is the clock's; that there is one is not.
    all.extend(of.expires.map(|_| ("Expires".to_owned(), "<time>".to_owned())));
    all
}
