//! Why a browser goes round, or ends where it should not: rules that need a recording alone.

mod cookies;
mod logout;
mod outpost;
mod urls;

use super::{Cause, Round};
use crate::evidence::{Hop, parameter};

/// A rule that recognises one cause.
pub struct Rule {
    /// The code of the causes it recognises.
    pub code: &'static str,
    /// How the cause comes about and what to do; the first line is the title. `None` where a diagnosis of a run has
    /// the same code and explains it.
    pub explanation: Option<&'static str>,
    /// The cause in the navigations of a browser, given the loop in them.
    pub examine: fn(&[&Hop], Option<&Round>) -> Option<Cause>,
}

/// Every rule, the most specific cause first. A new one is a rule in one of the files and a line here.
pub const ALL: &[Rule] = &[
    urls::INTERNAL_HOST,
    urls::PLAIN_HTTP,
    urls::SCHEME_PING_PONG,
    urls::NESTED_RETURN,
    outpost::OTHER_HOST,
    logout::DEMANDS_A_SESSION,
    logout::UNDONE,
    cookies::REFUSED,
    outpost::STATE_MISMATCH,
    outpost::CODE_WITHOUT_SESSION,
];

fn path_ends(hop: &Hop, end: &str) -> bool {
    hop.request.url.path().trim_end_matches('/').ends_with(end.trim_end_matches('/'))
}

/// Whether the hop is a request to the authorize endpoint, Authentik's or another's.
fn is_authorize(hop: &Hop) -> bool {
    path_ends(hop, "/authorize") && parameter(&hop.request.url, "client_id").is_some()
}

/// Whether the hop is a callback with a code: the outpost's, Grafana's, MinIO's or another's.
fn is_callback(hop: &Hop) -> bool {
    let has = |wanted: &str| parameter(&hop.request.url, wanted).is_some();
    has("code") && has("state")
}

fn host(hop: &Hop) -> &str {
    hop.request.url.host_str().unwrap_or_default()
}
