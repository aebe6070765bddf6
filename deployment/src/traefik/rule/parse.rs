//! From text to a rule that can be asked.

use std::fmt;

use super::facts::RequestFacts;
use super::matcher::{Matcher, is_known};
use super::syntax::{Syntax, parse};

/// A rule that was understood.
///
/// ```
/// use ssoproof_deployment::traefik::{RequestFacts, Rule};
///
/// let rule = Rule::parse("Host(`app.test`) && !PathPrefix(`/api`)").unwrap();
/// assert!(rule.matches(&RequestFacts::get("APP.test:8443", "/")));
/// assert!(!rule.matches(&RequestFacts::get("app.test", "/apix")));
/// assert_eq!(rule.hosts(), ["app.test"]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rule(pub(super) Term);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Matcher(Matcher),
    Not(Box<Term>),
    And(Vec<Term>),
    Or(Vec<Term>),
}

/// Why a rule was not understood. The router that has it is disabled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It is no expression of matchers.
    #[error("parsing rule {rule}: {reason}")]
    Syntax {
        /// The rule.
        rule: String,
        /// Go's or Traefik's reason.
        reason: String,
    },
    /// It is one literal.
    #[error("obtaining build tree")]
    NoMatcher {
        /// The rule.
        rule: String,
    },
    /// A matcher does not take its arguments.
    #[error("adding rule {rule}: {reason}")]
    Matcher {
        /// The rule.
        rule: String,
        /// Traefik's reason.
        reason: String,
    },
}

impl RuleError {
    /// The text in a router's `error` list.
    ///
    /// With `wrapped`, as Traefik 3.6 and 3.7 write it (`truth/traefik/3.6.7-5-config`: `bad_rule`,
    /// `rule_v2_syntax`); without, as 3.0 does.
    pub fn text(&self, wrapped: bool) -> String {
        match self {
            Self::Syntax { rule, .. } | Self::NoMatcher { rule } | Self::Matcher { rule, .. } if wrapped => {
                format!("error while parsing rule {rule}: {self}")
            }
            Self::Syntax { rule, reason } => format!("error while parsing rule {rule}: {reason}"),
            Self::NoMatcher { rule } => format!("error while parsing rule {rule}"),
            Self::Matcher { rule, reason } => format!("error while adding rule {rule}: {reason}"),
        }
    }
}

impl Rule {
    /// Reads `text`.
    ///
    /// # Errors
    /// The first [`RuleError`], syntax before arguments.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let rule = || text.to_owned();
        let syntax = parse(text).map_err(|reason| RuleError::Syntax { rule: rule(), reason })?;
        let calls = calls(&syntax).map_err(|reason| RuleError::Syntax { rule: rule(), reason })?;
        let Some(calls) = calls else { return Err(RuleError::NoMatcher { rule: rule() }) };
        let term = build(calls).map_err(|reason| RuleError::Matcher { rule: rule(), reason })?;
        Ok(Self(term))
    }

    /// Whether a request with these facts is the rule's.
    pub fn matches(&self, facts: &RequestFacts<'_>) -> bool {
        self.0.matches(facts)
    }

    /// Whether some request for `host` could match, whatever its path, method, headers, query and client are.
    pub fn may_match_host(&self, host: &str) -> bool {
        let facts = RequestFacts::get(host, "/");
        let at_host = |matcher: &Matcher| {
            let yes = matcher.matches(&facts);
            (yes, !yes)
        };
        self.0.possible(&at_host).0
    }

    /// Whether some request for a host below `domain`, given in lower case, could match. Where that cannot be told,
    /// it could.
    pub fn may_match_below(&self, domain: &str) -> bool {
        let suffix = format!(".{domain}");
        self.0.possible(&|matcher| (matcher.may_end_host(&suffix), true)).0
    }

    /// Whether every request that matches has a path that begins with `prefix`, as far as the rule says it by `Path` and
    /// `PathPrefix`.
    pub fn is_below(&self, prefix: &str) -> bool {
        self.0.is_below(prefix)
    }

    /// The hosts that the rule names and does not exclude, in lower case, in the order of the text.
    pub fn hosts(&self) -> Vec<&str> {
        let mut hosts = Vec::new();
        self.0.collect_hosts(true, &mut hosts);
        hosts
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Calls, not yet checked, joined as the rule joins them.
enum Calls {
    One(String, Vec<String>),
    Not(Box<Calls>),
    And(Vec<Calls>),
    Or(Vec<Calls>),
}

/// What a rule's expression calls; none when it is a literal alone.
fn calls(syntax: &Syntax) -> Result<Option<Calls>, String> {
    let each = |terms: &[Syntax]| terms.iter().map(operand).collect::<Result<Vec<_>, _>>();
    Ok(Some(match syntax {
        Syntax::Text(_) | Syntax::Number | Syntax::Char => return Ok(None),
        Syntax::Name(name) => return Err(format!("{name} is not defined")),
        Syntax::Selector => return Err("unsupported selector type: *ast.CallExpr".to_owned()),
        Syntax::Unary(operator) | Syntax::Binary(operator) => {
            return Err(format!("{operator} is not supported"));
        }
        Syntax::Group(inner) => return calls(inner),
        Syntax::Not(inner) => Calls::Not(Box::new(operand(inner)?)),
        Syntax::And(terms) => Calls::And(each(terms)?),
        Syntax::Or(terms) => Calls::Or(each(terms)?),
        Syntax::Call(None, _) => return Err("expected identifier, got: *ast.ParenExpr".to_owned()),
        Syntax::Call(Some(name), _) if !is_known(name) => {
            return Err(format!("unsupported function: {name}"));
        }
        Syntax::Call(Some(name), arguments) => {
            let arguments = arguments.iter().map(argument).collect::<Result<_, _>>()?;
            Calls::One(name.clone(), arguments)
        }
    }))
}

fn operand(syntax: &Syntax) -> Result<Calls, String> {
    calls(syntax)?.ok_or_else(|| "reflect: Call using string as type rules.TreeBuilder".to_owned())
}

fn argument(syntax: &Syntax) -> Result<String, String> {
    Err(match syntax {
        Syntax::Text(text) => return Ok(text.clone()),
        Syntax::Char => "unsupported function argument type: 'CHAR'".to_owned(),
        Syntax::Number => "reflect: cannot use int as type string in Call".to_owned(),
        Syntax::Name(name) => format!("{name} is not defined"),
        Syntax::Selector => "unsupported selector type: *ast.CallExpr".to_owned(),
        Syntax::Group(_) => "*ast.ParenExpr is not supported".to_owned(),
        Syntax::Not(_) | Syntax::Unary(_) => "*ast.UnaryExpr is not supported".to_owned(),
        Syntax::And(_) | Syntax::Or(_) | Syntax::Binary(_) => "*ast.BinaryExpr is not supported".to_owned(),
        Syntax::Call(Some(name), _) if is_known(name) => {
            "reflect: cannot use rules.TreeBuilder as type string in Call".to_owned()
        }
        Syntax::Call(name, _) => format!("unsupported function: {}", name.as_deref().unwrap_or_default()),
    })
}

fn build(calls: Calls) -> Result<Term, String> {
    let each = |calls: Vec<Calls>| calls.into_iter().map(build).collect::<Result<Vec<_>, _>>();
    Ok(match calls {
        Calls::One(name, arguments) => Term::Matcher(Matcher::new(&name, arguments)?),
        Calls::Not(inner) => Term::Not(Box::new(build(*inner)?)),
        Calls::And(terms) => Term::And(each(terms)?),
        Calls::Or(terms) => Term::Or(each(terms)?),
    })
}

impl Term {
    /// Whether the term can be true, and whether it can be false, when `hosts` tells both of the matchers of hosts.
    fn possible(&self, hosts: &dyn Fn(&Matcher) -> (bool, bool)) -> (bool, bool) {
        match self {
            Self::Matcher(matcher) if matcher.is_about_hosts() => hosts(matcher),
            Self::Matcher(_) => (true, true),
            Self::Not(term) => {
                let (can_be_true, can_be_false) = term.possible(hosts);
                (can_be_false, can_be_true)
            }
            Self::And(terms) => {
                let each: Vec<_> = terms.iter().map(|term| term.possible(hosts)).collect();
                (each.iter().all(|term| term.0), each.iter().any(|term| term.1))
            }
            Self::Or(terms) => {
                let each: Vec<_> = terms.iter().map(|term| term.possible(hosts)).collect();
                (each.iter().any(|term| term.0), each.iter().all(|term| term.1))
            }
        }
    }

    fn is_below(&self, prefix: &str) -> bool {
        match self {
            Self::Matcher(matcher) => matcher.is_below(prefix),
            Self::Not(_) => false,
            Self::And(terms) => terms.iter().any(|term| term.is_below(prefix)),
            Self::Or(terms) => terms.iter().all(|term| term.is_below(prefix)),
        }
    }

    fn matches(&self, facts: &RequestFacts<'_>) -> bool {
        match self {
            Self::Matcher(matcher) => matcher.matches(facts),
            Self::Not(term) => !term.matches(facts),
            Self::And(terms) => terms.iter().all(|term| term.matches(facts)),
            Self::Or(terms) => terms.iter().any(|term| term.matches(facts)),
        }
    }

    fn collect_hosts<'a>(&'a self, positive: bool, hosts: &mut Vec<&'a str>) {
        match self {
            Self::Matcher(matcher) => hosts.extend(matcher.host().filter(|_| positive)),
            Self::Not(term) => term.collect_hosts(!positive, hosts),
            Self::And(terms) | Self::Or(terms) => {
                terms.iter().for_each(|term| term.collect_hosts(positive, hosts));
            }
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (terms, joint) = match self {
            Self::Matcher(matcher) => return matcher.fmt(formatter),
            Self::Not(term) => return write!(formatter, "!{term}"),
            Self::And(terms) => (terms, " && "),
            Self::Or(terms) => (terms, " || "),
        };
        formatter.write_str("(")?;
        for (index, term) in terms.iter().enumerate() {
            if index > 0 {
                formatter.write_str(joint)?;
            }
            term.fmt(formatter)?;
        }
        formatter.write_str(")")
    }
}
