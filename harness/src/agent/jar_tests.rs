use proptest::prelude::*;
use url::Url;

use super::*;

const AUTH: &str = "https://auth.spacemusic.tv/application/o/authorize/";
const STREAM: &str = "https://stream.spacemusic.tv/";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// Takes a line as the answer to a typed navigation.
fn take(jar: &mut Jar, at: &str, line: &str) -> Option<JarChange> {
    let url = url(at);
    jar.take(
        line.as_bytes(),
        &RequestContext { url: &url, initiator: None, mode: Mode::Navigation, safe_method: true },
    )
}

/// The `Cookie` header of a typed navigation.
fn sent(jar: &Jar, at: &str) -> Option<String> {
    let url = url(at);
    jar.header(&RequestContext { url: &url, initiator: None, mode: Mode::Navigation, safe_method: true })
}

fn sent_by(jar: &Jar, at: &str, from: &str, mode: Mode, safe_method: bool) -> Option<String> {
    let (url, from) = (url(at), url(from));
    jar.header(&RequestContext { url: &url, initiator: Some(&from), mode, safe_method })
}

fn reason(change: Option<JarChange>) -> String {
    match change.expect("a change").kind {
        ChangeKind::Rejected { reason } => reason,
        other => panic!("not rejected: {other:?}"),
    }
}

#[test]
fn proxy_cookie_of_the_outpost_stays_at_its_service() {
    let mut jar = Jar::new();
    let line = "authentik_proxy_1e4dfeb4=UVOO; Path=/; Expires=Mon, 25 Nov 2126 05:15:52 GMT; Max-Age=3601; \
                HttpOnly; Secure; SameSite=Lax";
    let change = take(&mut jar, STREAM, line).unwrap();
    assert_eq!(change.kind, ChangeKind::Set);
    assert_eq!(
        change.attributes,
        CookieAttributes {
            domain: "stream.spacemusic.tv".into(),
            host_only: true,
            path: "/".into(),
            secure: true,
            http_only: true,
            same_site: Some(SameSite::Lax),
            max_age: Some(3601),
            expires: Some(4_951_257_352),
        }
    );
    assert_eq!(
        sent(&jar, "https://stream.spacemusic.tv/x").as_deref(),
        Some("authentik_proxy_1e4dfeb4=UVOO")
    );
    assert_eq!(sent(&jar, AUTH), None);
    assert_eq!(sent(&jar, "http://stream.spacemusic.tv/x"), None);
}

#[test]
fn deletion_of_the_core_session_is_recorded() {
    let mut jar = Jar::new();
    take(&mut jar, AUTH, "authentik_session=abc; HttpOnly; Path=/; SameSite=None; Secure");
    let change = take(
        &mut jar,
        AUTH,
        "authentik_session=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=None; Secure",
    );
    assert_eq!(change.unwrap().kind, ChangeKind::Removed);
    assert_eq!(sent(&jar, AUTH), None);
    assert_eq!(take(&mut jar, AUTH, "gone=x; Max-Age=0"), None);
}

#[test]
fn lax_goes_with_top_level_get_but_not_with_cross_site_post_or_fetch() {
    let mut jar = Jar::new();
    for line in [
        "s=1; Path=/; SameSite=Strict",
        "l=1; Path=/; SameSite=Lax",
        "d=1; Path=/",
        "n=1; Path=/; SameSite=None; Secure",
    ] {
        take(&mut jar, STREAM, line);
    }
    let other = "https://edit.spacemusic.com/";
    assert_eq!(sent_by(&jar, STREAM, other, Mode::Navigation, true).as_deref(), Some("l=1; d=1; n=1"));
    assert_eq!(sent_by(&jar, STREAM, other, Mode::Navigation, false).as_deref(), Some("n=1"));
    assert_eq!(sent_by(&jar, STREAM, other, Mode::Fetch, true).as_deref(), Some("n=1"));
    assert_eq!(sent_by(&jar, STREAM, AUTH, Mode::Fetch, false).as_deref(), Some("s=1; l=1; d=1; n=1"));
}

#[test]
fn same_name_at_two_paths_is_two_cookies_longest_path_first() {
    let mut jar = Jar::new();
    take(&mut jar, STREAM, "ak=root; Path=/");
    take(&mut jar, STREAM, "z=1; Path=/");
    take(&mut jar, STREAM, "ak=admin; Path=/admin");
    assert_eq!(sent(&jar, "https://stream.spacemusic.tv/admin/x").as_deref(), Some("ak=admin; ak=root; z=1"));
    assert_eq!(sent(&jar, "https://stream.spacemusic.tv/administrator").as_deref(), Some("ak=root; z=1"));
}

#[test]
fn replacing_keeps_the_place_and_tells_a_changed_value() {
    let mut jar = Jar::new();
    take(&mut jar, STREAM, "a=1; Path=/");
    take(&mut jar, STREAM, "b=1; Path=/");
    let same = take(&mut jar, STREAM, "a=1; Path=/").unwrap();
    assert_eq!(same.kind, ChangeKind::Replaced { value_changed: false });
    let changed = take(&mut jar, STREAM, "a=2; Path=/").unwrap();
    assert_eq!(changed.kind, ChangeKind::Replaced { value_changed: true });
    assert_eq!(sent(&jar, STREAM).as_deref(), Some("a=2; b=1"));
}

#[test]
fn domain_cookies_reach_subdomains_and_nothing_else() {
    let mut jar = Jar::new();
    take(&mut jar, AUTH, "d=1; Domain=.spacemusic.tv; Path=/");
    assert_eq!(sent(&jar, STREAM).as_deref(), Some("d=1"));
    assert_eq!(sent(&jar, "https://notspacemusic.tv/"), None);
    assert!(reason(take(&mut jar, AUTH, "d=1; Domain=spacemusic.com")).contains("does not cover"));
    assert!(reason(take(&mut jar, AUTH, "d=1; Domain=tv")).contains("public suffix"));
}

#[test]
fn prefixes_secure_and_same_site_none_are_enforced() {
    let mut jar = Jar::new();
    assert!(reason(take(&mut jar, STREAM, "__Host-a=1; Secure; Path=/x")).contains("__Host-"));
    assert!(reason(take(&mut jar, STREAM, "__secure-a=1; Path=/")).contains("__Secure-"));
    assert!(reason(take(&mut jar, STREAM, "a=1; SameSite=None")).contains("SameSite=None"));
    assert!(reason(take(&mut jar, "http://stream.spacemusic.tv/", "a=1; Secure")).contains("https only"));
    assert!(reason(take(&mut jar, STREAM, "nothing")).contains("missing"));
    assert_eq!(take(&mut jar, STREAM, "__Host-a=1; Secure; Path=/").unwrap().kind, ChangeKind::Set);
}

#[test]
fn http_cannot_overlay_a_secure_cookie() {
    let mut jar = Jar::new();
    take(&mut jar, STREAM, "a=good; Secure; Path=/");
    assert!(reason(take(&mut jar, "http://stream.spacemusic.tv/", "a=evil; Path=/")).contains("stand in"));
    assert_eq!(sent(&jar, STREAM).as_deref(), Some("a=good"));
}

#[test]
fn max_age_wins_over_expires() {
    let mut jar = Jar::new();
    take(&mut jar, STREAM, "a=1; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(jar.len(), 1);
}

#[test]
fn a_cross_site_fetch_cannot_set_a_lax_cookie() {
    let (url, from) = (url(STREAM), url("https://edit.spacemusic.com/"));
    let context = RequestContext { url: &url, initiator: Some(&from), mode: Mode::Fetch, safe_method: true };
    assert!(reason(Jar::new().take(b"a=1; SameSite=Lax", &context)).contains("cross-site"));
}

proptest! {
    #[test]
    fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..200), path in "/[a-z/]{0,10}") {
        let mut jar = Jar::new();
        let url = url(&format!("https://stream.spacemusic.tv{path}"));
        let context = RequestContext { url: &url, initiator: None, mode: Mode::Navigation, safe_method: true };
        let _ = jar.take(&line, &context);
        let _ = jar.header(&context);
    }

    #[test]
    fn what_is_set_at_a_host_never_leaves_for_another(name in "[a-z]{1,8}", domain in "(|; Domain=spacemusic[.]tv)") {
        let mut jar = Jar::new();
        take(&mut jar, STREAM, &format!("{name}=1; Path=/{domain}"));
        prop_assert_eq!(sent(&jar, "https://edit.spacemusic.com/"), None);
        prop_assert_eq!(sent(&jar, AUTH).is_some(), !domain.is_empty());
        prop_assert!(sent(&jar, STREAM).is_some());
    }
}
