//! Rules against what Traefik said of them, and properties of the parser.

use proptest::prelude::*;
use serde::Deserialize;

use super::{RequestFacts, Rule};

/// `recorded.json`: each rule given to Traefik 3.6.7 and 3.0.4 as a router's, and the error their API showed.
#[derive(Deserialize)]
struct Recorded {
    rule: String,
    #[serde(rename = "3.6.7")]
    wrapped: Option<String>,
    #[serde(rename = "3.0.4")]
    bare: Option<String>,
}

/// Rules whose error Traefik words in another way: brackets and numbers that no matcher takes, rarer mistakes in a
/// pattern.
const WORDED_OTHERWISE: [&str; 9] = [
    "(Host(`a`)\n)",
    "Host[`a`]",
    "Host(`a`)[1]",
    "Host{}",
    "func(){}",
    "Host(`a`)(`b`)",
    "Host(1.5)",
    "Host(`a`) ; Host(`b`)",
    "HostRegexp(`(?P<n`)",
];

#[test]
fn errors_are_those_traefik_shows() {
    let recorded: Vec<Recorded> = serde_json::from_str(include_str!("recorded.json")).unwrap();
    assert!(recorded.len() > 100);
    for Recorded { rule, wrapped, bare } in recorded {
        let error = Rule::parse(&rule).err();
        assert_eq!(error.is_some(), wrapped.is_some(), "{rule}: {error:?}, Traefik says {wrapped:?}");
        if WORDED_OTHERWISE.contains(&rule.as_str()) {
            continue;
        }
        assert_eq!(error.as_ref().map(|error| error.text(true)), wrapped, "{rule}");
        assert_eq!(error.as_ref().map(|error| error.text(false)), bare, "{rule}");
    }
}

fn asks(rule: &str, facts: &RequestFacts<'_>) -> bool {
    Rule::parse(rule).unwrap().matches(facts)
}

#[test]
fn host_ignores_case_port_and_trailing_dot() {
    for host in ["app.test", "APP.TEST", "app.test:8443", "app.test.", "App.Test.:80"] {
        assert!(asks("Host(`app.test`)", &RequestFacts::get(host, "/")), "{host}");
        assert!(asks("Host(`APP.test.`)", &RequestFacts::get(host, "/")), "{host}");
    }
    for host in ["", "xapp.test", "app.test.evil", "app.test:8443:1"] {
        assert!(!asks("Host(`app.test`)", &RequestFacts::get(host, "/")), "{host}");
    }
    assert!(asks("Host(`::1`)", &RequestFacts::get("[::1]:80", "/")));
}

#[test]
fn path_prefix_is_a_prefix_of_letters_not_of_segments() {
    assert!(asks("PathPrefix(`/api`)", &RequestFacts::get("a", "/apix")));
    assert!(!asks(
        "PathPrefix(`/outpost.goauthentik.io/`)",
        &RequestFacts::get("a", "/outpost.goauthentik.io")
    ));
    assert!(!asks(
        "PathPrefix(`/outpost.goauthentik.io/`)",
        &RequestFacts::get("a", "/OUTPOST.goauthentik.io/x")
    ));
    assert!(asks("Path(`/a`)", &RequestFacts::get("a", "/a")));
    assert!(!asks("Path(`/a`)", &RequestFacts::get("a", "/a/")));
}

#[test]
fn headers_queries_methods_and_addresses() {
    let lines = [("x-one", "1"), ("X-One", "2")];
    let facts = RequestFacts {
        headers: &lines,
        query: "a&b=c%20d&b=e",
        method: "PUT",
        client: [10, 1, 2, 3].into(),
        ..RequestFacts::get("a.test", "/p")
    };
    for rule in [
        "Header(`X-One`, `2`)",
        "HeaderRegexp(`x-one`, `^[0-9]$`)",
        "Query(`a`)",
        "Query(`b`, `c d`)",
        "QueryRegexp(`b`, `^e`)",
        "Method(`put`)",
        "ClientIP(`10.0.0.0/8`)",
        "HostRegexp(`^[a-z]+\\.test$`)",
        "PathRegexp(`p`)",
    ] {
        assert!(asks(rule, &facts), "{rule}");
        assert!(!asks(&format!("!{rule}"), &facts), "!{rule}");
    }
    for rule in
        ["Header(`X-One`, `3`)", "Query(`b`)", "Query(`c`)", "Method(`GET`)", "ClientIP(`11.0.0.0/8`)"]
    {
        assert!(!asks(rule, &facts), "{rule}");
    }
}

#[test]
fn excluded_hosts_are_not_the_rules() {
    let rule =
        Rule::parse("(Host(`A.test`) || Host(`b.test`)) && !Host(`c.test`) && !!Host(`d.test`)").unwrap();
    assert_eq!(rule.hosts(), ["a.test", "b.test", "d.test"]);
}

#[test]
fn nesting_is_bounded() {
    assert!(Rule::parse(&"(".repeat(100_000)).is_err());
    assert!(Rule::parse(&"!".repeat(100_000)).is_err());
    assert!(Rule::parse(&format!("Host(`a`){}", " && Host(`a`)".repeat(50_000))).is_ok());
}

/// Rules of every matcher, as text.
fn rules() -> impl Strategy<Value = String> {
    let name = "[a-z]{1,6}";
    let leaf = prop_oneof![
        name.prop_map(|host| format!("Host(`{host}.test`)")),
        name.prop_map(|path| format!("PathPrefix(`/{path}`)")),
        name.prop_map(|path| format!("Path(\"/{path}`\\n\\\"\")")),
        (name, name).prop_map(|(key, value)| format!("Header(`{key}`,`{value}`)")),
        name.prop_map(|pattern| format!("HostRegexp(`^{pattern}+$`)")),
        name.prop_map(|key| format!("Query(`{key}`)")),
        Just("ClientIP(`127.0.0.0/8`)".to_owned()),
        Just("Method(`GET`)".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|rule| format!("!{rule}")),
            inner.clone().prop_map(|rule| format!("({rule})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|rules| format!("({})", rules.join(" && "))),
            prop::collection::vec(inner, 2..4).prop_map(|rules| format!("({})", rules.join("||"))),
        ]
    })
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC*") {
        let _ = Rule::parse(&text);
    }

    #[test]
    fn reading_near_rules_never_panics(text in "[HostPathPrefix()`\"\\\\&|! \n,.a-c/é'0-9\\[\\]*+]{0,60}") {
        let _ = Rule::parse(&text);
    }

    #[test]
    fn a_printed_rule_reads_as_itself(text in rules()) {
        let rule = Rule::parse(&text).unwrap();
        prop_assert_eq!(Rule::parse(&rule.to_string()).unwrap(), rule);
    }

    #[test]
    fn a_negation_is_the_complement(text in rules(), host in "[a-z]{1,6}\\.test", path in "/[a-z]{0,6}") {
        let facts = RequestFacts::get(&host, &path);
        let negated = Rule::parse(&format!("!({text})")).unwrap();
        prop_assert_ne!(Rule::parse(&text).unwrap().matches(&facts), negated.matches(&facts));
    }
}

#[test]
fn hosts_below_a_domain_are_found_by_name_and_by_pattern() {
    for (text, may) in [
        ("Host(`a.example.org`)", true),
        ("Host(`example.org`)", false),
        ("Host(`a.example.com`) || PathPrefix(`/x`)", true),
        ("HostRegexp(`^[a-z]+\\.example\\.org$`)", true),
        ("HostRegexp(`^[a-z]+\\.example\\.com$`)", false),
        ("HostRegexp(`example`)", true),
        ("HostRegexp(`^.+$`)", true),
        ("!Host(`a.example.org`)", true),
    ] {
        assert_eq!(Rule::parse(text).unwrap().may_match_below("example.org"), may, "{text}");
    }
}

#[test]
fn a_rule_is_below_a_path_when_all_of_it_is() {
    for (text, below) in [
        ("Host(`a`) && PathPrefix(`/outpost.goauthentik.io/`)", true),
        ("PathPrefix(`/outpost.goauthentik.io/`) || Path(`/outpost.goauthentik.io`)", true),
        ("PathPrefix(`/outpost`)", false),
        ("Host(`a`) && (PathPrefix(`/outpost.goauthentik.io/`) || PathPrefix(`/api`))", false),
        ("Host(`a`) && !PathPrefix(`/outpost.goauthentik.io/`)", false),
    ] {
        assert_eq!(Rule::parse(text).unwrap().is_below("/outpost.goauthentik.io"), below, "{text}");
    }
}
