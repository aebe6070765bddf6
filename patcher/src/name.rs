//! The name of the middleware.

use std::fmt;
use std::str::FromStr;

use ssoproof_deployment::traefik::qualified;

/// A middleware's name with its provider, of letters that need no quotes in YAML: `authentik@file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MiddlewareName(String);

/// Why a text is no [`MiddlewareName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of a middleware: letters, digits, `-`, `_`, `.` and one `@` before the provider")]
pub struct BadName(String);

impl MiddlewareName {
    /// The name with its provider.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MiddlewareName {
    type Err = BadName;

    /// Reads `authentik@file`, or `authentik` for the same.
    fn from_str(text: &str) -> Result<Self, BadName> {
        let plain = |part: &str| {
            part.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let name = qualified(text);
        match name.split_once('@') {
            Some((bare, provider)) if plain(bare) && plain(provider) => Ok(Self(name)),
            _ => Err(BadName(text.to_owned())),
        }
    }
}

impl fmt::Display for MiddlewareName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::MiddlewareName;

    #[test]
    fn names_get_their_provider_and_nothing_that_would_need_quotes() {
        for (text, name) in [("authentik", "authentik@file"), ("a.b-c_1@docker", "a.b-c_1@docker")] {
            assert_eq!(text.parse::<MiddlewareName>().unwrap().as_str(), name);
        }
        for text in ["", "@file", "a@", "a b", "a,b", "a\nb", "- a", "{{ x }}", "a@b@c", "é"] {
            assert!(text.parse::<MiddlewareName>().is_err(), "{text}");
        }
    }
}
