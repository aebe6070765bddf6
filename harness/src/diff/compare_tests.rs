//! Comparing records of one case.

use super::*;
use crate::diff::severity::{self, Severity};

fn hop(path: &str) -> HopRecord {
    HopRecord { method: "GET".into(), path: path.into(), status: Some(200), ..HopRecord::default() }
}

fn case(hops: Vec<HopRecord>) -> CaseRecord {
    CaseRecord {
        id: "a/b".into(),
        verdict: "passed".into(),
        holds: Some(true),
        hops,
        ..CaseRecord::default()
    }
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What differs between two hops, as kind, subject and severity.
fn between(from: HopRecord, to: HopRecord) -> Vec<(Kind, String, Severity)> {
    let found = compare(&case(vec![from]), &case(vec![to]));
    found.into_iter().map(|one| (one.kind, one.subject.clone(), severity::of(&one).0)).collect()
}

#[test]
fn a_case_does_not_differ_from_itself() {
    let mut one = hop("/");
    one.claims = map(&[("id_token.sub", "x")]);
    one.cookies =
        vec![CookieRecord { name: "c".into(), what: "set".into(), attributes: map(&[("Path", "/")]) }];
    assert_eq!(between(one.clone(), one), []);
}

#[test]
fn what_a_failed_case_never_came_to_is_no_difference() {
    let whole = case(vec![hop("/"), hop("/later"), hop("/last")]);
    let failed = CaseRecord { verdict: "failed".into(), holds: Some(false), ..case(vec![hop("/")]) };
    for (from, to) in [(&whole, &failed), (&failed, &whole)] {
        let kinds: Vec<Kind> = compare(from, to).iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::Verdict]);
    }
    let astray = CaseRecord { hops: vec![hop("/"), hop("/elsewhere")], ..failed };
    let subjects: Vec<String> = compare(&whole, &astray).into_iter().map(|one| one.subject).collect();
    assert_eq!(subjects, ["", "GET /elsewhere"]);
}

#[test]
fn a_missing_identity_header_breaks() {
    let arrived = HopRecord { arrived: map(&[("x-authentik-username", "alice")]), ..hop("/") };
    let expected = (Kind::Identity, "x-authentik-username".to_owned(), Severity::Breaking);
    assert_eq!(between(arrived, hop("/")), [expected]);
}

#[test]
fn a_header_with_another_name_is_one_difference() {
    let from = HopRecord { arrived: map(&[("x-authentik-username", "alice@b")]), ..hop("/") };
    let to = HopRecord { arrived: map(&[("x-authentik-user", "alice@b")]), ..hop("/") };
    let found = compare(&case(vec![from]), &case(vec![to]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].renamed.as_deref(), Some("x-authentik-user"));
    assert_eq!(severity::of(&found[0]).0, Severity::Breaking);
}

#[test]
fn a_value_written_another_way_is_said_so() {
    let from = HopRecord { arrived: map(&[("x-authentik-name", "J%C3%BCrgen")]), ..hop("/") };
    let to = HopRecord { arrived: map(&[("x-authentik-name", "Jürgen")]), ..hop("/") };
    let found = compare(&case(vec![from]), &case(vec![to]));
    assert_eq!(severity::of(&found[0]), (Severity::Changed, "the same value, written another way"));
}

#[test]
fn what_follows_from_another_status_is_not_told_again() {
    let from = HopRecord { headers: map(&[("vary", "Cookie")]), text: Some("hello".into()), ..hop("/") };
    let to = HopRecord { status: Some(502), text: Some("Bad Gateway".into()), ..hop("/") };
    assert_eq!(between(from, to), [(Kind::Status, String::new(), Severity::Breaking)]);
}

#[test]
fn a_cookie_that_is_set_elsewhere_only_changes() {
    let set = |path: &str| HopRecord {
        cookies: vec![CookieRecord { name: "csrf".into(), what: "set".into(), ..CookieRecord::default() }],
        ..hop(path)
    };
    let lost = compare(&case(vec![set("/a"), hop("/b")]), &case(vec![hop("/a"), hop("/b")]));
    assert_eq!(severity::of(&lost[0]).0, Severity::Breaking);
    let moved = compare(&case(vec![set("/a"), hop("/b")]), &case(vec![hop("/a"), set("/b")]));
    assert!(moved.iter().all(|one| severity::of(one).0 == Severity::Changed), "{moved:?}");
}

#[test]
fn a_hop_more_and_another_verdict_are_told() {
    let failed = CaseRecord {
        verdict: "failed".into(),
        holds: Some(false),
        broken: Some("SSO-X: no".into()),
        ..case(vec![hop("/a"), hop("/b")])
    };
    let found = compare(&case(vec![hop("/a")]), &failed);
    let kinds: Vec<_> = found.iter().map(|one| (one.kind, severity::of(one).0)).collect();
    assert_eq!(kinds, [(Kind::Verdict, Severity::Breaking), (Kind::Hop, Severity::Changed)]);
    assert_eq!(found[0].subject, "SSO-X: no");
}
