//! The matchers a rule is made of.

use std::fmt;
use std::net::IpAddr;

use regex::Regex;

use super::facts::RequestFacts;
use crate::traefik::pattern;

/// One matcher with its arguments, checked and compiled.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    kind: Kind,
    arguments: Vec<String>,
    pattern: Option<Regex>,
    network: Option<Network>,
}

/// What a request must have for a matcher; `…Like` hold patterns.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wants<'a> {
    Client,
    Header(&'a str, &'a str),
    HeaderLike(&'a str, &'a str),
    Host(&'a str),
    HostLike(&'a str),
    Method(&'a str),
    Path(&'a str),
    PathPrefix(&'a str),
    PathLike(&'a str),
    Query(&'a str, &'a str),
    QueryLike(&'a str, &'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ClientIp,
    Header,
    HeaderRegexp,
    Host,
    HostRegexp,
    Method,
    Path,
    PathPrefix,
    PathRegexp,
    Query,
    QueryRegexp,
}

const KINDS: [(&str, Kind, &[usize]); 11] = [
    ("ClientIP", Kind::ClientIp, &[1]),
    ("Header", Kind::Header, &[2]),
    ("HeaderRegexp", Kind::HeaderRegexp, &[2]),
    ("Host", Kind::Host, &[1]),
    ("HostRegexp", Kind::HostRegexp, &[1]),
    ("Method", Kind::Method, &[1]),
    ("Path", Kind::Path, &[1]),
    ("PathPrefix", Kind::PathPrefix, &[1]),
    ("PathRegexp", Kind::PathRegexp, &[1]),
    ("Query", Kind::Query, &[1, 2]),
    ("QueryRegexp", Kind::QueryRegexp, &[1, 2]),
];

impl Kind {
    /// The matcher called `name`: as documented, in lower case, in upper case, or with one capital.
    fn named(name: &str) -> Option<(&'static str, Self, &'static [usize])> {
        let capital = |full: &str| format!("{}{}", &full[..1], full[1..].to_ascii_lowercase());
        KINDS.into_iter().find(|(full, ..)| {
            name == *full
                || name == full.to_ascii_lowercase()
                || name == full.to_ascii_uppercase()
                || name == capital(full)
        })
    }
}

/// Whether a rule may call `name`.
pub(super) fn is_known(name: &str) -> bool {
    Kind::named(name).is_some()
}

impl Matcher {
    /// Whether it looks at the host and nothing else.
    pub(super) fn is_about_hosts(&self) -> bool {
        matches!(self.kind, Kind::Host | Kind::HostRegexp)
    }

    /// A matcher from its call.
    ///
    /// # Errors
    /// Traefik's words for the first thing wrong with the arguments, without the rule before them.
    pub(super) fn new(called: &str, arguments: Vec<String>) -> Result<Self, String> {
        let Some((name, kind, counts)) = Kind::named(called) else {
            return Err(format!("unsupported function: {called}"));
        };
        if arguments.is_empty() {
            return Err(format!("error while checking rule {called}: no args for matcher {called}"));
        }
        if arguments.iter().any(String::is_empty) {
            let listed = arguments.join(" ");
            return Err(format!(
                "error while checking rule {called}: empty args for matcher {called}, [{listed}]"
            ));
        }
        let failed = |reason: String| format!("error while adding rule {called}: {reason}");
        if !counts.contains(&arguments.len()) {
            let expected: Vec<_> = counts.iter().map(ToString::to_string).collect();
            return Err(failed(format!(
                "unexpected number of parameters; got {}, expected one of [{}]",
                arguments.len(),
                expected.join(" ")
            )));
        }
        let mut matcher = Self { kind, arguments, pattern: None, network: None };
        matcher.check(name).map_err(failed)?;
        Ok(matcher)
    }

    fn check(&mut self, name: &str) -> Result<(), String> {
        let first = &self.arguments[0];
        match self.kind {
            Kind::Host | Kind::HostRegexp if !first.is_ascii() => {
                return Err(format!(
                    "invalid value \"{first}\" for {name} matcher, non-ASCII characters are not allowed"
                ));
            }
            Kind::Path | Kind::PathPrefix if !first.starts_with('/') => {
                return Err(format!("path \"{first}\" does not start with a '/'"));
            }
            Kind::ClientIp => {
                let network = Network::parse(first).ok_or_else(|| {
                    format!(
                        "initializing IP checker for ClientIP matcher: parsing CIDR trusted IPs <nil>: \
                         invalid CIDR address: {first}"
                    )
                })?;
                self.network = Some(network);
            }
            _ => {}
        }
        let pattern = match self.kind {
            Kind::HostRegexp | Kind::PathRegexp => Some(first),
            Kind::HeaderRegexp | Kind::QueryRegexp => self.arguments.get(1),
            _ => None,
        };
        if let Some(pattern) = pattern {
            // Traefik's text for a bad PathRegexp names PathPrefix.
            let blamed = if self.kind == Kind::PathRegexp { "PathPrefix" } else { name };
            let compiled = pattern::compile(pattern)
                .map_err(|reason| format!("compiling {blamed} matcher: {reason}"))?;
            self.pattern = Some(compiled);
        }
        if self.kind == Kind::Host {
            self.arguments[0] = self.arguments[0].to_ascii_lowercase();
        }
        if self.kind == Kind::Method {
            self.arguments[0] = self.arguments[0].to_ascii_uppercase();
        }
        Ok(())
    }

    /// What a request must have for this matcher.
    pub(super) fn wants(&self) -> Wants<'_> {
        let first = self.arguments[0].as_str();
        let second = self.arguments.get(1).map_or("", String::as_str);
        let pattern = self.pattern.as_ref().map_or("", |pattern| pattern.as_str());
        match self.kind {
            Kind::ClientIp => Wants::Client,
            Kind::Header => Wants::Header(first, second),
            Kind::HeaderRegexp => Wants::HeaderLike(first, pattern),
            Kind::Host => Wants::Host(first),
            Kind::HostRegexp => Wants::HostLike(pattern),
            Kind::Method => Wants::Method(first),
            Kind::Path => Wants::Path(first),
            Kind::PathPrefix => Wants::PathPrefix(first),
            Kind::PathRegexp => Wants::PathLike(pattern),
            Kind::Query => Wants::Query(first, second),
            Kind::QueryRegexp => Wants::QueryLike(first, pattern),
        }
    }

    /// The host that this matcher names.
    pub(super) fn host(&self) -> Option<&str> {
        (self.kind == Kind::Host).then(|| self.arguments[0].as_str())
    }

    /// Whether a host that ends in `suffix` may match.
    pub(super) fn may_end_host(&self, suffix: &str) -> bool {
        match (self.kind, &self.pattern) {
            (Kind::Host, _) => self.arguments[0].trim_end_matches('.').ends_with(suffix),
            (_, Some(regex)) => pattern::may_end_with(regex, suffix),
            (_, None) => true,
        }
    }

    /// Whether it takes only paths that begin with `prefix`.
    pub(super) fn is_below(&self, prefix: &str) -> bool {
        matches!(self.kind, Kind::Path | Kind::PathPrefix) && self.arguments[0].starts_with(prefix)
    }

    pub(super) fn matches(&self, facts: &RequestFacts<'_>) -> bool {
        let first = self.arguments[0].as_str();
        let by_pattern = |text: &str| self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(text));
        match self.kind {
            Kind::ClientIp => self.network.is_some_and(|network| network.contains(facts.client)),
            Kind::Header => facts.headers.any(first, &mut |value| value == self.arguments[1].as_bytes()),
            Kind::HeaderRegexp => {
                facts.headers.any(first, &mut |value| by_pattern(&String::from_utf8_lossy(value)))
            }
            Kind::Host => same_host(first, &facts.canonical_host()),
            Kind::HostRegexp => by_pattern(&facts.canonical_host()),
            Kind::Method => facts.method == first,
            Kind::Path => facts.path == first,
            Kind::PathPrefix => facts.path.starts_with(first),
            Kind::PathRegexp => by_pattern(facts.path),
            Kind::Query => {
                let wanted = self.arguments.get(1).map_or("", String::as_str);
                facts.query_pairs().any(|(key, value)| key == first && value == wanted)
            }
            Kind::QueryRegexp => facts.query_pairs().any(|(key, value)| {
                key == first && self.pattern.as_ref().map_or(value.is_empty(), |_| by_pattern(&value))
            }),
        }
    }
}

/// Compares a host of a rule with the one asked for; a dot at the end of either does not count.
fn same_host(rule: &str, asked: &str) -> bool {
    if asked.is_empty() {
        return false;
    }
    rule == asked || rule.strip_suffix('.') == Some(asked) || asked.strip_suffix('.') == Some(rule)
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.arguments == other.arguments
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS.iter().find(|(_, kind, _)| *kind == self.kind).map_or("", |(name, ..)| name);
        write!(formatter, "{name}(")?;
        for (index, argument) in self.arguments.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            if argument.contains(['`', '\r']) {
                formatter.write_str("\"")?;
                for letter in argument.chars() {
                    match letter {
                        '"' | '\\' => write!(formatter, "\\{letter}")?,
                        '\n' => formatter.write_str("\\n")?,
                        '\r' => formatter.write_str("\\r")?,
                        _ => write!(formatter, "{letter}")?,
                    }
                }
                formatter.write_str("\"")?;
            } else {
                write!(formatter, "`{argument}`")?;
            }
        }
        formatter.write_str(")")
    }
}

/// An address range: `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads an address or a CIDR range; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse().ok()?, Some(bits.parse::<u32>().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let longest = if matches!(address, IpAddr::V4(_)) { 32 } else { 128 };
        let bits = bits.unwrap_or(longest);
        (bits <= longest).then_some(Self { address, bits })
    }

    /// Whether `address` lies in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (one, two, width) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(two)) => (u128::from(one.to_bits()), u128::from(two.to_bits()), 32),
            (IpAddr::V6(one), IpAddr::V6(two)) => (one.to_bits(), two.to_bits(), 128),
            _ => return false,
        };
        self.bits == 0 || (one ^ two) >> (width - self.bits) == 0
    }
}
