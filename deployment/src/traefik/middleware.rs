//! Middlewares ready to run.

use regex::Regex;

use super::dynamic::{ForwardAuth, HeaderEdits, MiddlewareDefinition, MiddlewareType, RedirectScheme};
use super::pattern;

/// A middleware of a router's chain, checked and compiled.
#[derive(Clone, Debug)]
pub struct Step {
    /// The middleware's name with its provider: `authentik@file`.
    pub name: String,
    /// What it does.
    pub action: Action,
}

/// What a [`Step`] does to a request.
#[derive(Clone, Debug)]
pub enum Action {
    /// Asks the auth server.
    ForwardAuth {
        /// The settings; names of headers are canonical.
        auth: ForwardAuth,
        /// The pattern of response headers, compiled.
        pattern: Option<Regex>,
    },
    /// Sets and removes header lines.
    Headers(HeaderEdits),
    /// Redirects to another scheme.
    RedirectScheme(RedirectScheme),
    /// Redirects to a rewritten URL.
    RedirectRegex {
        /// Matched against the whole URL.
        regex: Regex,
        /// The replacement.
        replacement: String,
        /// Whether browsers may remember it.
        permanent: bool,
    },
    /// Takes the first prefix that fits off the path.
    StripPrefix(Vec<String>),
    /// Puts a prefix before the path.
    AddPrefix(String),
    /// Sets the path.
    ReplacePath(String),
    /// Rewrites the path.
    ReplacePathRegex {
        /// Matched against the path.
        regex: Regex,
        /// The replacement.
        replacement: String,
    },
    /// Lets everything pass: the type is not modelled.
    PassThrough(&'static str),
}

/// A middleware's type in action; none for a chain, which is made of others.
///
/// # Errors
/// Traefik's text: several types, none, a pattern that does not compile, an empty prefix.
pub(super) fn action(name: &str, definition: &MiddlewareDefinition) -> Result<Option<Action>, String> {
    let made = match definition.types.as_slice() {
        [made] => made,
        [] => {
            return Err(format!(
                "invalid middleware \"{name}\" configuration: invalid middleware type or middleware does not exist"
            ));
        }
        _ => {
            return Err(
                "cannot create middleware: multi-types middleware not supported, consider declaring two \
                        different pieces of middleware instead"
                    .to_owned(),
            );
        }
    };
    let named = |regex: &str| {
        pattern::compile(regex)
            .map_err(|reason| format!("error compiling regular expression {regex}: {reason}"))
    };
    Ok(Some(match made {
        MiddlewareType::Chain(_) => return Ok(None),
        MiddlewareType::ForwardAuth(auth) => {
            let pattern = auth.response_headers_pattern.as_deref().map(named).transpose()?;
            let mut auth = ForwardAuth::clone(auth);
            for header in auth.response_headers.iter_mut().chain(&mut auth.request_headers) {
                *header = canonical_header(header);
            }
            Action::ForwardAuth { auth, pattern }
        }
        MiddlewareType::Headers(edits) => Action::Headers(edits.clone()),
        MiddlewareType::RedirectScheme(redirect) if redirect.scheme.is_empty() => {
            return Err("you must provide a target scheme".to_owned());
        }
        MiddlewareType::RedirectScheme(redirect) => Action::RedirectScheme(redirect.clone()),
        MiddlewareType::RedirectRegex { regex, replacement, permanent } => Action::RedirectRegex {
            regex: pattern::compile(regex)?,
            replacement: replacement.clone(),
            permanent: *permanent,
        },
        MiddlewareType::StripPrefix(prefixes) => Action::StripPrefix(prefixes.clone()),
        MiddlewareType::AddPrefix(prefix) if prefix.is_empty() => {
            return Err("prefix cannot be empty".to_owned());
        }
        MiddlewareType::AddPrefix(prefix) => Action::AddPrefix(prefix.clone()),
        MiddlewareType::ReplacePath(path) => Action::ReplacePath(path.clone()),
        MiddlewareType::ReplacePathRegex { regex, replacement } => {
            Action::ReplacePathRegex { regex: named(regex)?, replacement: replacement.trim().to_owned() }
        }
        MiddlewareType::Unmodelled(kind) => Action::PassThrough(kind),
    }))
}

/// A header name as Go writes it: `x-authentik-username` becomes `X-Authentik-Username`. Names that are no token
/// stay as they are.
pub fn canonical_header(name: &str) -> String {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.bytes().all(token) {
        return name.to_owned();
    }
    let mut start = true;
    name.chars()
        .map(|letter| {
            let cased = if start { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
            start = letter == '-';
            cased
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn header_names_are_canonical_as_gos() {
        for (name, canonical) in [
            ("x-AUTHENTIK-username", "X-Authentik-Username"),
            ("x_authentik_username", "X_authentik_username"),
            ("X_authentik-groups", "X_authentik-Groups"),
            ("with space", "with space"),
        ] {
            assert_eq!(super::canonical_header(name), canonical);
        }
    }
}
