//! Top-level navigation: redirects, refreshes, loops.

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use url::Url;

use super::browser::Agent;
use super::form;
use super::landing::Landing;
use super::outgoing::Outgoing;
use crate::evidence::loops::Detector;
use crate::evidence::{Cause, Hop, Ledger, ResponseRecord};

/// A refresh that waits longer than this, in seconds, is a page a person reads.
const PROMPT_REFRESH: u64 = 5;

impl Agent {
    /// Navigates as a browser does: redirects with their method rules, relative `Location`, fragments carried
    /// on, `Refresh` and meta refresh of at most 5 s. Stops at the hop limit and when the redirects go round.
    pub async fn navigate(&mut self, start: Outgoing, ledger: &mut Ledger) -> Landing {
        self.navigate_by(start, Cause::Start, ledger).await
    }

    pub(super) async fn navigate_by(
        &mut self,
        start: Outgoing,
        cause: Cause,
        ledger: &mut Ledger,
    ) -> Landing {
        let (mut request, mut cause) = (start, cause);
        let mut detector = Detector::default();
        for _ in 0..self.limits.max_hops.max(1) {
            let index = self.exchange(request.clone(), cause, ledger).await;
            let Some(hop) = ledger.hop(index) else { return Landing::Failed { hop: index } };
            let Some(response) = hop.response() else { return Landing::Failed { hop: index } };
            let Some((next, why)) = following(&request, hop, response) else {
                return Landing::Arrived { hop: index };
            };
            if self.stops_at(&next.url) {
                return Landing::Arrived { hop: index };
            }
            if let Some(report) = detector.push(hop) {
                ledger.turning = Some(report.start);
                return Landing::Loop(report);
            }
            (request, cause) = (next, why);
        }
        ledger.turning = ledger.hops.len().checked_sub(1);
        Landing::TooManyHops
    }

    fn stops_at(&self, next: &Url) -> bool {
        self.stop_at.as_ref().is_some_and(|stop| stop.origin() == next.origin() && stop.path() == next.path())
    }
}

/// The request a browser makes next by itself; `None` when it stays.
fn following(request: &Outgoing, hop: &Hop, response: &ResponseRecord) -> Option<(Outgoing, Cause)> {
    if let Some(target) = hop.redirect_target() {
        let target = followable(target, &request.url)?;
        return Some((redirected(request, response.status, target), Cause::Redirect(response.status)));
    }
    if matches!(response.status, 300..=399) {
        return None;
    }
    let target = refresh_target(response, &request.url)?;
    let target = followable(target, &request.url)?;
    // A page that reloads itself waits for something; a browser shows it, so does this one.
    if target.as_str() == request.url.as_str() {
        return None;
    }
    let next = Outgoing { initiator: Some(request.url.clone()), ..Outgoing::get(target) };
    Some((next, Cause::MetaRefresh))
}

/// The target with the fragment of the page before, when it has none of its own; `None` unless http(s).
fn followable(mut target: Url, from: &Url) -> Option<Url> {
    if !matches!(target.scheme(), "http" | "https") {
        return None;
    }
    if target.fragment().is_none() {
        target.set_fragment(from.fragment());
    }
    Some(target)
}

/// RFC 9110 15.4 as browsers do it: 303 becomes GET, 301 and 302 turn POST into GET, 307 and 308 repeat.
fn redirected(request: &Outgoing, status: u16, target: Url) -> Outgoing {
    let mut next = Outgoing { url: target, ..request.clone() };
    let to_get = match status {
        303 => request.method != Method::HEAD,
        301 | 302 => request.method == Method::POST,
        _ => false,
    };
    if to_get {
        next.method = Method::GET;
        next.body.clear();
        next.headers.remove(CONTENT_TYPE);
    }
    if next.url.origin() != request.url.origin() {
        next.headers.remove(AUTHORIZATION);
        next.headers.remove(COOKIE);
    }
    next
}

fn refresh_target(response: &ResponseRecord, page: &Url) -> Option<Url> {
    let text = match response.header("refresh") {
        Some(value) => value.to_owned(),
        None if response.media_type().as_deref() == Some("text/html") => {
            form::meta_refresh(&response.text())?
        }
        None => return None,
    };
    let (seconds, rest) = match text.split_once([';', ',']) {
        Some((seconds, rest)) => (seconds.trim(), rest.trim()),
        None => return None,
    };
    let whole = seconds.split('.').next().unwrap_or_default();
    if whole.parse::<u64>().ok()? > PROMPT_REFRESH {
        return None;
    }
    let target = match rest.get(..3) {
        Some(start) if start.eq_ignore_ascii_case("url") => {
            rest.get(3..)?.trim_start().strip_prefix('=').map_or(rest, str::trim)
        }
        _ => rest,
    };
    page.join(target.trim_matches(['"', '\''])).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn post() -> Outgoing {
        Outgoing::post_form(url("https://a.test/form"), [("x", "1")], None)
    }

    #[test]
    fn a_post_becomes_get_by_301_302_303_and_stays_by_307_308() {
        for (status, method, kept) in [
            (301, "GET", false),
            (302, "GET", false),
            (303, "GET", false),
            (307, "POST", true),
            (308, "POST", true),
        ] {
            let next = redirected(&post(), status, url("https://a.test/next"));
            assert_eq!(next.method, method, "{status}");
            assert_eq!(!next.body.is_empty(), kept, "{status}");
            assert_eq!(next.headers.contains_key(CONTENT_TYPE), kept, "{status}");
        }
    }

    #[test]
    fn other_methods_survive_302_and_head_survives_303() {
        let put = Outgoing { method: Method::PUT, ..Outgoing::get(url("https://a.test/")) };
        assert_eq!(redirected(&put, 302, url("https://a.test/x")).method, Method::PUT);
        assert_eq!(redirected(&put, 303, url("https://a.test/x")).method, Method::GET);
        let head = Outgoing { method: Method::HEAD, ..Outgoing::get(url("https://a.test/")) };
        assert_eq!(redirected(&head, 303, url("https://a.test/x")).method, Method::HEAD);
    }

    #[test]
    fn credentials_of_the_caller_do_not_leave_their_origin() {
        let value = http::HeaderValue::from_static("Basic eA==");
        let request = Outgoing::get(url("https://a.test/")).header(AUTHORIZATION, value);
        assert!(redirected(&request, 302, url("https://a.test/x")).headers.contains_key(AUTHORIZATION));
        assert!(!redirected(&request, 302, url("https://b.test/x")).headers.contains_key(AUTHORIZATION));
    }

    #[test]
    fn fragments_are_carried_on_unless_the_target_has_one() {
        let page = url("https://a.test/#top");
        assert_eq!(followable(url("https://a.test/x"), &page).unwrap().as_str(), "https://a.test/x#top");
        assert_eq!(followable(url("https://a.test/x#y"), &page).unwrap().as_str(), "https://a.test/x#y");
        assert_eq!(followable(url("javascript:alert(1)"), &page), None);
    }

    #[test]
    fn refreshes_are_read_in_their_usual_spellings() {
        let page = url("https://a.test/p/");
        let target = |value: &str| {
            let response = ResponseRecord {
                status: 200,
                headers: vec![(b"Refresh".to_vec(), value.as_bytes().to_vec())],
                body: Bytes::new(),
                body_cut: false,
            };
            refresh_target(&response, &page).map(String::from)
        };
        assert_eq!(target("0; URL='/next'").as_deref(), Some("https://a.test/next"));
        assert_eq!(target("1.5;url = x").as_deref(), Some("https://a.test/p/x"));
        assert_eq!(target("0, y").as_deref(), Some("https://a.test/p/y"));
        assert_eq!(target("30; url=/later"), None);
        assert_eq!(target("5"), None);
    }
}
