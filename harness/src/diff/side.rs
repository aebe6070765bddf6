//! One side of a comparison, as it is typed.

use std::path::PathBuf;
use std::str::FromStr;

use ssoproof_deployment::Deployment;
use ssoproof_embedded::authentik::Profile;

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// The deployment on the embedded stack, with these versions in place of its own.
    Versions {
        /// Authentik's.
        authentik: Option<String>,
        /// Traefik's.
        traefik: Option<String>,
    },
    /// A run that `ssoproof run --save` has written.
    Saved(PathBuf),
}

/// Why a text is no side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SideError {
    /// It is neither versions nor a file.
    #[error("`{0}` is no file and no versions such as `authentik=2025.8,traefik=3.0`")]
    Neither(String),
    /// The embedded stack has no versions of it.
    #[error("the embedded stack has versions of `authentik` and `traefik`, not of `{0}`")]
    Component(String),
    /// A component is named twice.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// It is not modelled.
    #[error("Authentik `{0}` is not modelled; 2026.2, 2025.12 and 2025.8 are")]
    Authentik(String),
    /// It is no version.
    #[error("`{0}` is no version of Traefik; one reads `3.6` or `3.6.7`")]
    Traefik(String),
}

impl FromStr for Side {
    type Err = SideError;

    fn from_str(text: &str) -> Result<Self, SideError> {
        let path = PathBuf::from(text);
        if path.is_file() {
            return Ok(Self::Saved(path));
        }
        let (mut authentik, mut traefik) = (None, None);
        for part in text.split(',') {
            let (name, version) = part.split_once('=').ok_or_else(|| SideError::Neither(text.to_owned()))?;
            let held = match name.trim() {
                "authentik" => &mut authentik,
                "traefik" => &mut traefik,
                other => return Err(SideError::Component(other.to_owned())),
            };
            if held.is_some() {
                return Err(SideError::Twice(name.trim().to_owned()));
            }
            *held = Some(version.trim().trim_start_matches('v').to_owned());
        }
        if let Some(version) = authentik.as_deref().filter(|version| Profile::of(version).is_none()) {
            return Err(SideError::Authentik(version.to_owned()));
        }
        let is_version = |version: &&String| {
            let parts: Vec<&str> = version.split('.').collect();
            !(2..=3).contains(&parts.len()) || parts.iter().any(|part| part.parse::<u32>().is_err())
        };
        if let Some(version) = traefik.as_ref().filter(is_version) {
            return Err(SideError::Traefik(version.clone()));
        }
        Ok(Self::Versions { authentik, traefik })
    }
}

impl Side {
    /// `deployment` with the versions of this side.
    pub fn apply(&self, deployment: &mut Deployment) {
        if let Self::Versions { authentik, traefik } = self {
            let own = &mut deployment.versions;
            for (own, given) in [(&mut own.authentik, authentik), (&mut own.traefik, traefik)] {
                if let Some(given) = given {
                    own.clone_from(given);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_in_any_order() {
        let both: Side = "traefik=v3.0,authentik=2025.12.4".parse().unwrap();
        let expected = Side::Versions { authentik: Some("2025.12.4".into()), traefik: Some("3.0".into()) };
        assert_eq!(both, expected);
    }

    #[test]
    fn what_is_not_modelled_is_refused() {
        let refusal = |text: &str| text.parse::<Side>().unwrap_err();
        assert_eq!(refusal("authentik=2023.1"), SideError::Authentik("2023.1".into()));
        assert_eq!(refusal("postgres=16"), SideError::Component("postgres".into()));
        assert_eq!(refusal("traefik=new"), SideError::Traefik("new".into()));
        assert_eq!(refusal("traefik=3.0,traefik=3.6"), SideError::Twice("traefik".into()));
        assert_eq!(refusal("no-such-file"), SideError::Neither("no-such-file".into()));
    }
}
