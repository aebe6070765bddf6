//! Causes that have to do with cookies.

use super::super::{Cause, Round};
use super::{Rule, host};
use crate::agent::{Jar, Mode, RequestContext};
use crate::evidence::{ChangeKind, Hop};

/// SSO-L18.
pub(super) const REFUSED: Rule = Rule {
    code: "SSO-L18",
    explanation: Some(
        "The browser does not take or send a cookie\n\n\
         A `Set-Cookie` line is not taken when its `Domain` is not the host's own or above it, when it is `Secure` and \
         comes by http, or when a `__Host-` or `__Secure-` name breaks its rules. A cookie that is taken is not sent to \
         another host, another path, or by http. Without it the next request looks like the first.\n\
         Give the cookie the domain of both hosts, the path of both requests, and https on both.",
    ),
    examine: refused,
};

fn refused(hops: &[&Hop], found: Option<&Round>) -> Option<Cause> {
    let mut jar = Jar::new();
    for hop in hops {
        let context = RequestContext {
            url: &hop.request.url,
            initiator: None,
            mode: Mode::Navigation,
            safe_method: matches!(hop.request.method.as_str(), "GET" | "HEAD"),
        };
        let Some(response) = hop.response() else { continue };
        for line in response.header_values("set-cookie").flat_map(|line| line.split(|byte| *byte == b'\n')) {
            let Some(change) = jar.take(line, &context) else { continue };
            let ChangeKind::Rejected { reason } = change.kind else { continue };
            return Some(Cause {
                code: REFUSED.code,
                title: format!(
                    "the browser does not take cookie `{}` of {}: {reason}",
                    change.name,
                    host(hop)
                ),
                help: "mend the cookie's Domain, Secure and Path".to_owned(),
                hop: Some(hop.index),
            });
        }
    }
    found.and_then(|_| not_sent(hops))
}

/// A session cookie that a host set and that the next request for the same host does not carry, in a recording whose
/// cookies are not left out.
fn not_sent(hops: &[&Hop]) -> Option<Cause> {
    if hops.iter().all(|hop| hop.request.header("cookie").is_none()) {
        return None;
    }
    for (at, hop) in hops.iter().enumerate() {
        let Some(response) = hop.response() else { continue };
        let Some(next) = hops.get(at + 1..)?.iter().find(|next| host(next) == host(hop)) else { continue };
        for line in response.header_values("set-cookie") {
            let line = String::from_utf8_lossy(line);
            let Some((name, rest)) = line.split_once('=') else { continue };
            let lower = rest.to_ascii_lowercase();
            let gone = lower.contains("max-age=0") || lower.contains("max-age=-") || lower.contains("1970");
            let sent = next.request.cookies().iter().any(|(sent, _)| *sent == name.trim());
            if !gone && !sent {
                let why = if lower.contains("secure") && next.request.url.scheme() == "http" {
                    "it is Secure, and the request is http"
                } else if lower.contains("path=/")
                    && !lower.contains("path=/;")
                    && !lower.trim_end().ends_with("path=/")
                {
                    "its Path is another"
                } else {
                    "the browser blocked or lost it"
                };
                return Some(Cause {
                    code: REFUSED.code,
                    title: format!("cookie `{}` of {} is not sent back: {why}", name.trim(), host(hop)),
                    help: "mend the cookie's Domain, Secure and Path".to_owned(),
                    hop: Some(next.index),
                });
            }
        }
    }
    None
}
