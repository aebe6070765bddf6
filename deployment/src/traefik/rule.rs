//! Traefik's rule language (v3), as recorded in `truth/traefik/3.6.7-5-config`.

use std::fmt;
use std::net::IpAddr;

use regex::Regex;

/// What a rule looks at.
#[derive(Clone, Debug, Default)]
pub struct Facts<'a> {
    /// The `Host`, with port if it has one.
    pub host: &'a str,
    /// The path as rules see it, see [`super::routing_path`].
    pub path: &'a str,
    /// The method.
    pub method: &'a str,
    /// Headers, names in any case.
    pub headers: &'a [(String, String)],
    /// The query's parameters, decoded.
    pub query: &'a [(String, String)],
    /// The peer's address.
    pub client: Option<IpAddr>,
}

/// A rule that was read.
#[derive(Clone, Debug)]
pub enum Rule {
    /// Both.
    And(Box<Rule>, Box<Rule>),
    /// Either.
    Or(Box<Rule>, Box<Rule>),
    /// Not.
    Not(Box<Rule>),
    /// One matcher.
    Is(Matcher),
}

/// One matcher with its arguments.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// `Host`.
    Host(String),
    /// `HostRegexp`.
    HostRegexp(Regex),
    /// `Path`.
    Path(String),
    /// `PathPrefix`.
    PathPrefix(String),
    /// `PathRegexp`.
    PathRegexp(Regex),
    /// `Method`.
    Method(String),
    /// `Header`.
    Header(String, String),
    /// `HeaderRegexp`.
    HeaderRegexp(String, Regex),
    /// `Query`; without a value the parameter must be there.
    Query(String, Option<String>),
    /// `QueryRegexp`.
    QueryRegexp(String, Regex),
    /// `ClientIP`: an address or a network.
    ClientIp(String, IpAddr, u8),
}

/// Why a rule is none, in Traefik's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(String);

/// How deep parentheses and negations may nest.
const DEEPEST: usize = 64;

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// [`RuleError`] with the text that Traefik's API shows.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let failed = |reason: String| RuleError(format!("error while parsing rule {text}: {reason}"));
        if text.trim().is_empty() {
            return Err(RuleError("empty rule".to_owned()));
        }
        let tokens = tokens(text).map_err(|reason| failed(format!("parsing rule {text}: {reason}")))?;
        let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
        let parsed = parser.any().and_then(|rule| match parser.peek() {
            None => Ok(rule),
            Some(token) => Err(Failure::Syntax(format!("unexpected {token}"))),
        });
        parsed.map_err(|failure| match failure {
            Failure::Syntax(reason) => failed(format!("parsing rule {text}: {reason}")),
            Failure::Matcher(reason) => failed(format!("adding rule {text}: {reason}")),
        })
    }

    /// Whether a request matches.
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::And(one, other) => one.matches(facts) && other.matches(facts),
            Self::Or(one, other) => one.matches(facts) || other.matches(facts),
            Self::Not(rule) => !rule.matches(facts),
            Self::Is(matcher) => matcher.matches(facts),
        }
    }

    /// Whether some request for `host` could match, whatever else it holds.
    pub fn may_match_host(&self, host: &str) -> bool {
        self.possible(host).0
    }

    /// Whether the rule can be true, and whether it can be false, for a request of `host`.
    fn possible(&self, host: &str) -> (bool, bool) {
        match self {
            Self::And(one, other) => {
                let ((one_true, one_false), (other_true, other_false)) =
                    (one.possible(host), other.possible(host));
                (one_true && other_true, one_false || other_false)
            }
            Self::Or(one, other) => {
                let ((one_true, one_false), (other_true, other_false)) =
                    (one.possible(host), other.possible(host));
                (one_true || other_true, one_false && other_false)
            }
            Self::Not(rule) => {
                let (can_be_true, can_be_false) = rule.possible(host);
                (can_be_false, can_be_true)
            }
            Self::Is(Matcher::Host(_) | Matcher::HostRegexp(_)) => {
                let yes = self.matches(&Facts { host, ..Facts::default() });
                (yes, !yes)
            }
            Self::Is(_) => (true, true),
        }
    }

    /// The hosts that the rule names outright, wherever they stand in it.
    pub fn hosts(&self) -> Vec<&str> {
        match self {
            Self::And(one, other) | Self::Or(one, other) => {
                let mut hosts = one.hosts();
                hosts.extend(other.hosts());
                hosts
            }
            Self::Not(_) => Vec::new(),
            Self::Is(Matcher::Host(host)) => vec![host],
            Self::Is(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(one, other) => write!(out, "({one} && {other})"),
            Self::Or(one, other) => write!(out, "({one} || {other})"),
            Self::Not(rule) => write!(out, "!{rule}"),
            Self::Is(matcher) => matcher.fmt(out),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => write!(out, "Host(`{host}`)"),
            Self::HostRegexp(pattern) => write!(out, "HostRegexp(`{pattern}`)"),
            Self::Path(path) => write!(out, "Path(`{path}`)"),
            Self::PathPrefix(path) => write!(out, "PathPrefix(`{path}`)"),
            Self::PathRegexp(pattern) => write!(out, "PathRegexp(`{pattern}`)"),
            Self::Method(method) => write!(out, "Method(`{method}`)"),
            Self::Header(name, value) => write!(out, "Header(`{name}`, `{value}`)"),
            Self::HeaderRegexp(name, pattern) => write!(out, "HeaderRegexp(`{name}`, `{pattern}`)"),
            Self::Query(name, Some(value)) => write!(out, "Query(`{name}`, `{value}`)"),
            Self::Query(name, None) => write!(out, "Query(`{name}`)"),
            Self::QueryRegexp(name, pattern) => write!(out, "QueryRegexp(`{name}`, `{pattern}`)"),
            Self::ClientIp(text, _, _) => write!(out, "ClientIP(`{text}`)"),
        }
    }
}

impl Matcher {
    fn new(name: &str, values: &[String]) -> Result<Self, String> {
        let adding = |reason: String| format!("error while adding rule {name}: {reason}");
        let count = |allowed: &str| {
            adding(format!(
                "unexpected number of parameters; got {}, expected one of [{allowed}]",
                values.len()
            ))
        };
        let pattern = |text: &str| {
            Regex::new(text).map_err(|error| {
                let reason = error.to_string();
                adding(format!("compiling {name} matcher: {}", reason.lines().last().unwrap_or_default()))
            })
        };
        let rooted = |path: &str| match path.starts_with('/') {
            true => Ok(path.to_owned()),
            false => Err(adding(format!("path {path:?} does not start with a '/'"))),
        };
        match (name.to_ascii_lowercase().as_str(), values) {
            ("host", [host]) if host.is_ascii() => Ok(Self::Host(host.to_ascii_lowercase())),
            ("host", [host]) => Err(adding(format!(
                "invalid value {host:?} for Host matcher, non-ASCII characters are not allowed"
            ))),
            ("hostregexp", [text]) => Ok(Self::HostRegexp(pattern(text)?)),
            ("path", [path]) => Ok(Self::Path(rooted(path)?)),
            ("pathprefix", [path]) => Ok(Self::PathPrefix(rooted(path)?)),
            ("pathregexp", [text]) => Ok(Self::PathRegexp(pattern(text)?)),
            ("method", [method]) => Ok(Self::Method(method.to_ascii_uppercase())),
            ("header", [key, value]) => Ok(Self::Header(key.clone(), value.clone())),
            ("headerregexp", [key, text]) => Ok(Self::HeaderRegexp(key.clone(), pattern(text)?)),
            ("query", [key]) => Ok(Self::Query(key.clone(), None)),
            ("query", [key, value]) => Ok(Self::Query(key.clone(), Some(value.clone()))),
            ("queryregexp", [key, text]) => Ok(Self::QueryRegexp(key.clone(), pattern(text)?)),
            ("clientip", [text]) => {
                let (address, bits) = network(text)
                    .ok_or_else(|| adding(format!("parsing IP or CIDR: invalid CIDR address: {text}")))?;
                Ok(Self::ClientIp(text.clone(), address, bits))
            }
            ("host" | "hostregexp" | "path" | "pathprefix" | "pathregexp" | "method" | "clientip", _) => {
                Err(count("1"))
            }
            ("header" | "headerregexp" | "queryregexp", _) => Err(count("2")),
            ("query", _) => Err(count("1 2")),
            _ => Err(format!("unsupported function: {name}")),
        }
    }

    fn matches(&self, facts: &Facts<'_>) -> bool {
        let header = |name: &str, fits: &dyn Fn(&str) -> bool| {
            facts.headers.iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && fits(value))
        };
        let query = |name: &str, fits: &dyn Fn(&str) -> bool| {
            facts.query.iter().any(|(key, value)| key == name && fits(value))
        };
        match self {
            Self::Host(host) => bare(facts.host) == host.trim_end_matches('.'),
            Self::HostRegexp(pattern) => pattern.is_match(&bare(facts.host)),
            Self::Path(path) => facts.path == path,
            Self::PathPrefix(prefix) => facts.path.starts_with(prefix.as_str()),
            Self::PathRegexp(pattern) => pattern.is_match(facts.path),
            Self::Method(method) => facts.method == method,
            Self::Header(name, value) => header(name, &|got| got == value),
            Self::HeaderRegexp(name, pattern) => header(name, &|got| pattern.is_match(got)),
            Self::Query(name, None) => query(name, &|_| true),
            Self::Query(name, Some(value)) => query(name, &|got| got == value),
            Self::QueryRegexp(name, pattern) => query(name, &|got| pattern.is_match(got)),
            Self::ClientIp(_, network, bits) => {
                facts.client.is_some_and(|client| within(client, *network, *bits))
            }
        }
    }
}

/// A host in lower case without port and trailing dot.
fn bare(host: &str) -> String {
    let end = host.rfind(':').filter(|colon| !host.get(*colon..).unwrap_or_default().contains(']'));
    let name = end.and_then(|colon| host.get(..colon)).unwrap_or(host);
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    match text.split_once('/') {
        None => {
            let address: IpAddr = text.parse().ok()?;
            Some((address, if address.is_ipv4() { 32 } else { 128 }))
        }
        Some((address, bits)) => {
            let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
            (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
        }
    }
}

fn within(client: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (client, network) {
        (IpAddr::V4(client), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            client.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(client), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            client.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Open,
    Close,
    Comma,
    And,
    Or,
    Not,
}

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => out.write_str(name),
            Self::Text(text) => write!(out, "`{text}`"),
            Self::Open => out.write_str("("),
            Self::Close => out.write_str(")"),
            Self::Comma => out.write_str(","),
            Self::And => out.write_str("&&"),
            Self::Or => out.write_str("||"),
            Self::Not => out.write_str("!"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let mut length = first.len_utf8();
        tokens.push(match first {
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '!' => Token::Not,
            '&' if rest.starts_with("&&") => {
                length = 2;
                Token::And
            }
            '|' if rest.starts_with("||") => {
                length = 2;
                Token::Or
            }
            '`' => {
                let inner = rest.get(1..).unwrap_or_default();
                let (value, _) = inner.split_once('`').ok_or("raw string literal not terminated")?;
                length = value.len() + 2;
                Token::Text(value.to_owned())
            }
            '"' => {
                let (value, taken) = quoted(rest).ok_or("string literal not terminated")?;
                length = taken;
                Token::Text(value)
            }
            c if c.is_alphabetic() || c == '_' => {
                let end =
                    rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
                length = end;
                Token::Name(rest.get(..end).unwrap_or_default().to_owned())
            }
            c => return Err(format!("illegal character U+{:04X} '{c}'", u32::from(c))),
        });
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// A double-quoted string at the start of `text`, and how many bytes it takes.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return Some((value, index + 1)),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

enum Failure {
    /// The rule is not written right.
    Syntax(String),
    /// A matcher does not take what it is given.
    Matcher(String),
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.at += usize::from(there);
        there
    }

    fn any(&mut self) -> Result<Rule, Failure> {
        let mut rule = self.all()?;
        while self.take(&Token::Or) {
            rule = Rule::Or(Box::new(rule), Box::new(self.all()?));
        }
        Ok(rule)
    }

    fn all(&mut self) -> Result<Rule, Failure> {
        let mut rule = self.one()?;
        while self.take(&Token::And) {
            rule = Rule::And(Box::new(rule), Box::new(self.one()?));
        }
        Ok(rule)
    }

    fn one(&mut self) -> Result<Rule, Failure> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Failure::Syntax("nested too deep".to_owned()));
        }
        let rule = if self.take(&Token::Not) {
            Rule::Not(Box::new(self.one()?))
        } else if self.take(&Token::Open) {
            let rule = self.any()?;
            if !self.take(&Token::Close) {
                return Err(Failure::Syntax("expected ')'".to_owned()));
            }
            rule
        } else {
            Rule::Is(self.matcher()?)
        };
        self.depth -= 1;
        Ok(rule)
    }

    fn matcher(&mut self) -> Result<Matcher, Failure> {
        let name = match self.peek() {
            Some(Token::Name(name)) => name.clone(),
            Some(token) => return Err(Failure::Syntax(format!("expected operand, found '{token}'"))),
            None => return Err(Failure::Syntax("expected operand, found 'EOF'".to_owned())),
        };
        self.at += 1;
        if !self.take(&Token::Open) {
            return Err(Failure::Syntax(format!("{name} is not defined")));
        }
        let mut values = Vec::new();
        while !self.take(&Token::Close) {
            match self.peek() {
                Some(Token::Text(text)) => values.push(text.clone()),
                Some(Token::Name(other)) => return Err(Failure::Syntax(format!("{other} is not defined"))),
                _ => return Err(Failure::Syntax("expected ')'".to_owned())),
            }
            self.at += 1;
            let more = self.take(&Token::Comma);
            if !more && self.peek() != Some(&Token::Close) {
                return Err(Failure::Syntax("missing ',' in argument list".to_owned()));
            }
        }
        Matcher::new(&name, &values).map_err(Failure::Matcher)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(rule: &str, host: &str, path: &str) -> bool {
        Rule::parse(rule).expect(rule).matches(&Facts { host, path, method: "GET", ..Facts::default() })
    }

    #[test]
    fn hosts_match_in_any_case_with_port_and_dot() {
        for host in ["app.test", "APP.TEST", "app.test:8443", "app.test."] {
            assert!(matches("Host(`app.test`)", host, "/"), "{host}");
        }
        assert!(!matches("Host(`app.test`)", "xapp.test", "/"));
        assert!(matches("HostRegexp(`^[a-z-]+\\.test$`)", "APP.test:1", "/"));
    }

    #[test]
    fn and_binds_before_or() {
        let rule = "Host(`a`) || Host(`b`) && PathPrefix(`/x`)";
        assert!(matches(rule, "a", "/") && matches(rule, "b", "/xy") && !matches(rule, "b", "/"));
        assert!(matches("!Host(`a`) && !(Path(`/x`) || Path(`/y`))", "b", "/z"));
    }

    #[test]
    fn errors_are_traefiks() {
        let error = |rule: &str| Rule::parse(rule).expect_err(rule).to_string();
        assert_eq!(
            error("Host(app.test)"),
            "error while parsing rule Host(app.test): parsing rule Host(app.test): app.test is not defined"
        );
        assert_eq!(
            error("Host(`app.test`,`b.test`)"),
            "error while parsing rule Host(`app.test`,`b.test`): adding rule Host(`app.test`,`b.test`): \
             error while adding rule Host: unexpected number of parameters; got 2, expected one of [1]"
        );
        assert!(error("Nope(`x`)").ends_with("unsupported function: Nope"));
        assert!(Rule::parse(&"!".repeat(100)).is_err());
    }

    #[test]
    fn every_matcher_looks_at_its_own_fact() {
        let headers = [("X-Kind".to_owned(), "beta".to_owned())];
        let query = [("q".to_owned(), "1".to_owned())];
        let facts = Facts {
            host: "h",
            path: "/a/b",
            method: "POST",
            headers: &headers,
            query: &query,
            client: Some(IpAddr::from([10, 1, 2, 3])),
        };
        for rule in [
            "Path(`/a/b`)",
            "PathRegexp(`^/a/.$`)",
            "Method(`post`)",
            "Header(`x-kind`, `beta`)",
            "HeaderRegexp(`X-Kind`, `^b`)",
            "Query(`q`)",
            "Query(`q`, \"1\")",
            "QueryRegexp(`q`, `[0-9]`)",
            "ClientIP(`10.1.0.0/16`)",
            "!ClientIP(`10.2.0.0/16`) && ClientIP(`10.1.2.3`)",
        ] {
            assert!(Rule::parse(rule).expect(rule).matches(&facts), "{rule}");
        }
    }

    #[test]
    fn a_rule_says_which_hosts_it_can_take() {
        let rule = Rule::parse("(Host(`a`) || HostRegexp(`^x`)) && PathPrefix(`/o/`)").expect("rule");
        assert!(rule.may_match_host("a") && rule.may_match_host("xy") && !rule.may_match_host("b"));
        assert!(Rule::parse("PathPrefix(`/`)").expect("rule").may_match_host("any"));
        assert!(!Rule::parse("!Host(`a`)").expect("rule").may_match_host("a"));
        assert_eq!(rule.hosts(), ["a"]);
    }

    fn rules() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[a-c]{1,2}".prop_map(|host| format!("Host(`{host}`)")),
            "[a-c]{0,2}".prop_map(|path| format!("PathPrefix(`/{path}`)")),
            Just("Method(`GET`)".to_owned()),
        ];
        leaf.prop_recursive(4, 24, 2, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one} && {other})")),
                (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one} || {other})")),
                inner.prop_map(|rule| format!("!({rule})")),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            let _ = Rule::parse(&text);
        }

        #[test]
        fn a_printed_rule_means_the_same(rule in rules(), host in "[a-c]{1,2}", path in "/[a-c]{0,2}") {
            let facts = Facts { host: &host, path: &path, method: "GET", ..Facts::default() };
            let parsed = Rule::parse(&rule).unwrap();
            let again = Rule::parse(&parsed.to_string()).unwrap();
            prop_assert_eq!(parsed.matches(&facts), again.matches(&facts));
            let not = Rule::parse(&format!("!({rule})")).unwrap();
            prop_assert_ne!(parsed.matches(&facts), not.matches(&facts));
            if parsed.matches(&facts) {
                prop_assert!(parsed.may_match_host(&host));
            }
        }
    }
}
