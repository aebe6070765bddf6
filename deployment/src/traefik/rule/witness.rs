//! Requests that a rule takes, found from its text.

use std::collections::BTreeMap;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::facts::{Headers, RequestFacts};
use super::matcher::{Matcher, Wants};
use super::parse::{Rule, Term};

/// The most ways to satisfy a rule that are tried.
const MOST_WAYS: usize = 64;
/// The longest text made for a pattern, in bytes.
const LONGEST_TEXT: usize = 4096;

/// A request that a rule takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The host.
    pub host: String,
    /// The path, decoded.
    pub path: String,
    /// The query's pairs, decoded.
    pub query: Vec<(String, String)>,
    /// The method.
    pub method: String,
    /// Header lines.
    pub headers: Vec<(String, String)>,
}

impl Headers for Vec<(String, String)> {
    fn any(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && test(value.as_bytes()))
    }
}

impl Witness {
    /// A GET of `path` at `host`.
    pub fn get(host: &str, path: &str) -> Self {
        Self {
            host: host.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            method: "GET".to_owned(),
            headers: Vec::new(),
        }
    }

    /// The query as it is sent.
    pub fn encoded_query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish()
    }
}

impl Rule {
    /// Requests that this rule takes, the plainest first: for `host`, or for hosts of its own where none is given. A
    /// rule whose patterns no short text is found for may have none here.
    pub fn witnesses(&self, host: Option<&str>) -> Vec<Witness> {
        let mut found: Vec<Witness> = Vec::new();
        for way in self.0.ways(false) {
            let Some(witness) = satisfied(&way, host) else { continue };
            let query = witness.encoded_query();
            let facts = RequestFacts {
                query: &query,
                method: &witness.method,
                headers: &witness.headers,
                ..RequestFacts::get(&witness.host, &witness.path)
            };
            if self.matches(&facts) && !found.contains(&witness) {
                found.push(witness);
            }
        }
        found.sort_by_key(|witness| {
            (witness.headers.len() + witness.query.len(), witness.method != "GET", witness.path.len())
        });
        found
    }
}

impl Term {
    /// The sets of matchers that make the term true when they match; with `negated`, false. What must not match is
    /// left out: whoever asks tries the result.
    fn ways(&self, negated: bool) -> Vec<Vec<&Matcher>> {
        match (self, negated) {
            (Self::Matcher(_), true) => vec![Vec::new()],
            (Self::Matcher(matcher), false) => vec![vec![matcher]],
            (Self::Not(term), _) => term.ways(!negated),
            (Self::Or(terms), false) | (Self::And(terms), true) => {
                terms.iter().flat_map(|term| term.ways(negated)).take(MOST_WAYS).collect()
            }
            (Self::And(terms), false) | (Self::Or(terms), true) => {
                terms.iter().fold(vec![Vec::new()], |ways, term| {
                    let more = term.ways(negated);
                    let joined = ways.iter().flat_map(|way| {
                        more.iter().map(move |other| [way.as_slice(), other.as_slice()].concat())
                    });
                    joined.take(MOST_WAYS).collect()
                })
            }
        }
    }
}

/// The request that all of `way` match, as far as one is found.
fn satisfied(way: &[&Matcher], host: Option<&str>) -> Option<Witness> {
    let mut made = Witness::get(host.unwrap_or_default(), "/");
    let mut query = BTreeMap::new();
    for matcher in way {
        match matcher.wants() {
            Wants::Host(name) if host.is_none() => made.host = name.to_owned(),
            Wants::HostLike(pattern) if host.is_none() => made.host = example(pattern)?,
            Wants::Path(path) => made.path = path.to_owned(),
            Wants::PathPrefix(path) if path.len() > made.path.len() => made.path = path.to_owned(),
            Wants::PathLike(pattern) => {
                let path = example(pattern)?;
                made.path = if path.starts_with('/') { path } else { format!("/{path}") };
            }
            Wants::Method(method) => made.method = method.to_owned(),
            Wants::Header(name, value) => made.headers.push((name.to_owned(), value.to_owned())),
            Wants::HeaderLike(name, pattern) => made.headers.push((name.to_owned(), example(pattern)?)),
            Wants::Query(name, value) => drop(query.insert(name.to_owned(), value.to_owned())),
            Wants::QueryLike(name, pattern) => drop(query.insert(name.to_owned(), example(pattern)?)),
            Wants::Host(_) | Wants::HostLike(_) | Wants::PathPrefix(_) | Wants::Client => {}
        }
    }
    if made.host.is_empty() {
        // The rule takes any host.
        "any-host.invalid".clone_into(&mut made.host);
    }
    made.query = query.into_iter().collect();
    Some(made)
}

/// A short text that `pattern` matches.
fn example(pattern: &str) -> Option<String> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let mut bytes = Vec::new();
    write(&hir, &mut bytes)?;
    String::from_utf8(bytes).ok()
}

fn write(hir: &Hir, into: &mut Vec<u8>) -> Option<()> {
    if into.len() > LONGEST_TEXT {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => into.extend_from_slice(&literal.0),
        HirKind::Class(Class::Unicode(class)) => {
            let letters = class.ranges().iter().flat_map(|range| [range.start(), range.end()]);
            let plain = letters.clone().find(char::is_ascii_alphanumeric);
            let letter = plain
                .or_else(|| class.ranges().iter().any(|r| r.start() <= 'a' && 'a' <= r.end()).then_some('a'));
            let letter = letter.or_else(|| letters.clone().find(char::is_ascii_graphic))?;
            into.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        HirKind::Class(Class::Bytes(class)) => into.push(class.ranges().first()?.start()),
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                write(&repetition.sub, into)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, into)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, into))?,
        HirKind::Alternation(parts) => write(parts.first()?, into)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::Rule;

    fn plainest(rule: &str, host: Option<&str>) -> Option<String> {
        let witness = Rule::parse(rule).unwrap().witnesses(host).into_iter().next()?;
        let query = witness.encoded_query();
        Some(format!("{} {}{}?{query} {:?}", witness.method, witness.host, witness.path, witness.headers))
    }

    #[test]
    fn a_request_is_found_for_a_rule() {
        for (rule, host, found) in [
            ("Host(`a.test`)", None, "GET a.test/? []"),
            ("Host(`a.test`) && PathPrefix(`/api`)", None, "GET a.test/api? []"),
            ("PathPrefix(`/`)", Some("b.test"), "GET b.test/? []"),
            ("HostRegexp(`^[a-z0-9-]+\\.a\\.test$`) && !Path(`/x`)", None, "GET 0.a.test/? []"),
            ("Host(`a.test`) && Method(`OPTIONS`)", None, "OPTIONS a.test/? []"),
            ("Host(`a.test`) && PathRegexp(`^/v[0-9]+/x`)", None, "GET a.test/v0/x? []"),
            ("(Host(`a.test`) || Host(`b.test`)) && Query(`k`, `v`)", Some("b.test"), "GET b.test/?k=v []"),
            ("Host(`a.test`) && Header(`X-A`, `1`)", None, "GET a.test/? [(\"X-A\", \"1\")]"),
        ] {
            assert_eq!(plainest(rule, host).as_deref(), Some(found), "{rule}");
        }
        assert_eq!(plainest("Host(`a.test`)", Some("b.test")), None);
        assert_eq!(plainest("Host(`a.test`) && !Host(`a.test`)", None), None);
    }
}
