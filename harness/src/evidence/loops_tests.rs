use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::evidence::{RequestRecord, ResponseRecord};

const STREAM: &str = "https://stream.spacemusic.tv/";
const DOCS: &str = "https://docs.spacemusic.tv/";
const SIGN_OUT: &str = "https://stream.spacemusic.tv/outpost.goauthentik.io/sign_out";
const FLOW: &str = "https://auth.spacemusic.tv/if/flow/default-authentication-flow/";
const EXECUTOR: &str = "https://auth.spacemusic.tv/api/v3/flows/executor/default-authentication-flow/?query=";

/// Hops written as a script: what the actor does, with fresh states and codes each time.
#[derive(Default)]
struct Script {
    hops: Vec<Hop>,
    round: usize,
}

impl Script {
    fn hop(
        &mut self,
        cause: Cause,
        method: &str,
        url: &str,
        cookies: &str,
        status: u16,
        location: Option<&str>,
    ) {
        let line = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        self.hops.push(Hop {
            index: self.hops.len(),
            cause,
            actor: "alice".into(),
            request: RequestRecord {
                method: method.into(),
                url: Url::parse(url).unwrap(),
                target: None,
                headers: vec![line("Cookie", cookies)],
                body: vec![],
            },
            outcome: Ok(ResponseRecord {
                status,
                headers: location.map(|location| line("Location", location)).into_iter().collect(),
                body: Bytes::new(),
                body_cut: false,
            }),
            jar: vec![],
            took: Duration::ZERO,
        });
    }

    fn authorize(&mut self) -> String {
        self.round += 1;
        format!("https://auth.spacemusic.tv/application/o/authorize/?client_id=x&state=s{}", self.round)
    }

    fn callback(&self, service: &str) -> String {
        format!("{service}outpost.goauthentik.io/callback?code=c{0}&state=s{0}", self.round)
    }

    /// 20-login-alice: a visit that meets the login page.
    fn visit_and_sign_in(&mut self, service: &str) {
        let (authorize, flow) = (self.authorize(), format!("{FLOW}?next=%2Fapplication%2Fo%2Fauthorize%2F"));
        self.hop(Cause::Start, "GET", service, "", 302, Some(&authorize));
        self.hop(Cause::Redirect(302), "GET", &authorize, "", 302, Some(&flow));
        self.hop(Cause::Redirect(302), "GET", &flow, "core=0", 200, None);
        self.hop(Cause::FlowExecutor, "GET", EXECUTOR, "core=0", 200, None);
        for _ in 0..2 {
            self.hop(Cause::FlowExecutor, "POST", EXECUTOR, "core=0", 302, Some(EXECUTOR));
            self.hop(Cause::Redirect(302), "GET", EXECUTOR, "core=0", 200, None);
        }
        let callback = self.callback(service);
        self.hop(Cause::Script, "GET", &authorize, "core=1", 302, Some(&callback));
        self.hop(Cause::Redirect(302), "GET", &callback, "proxy=1", 302, Some(service));
        self.hop(Cause::Redirect(302), "GET", service, "proxy=1", 200, None);
    }

    /// 30-signout-full-chain: a visit that signs in silently.
    fn visit_silently(&mut self, service: &str, before: &str, after: &str) {
        let authorize = self.authorize();
        let callback = self.callback(service);
        self.hop(Cause::Start, "GET", service, before, 302, Some(&authorize));
        self.hop(Cause::Redirect(302), "GET", &authorize, "core=1", 302, Some(&callback));
        self.hop(Cause::Redirect(302), "GET", &callback, after, 302, Some(service));
        self.hop(Cause::Redirect(302), "GET", service, after, 200, None);
    }

    fn visit(&mut self, service: &str) {
        self.hop(Cause::Start, "GET", service, "proxy=1", 200, None);
    }

    fn sign_out(&mut self) {
        let end = "https://auth.spacemusic.tv/application/o/stream/end-session/?id_token_hint=x";
        let flow = "https://auth.spacemusic.tv/if/flow/default-provider-invalidation-flow/";
        self.hop(Cause::Start, "GET", SIGN_OUT, "proxy=1", 302, Some(end));
        self.hop(Cause::Redirect(302), "GET", end, "core=1", 302, Some(flow));
        self.hop(Cause::Redirect(302), "GET", flow, "core=1", 200, None);
        self.hop(
            Cause::FlowExecutor,
            "GET",
            "https://auth.spacemusic.tv/api/v3/flows/executor/x/",
            "core=1",
            200,
            None,
        );
    }

    fn detect(&self) -> Option<LoopReport> {
        detect(&self.hops.iter().collect::<Vec<_>>())
    }
}

#[test]
fn a_login_that_returns_to_the_first_url_is_no_loop() {
    let mut script = Script::default();
    script.visit_and_sign_in(STREAM);
    script.visit(STREAM);
    script.visit_silently(DOCS, "", "proxy=2");
    script.visit(STREAM);
    assert_eq!(script.detect(), None);
}

#[test]
fn a_second_login_after_a_full_sign_out_is_no_loop() {
    let mut script = Script::default();
    script.visit_and_sign_in(STREAM);
    script.hop(
        Cause::Start,
        "GET",
        "https://auth.spacemusic.tv/if/flow/default-invalidation-flow/",
        "core=1",
        200,
        None,
    );
    script.visit_and_sign_in(STREAM);
    script.visit_silently(DOCS, "", "proxy=2");
    assert_eq!(script.detect(), None);
}

#[test]
fn logout_loop_authentik_2023() {
    let mut script = Script::default();
    script.visit_and_sign_in(STREAM);
    script.sign_out();
    let start = script.hops.len();
    script.visit_silently(STREAM, "proxy=1", "proxy=1");
    let report = script.detect().expect("a report");
    assert_eq!((report.kind, report.start, report.length), (LoopKind::SignOutUndone, start, 3));
    assert!(report.jar_steady);
    assert_eq!(
        report.description,
        "the visit after the sign-out signs in silently: stream.spacemusic.tv/ → \
         auth.spacemusic.tv/application/o/authorize/ → stream.spacemusic.tv/outpost.goauthentik.io/callback → \
         stream.spacemusic.tv/"
    );
}

#[test]
fn endless_sign_in_within_one_navigation() {
    // A callback whose cookie never sticks: the browser goes round by itself.
    let mut script = Script::default();
    for cause in [Cause::Start, Cause::Redirect(302), Cause::Redirect(302)] {
        let authorize = script.authorize();
        let callback = script.callback(STREAM);
        script.hop(cause, "GET", STREAM, "", 302, Some(&authorize));
        script.hop(Cause::Redirect(302), "GET", &authorize, "core=1", 302, Some(&callback));
        script.hop(Cause::Redirect(302), "GET", &callback, "", 302, Some(STREAM));
    }
    let report = script.detect().expect("a report");
    assert_eq!((report.kind, report.start, report.length), (LoopKind::Redirects, 0, 3));
    assert_eq!(
        report.cycle[1].url,
        "https://auth.spacemusic.tv/application/o/authorize/?client_id=x&state=*"
    );
    assert!(report.description.starts_with("redirects go round every 3 hops with the same cookies: stream"));
}

#[test]
fn new_cookie_values_need_two_full_rounds() {
    let mut script = Script::default();
    for round in 0..2 {
        let cause = if round == 0 { Cause::Start } else { Cause::Redirect(302) };
        script.hop(cause, "GET", STREAM, &format!("proxy={round}"), 302, Some(DOCS));
        script.hop(Cause::Redirect(302), "GET", DOCS, &format!("other={round}"), 302, Some(STREAM));
        if round == 0 {
            assert_eq!(script.detect(), None);
        }
    }
    script.hop(Cause::Redirect(302), "GET", STREAM, "proxy=9", 302, Some(DOCS));
    let report = script.detect().expect("a report");
    assert!(!report.jar_steady);
    assert_eq!(report.length, 2);
}

#[test]
fn the_same_silent_sign_in_twice_is_reported_unless_the_jar_was_emptied() {
    let mut kept = Script::default();
    kept.visit_silently(STREAM, "", "proxy=1");
    kept.visit_silently(STREAM, "proxy=1", "proxy=1");
    assert_eq!(
        kept.detect().map(|report| (report.kind, report.start)),
        Some((LoopKind::SilentSignInAgain, 4))
    );
    let mut emptied = Script::default();
    emptied.visit_silently(STREAM, "", "proxy=1");
    emptied.visit_silently(STREAM, "", "proxy=1");
    assert_eq!(emptied.detect(), None);
}

#[test]
fn a_browser_that_stopped_where_it_went_round_has_gone_round() {
    let mut script = Script::default();
    script.hop(Cause::Start, "GET", DOCS, "", 302, Some(DOCS));
    assert!(script.detect().is_none());
    script.hop(Cause::Redirect(302), "GET", DOCS, "", 302, Some(DOCS));
    let found = script.detect().expect("a loop");
    assert_eq!((found.kind, found.start, found.length), (LoopKind::Redirects, 0, 1));
}

#[test]
fn a_page_that_sets_a_cookie_and_redirects_to_itself_is_no_loop() {
    let mut script = Script::default();
    script.hop(Cause::Start, "GET", STREAM, "", 302, Some(STREAM));
    script.hop(Cause::Redirect(302), "GET", STREAM, "seen=1", 302, Some(STREAM));
    script.hop(Cause::Redirect(302), "GET", STREAM, "lang=en; seen=1", 200, None);
    assert_eq!(script.detect(), None);
}

proptest! {
    #[test]
    fn every_periodic_redirect_chain_is_found_with_its_length(prefix in 0usize..5, period in 1usize..6) {
        let page = |place: usize| format!("https://a.test/{place}?state={place}");
        let way: Vec<usize> = (0..prefix).chain((0..period * 2 + 1).map(|step| prefix + step % period)).collect();
        let mut detector = Detector::default();
        let mut found = None;
        let mut script = Script::default();
        for pair in way.windows(2) {
            script.hop(Cause::Redirect(302), "GET", &page(pair[0]), "a=1", 302, Some(&page(pair[1])));
            found = found.or(detector.push(script.hops.last().unwrap()));
        }
        let report = found.expect("a report");
        prop_assert_eq!((report.start, report.length), (prefix, period));
        prop_assert!(report.jar_steady);
    }

    #[test]
    fn no_chain_of_distinct_pages_is_reported(count in 1usize..30, cookies in "[a-z]=[0-9]") {
        let mut script = Script::default();
        for place in 0..count {
            let next = format!("https://a.test/{}", place + 1);
            script.hop(Cause::Redirect(302), "GET", &format!("https://a.test/{place}"), &cookies, 302, Some(&next));
        }
        prop_assert_eq!(script.detect(), None);
    }

    #[test]
    fn no_order_of_logins_and_visits_is_reported(acts in proptest::collection::vec(0u8..3, 0..8)) {
        let mut script = Script::default();
        for act in acts {
            match act {
                0 => script.visit_and_sign_in(STREAM),
                1 => script.visit(STREAM),
                _ => script.visit(DOCS),
            }
        }
        prop_assert_eq!(script.detect(), None);
    }
}
