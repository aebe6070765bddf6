//! One side of a comparison, as it is typed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use ssoproof_containers::repository;
use ssoproof_deployment::Deployment;
use ssoproof_embedded::authentik::Profile;

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// The deployment with these components in place of its own.
    With(BTreeMap<Component, Made>),
    /// A run that `ssoproof run --save` has written.
    Saved(PathBuf),
}

/// What can be another on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// Authentik.
    Authentik,
    /// Traefik.
    Traefik,
    /// PostgreSQL.
    Postgres,
    /// Redis.
    Redis,
    /// Grafana.
    Grafana,
    /// MinIO.
    Minio,
}

/// What a component is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// Its version: of the embedded stack, or of upstream's image.
    Version(String),
    /// An image, by its name; `embedded` for what the harness serves itself.
    Image(String),
}

/// Why a text is no side, or not on that stack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SideError {
    /// It is neither versions nor a file.
    #[error("`{0}` is no file and no versions such as `authentik=2025.8,traefik=3.0`")]
    Neither(String),
    /// There is no such component.
    #[error("a stack has no `{0}`: known are authentik, traefik, postgres, redis, grafana and minio")]
    Component(String),
    /// A component is named twice.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// The embedded stack has no versions of it.
    #[error(
        "the embedded stack has versions of `authentik` and `traefik`, not of `{0}`; `--stack containers` has"
    )]
    NotEmbedded(&'static str),
    /// The embedded stack has no images.
    #[error("`{0}` is an image: say `--stack containers`")]
    Image(String),
    /// It is not modelled.
    #[error(
        "Authentik `{0}` is not modelled; 2026.2, 2025.12 and 2025.8 are, and `--stack containers` has every image"
    )]
    Authentik(String),
    /// It is no version.
    #[error("`{0}` is no version of Traefik; one reads `3.6` or `3.6.7`")]
    Traefik(String),
}

impl Component {
    const ALL: [Self; 6] =
        [Self::Authentik, Self::Traefik, Self::Postgres, Self::Redis, Self::Grafana, Self::Minio];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Authentik => "authentik",
            Self::Traefik => "traefik",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Grafana => "grafana",
            Self::Minio => "minio",
        }
    }
}

impl FromStr for Side {
    type Err = SideError;

    fn from_str(text: &str) -> Result<Self, SideError> {
        let path = PathBuf::from(text);
        if path.is_file() {
            return Ok(Self::Saved(path));
        }
        let mut with = BTreeMap::new();
        for part in text.split(',') {
            let (name, made) = part.split_once('=').ok_or_else(|| SideError::Neither(text.to_owned()))?;
            let (name, made) = (name.trim(), made.trim());
            let component = Component::ALL.into_iter().find(|component| component.word() == name);
            let component = component.ok_or_else(|| SideError::Component(name.to_owned()))?;
            let made = match made {
                "" => return Err(SideError::Neither(text.to_owned())),
                "embedded" => Made::Image(made.to_owned()),
                image if image.contains(['/', ':']) => Made::Image(image.to_owned()),
                version => Made::Version(version.to_owned()),
            };
            if with.insert(component, made).is_some() {
                return Err(SideError::Twice(name.to_owned()));
            }
        }
        Ok(Self::With(with))
    }
}

impl Side {
    /// Whether the embedded stack can be it.
    ///
    /// # Errors
    /// What of it the embedded stack does not have.
    pub fn embedded(&self) -> Result<(), SideError> {
        let Self::With(with) = self else { return Ok(()) };
        for (component, made) in with {
            match (component, made) {
                (_, Made::Image(image)) => return Err(SideError::Image(image.clone())),
                (Component::Authentik, Made::Version(version)) if Profile::of(plain(version)).is_none() => {
                    return Err(SideError::Authentik(version.clone()));
                }
                (Component::Traefik, Made::Version(version)) if !is_version(plain(version)) => {
                    return Err(SideError::Traefik(version.clone()));
                }
                (Component::Authentik | Component::Traefik, Made::Version(_)) => {}
                (other, Made::Version(_)) => return Err(SideError::NotEmbedded(other.word())),
            }
        }
        Ok(())
    }

    /// The components that it names.
    pub fn named(&self) -> impl Iterator<Item = &'static str> {
        let with = match self {
            Self::With(with) => Some(with),
            Self::Saved(_) => None,
        };
        with.into_iter().flat_map(|with| with.keys().map(|component| component.word()))
    }

    /// `deployment` with the components of this side.
    pub fn apply(&self, deployment: &mut Deployment) {
        let Self::With(with) = self else { return };
        let (versions, images) = (&mut deployment.versions, &mut deployment.images);
        for (component, made) in with {
            let (version, image) = match component {
                Component::Authentik => (Some(&mut versions.authentik), &mut images.authentik),
                Component::Traefik => (Some(&mut versions.traefik), &mut images.traefik),
                Component::Postgres => (Some(&mut versions.postgres), &mut images.postgres),
                Component::Redis => (Some(&mut versions.redis), &mut images.redis),
                Component::Grafana => (None, &mut images.grafana),
                Component::Minio => (None, &mut images.minio),
            };
            let said = match made {
                Made::Version(version) => version.as_str(),
                Made::Image(name) => tag(name).unwrap_or_default(),
            };
            let said = plain(said);
            let known = said.starts_with(|first: char| first.is_ascii_digit());
            *image = match (made, &version) {
                (Made::Image(name), _) => Some(name.clone()),
                // The image of a version is known by the deployment's versions.
                (Made::Version(_), Some(_)) if known => None,
                (Made::Version(tag), _) => Some(format!("{}:{tag}", repository(component.word()))),
            };
            if let (Some(version), true) = (version, known) {
                said.clone_into(version);
            }
        }
    }
}

impl fmt::Display for Side {
    /// As it was typed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Saved(path) => write!(out, "{}", path.display()),
            Self::With(with) => {
                for (index, (component, made)) in with.iter().enumerate() {
                    let (Made::Version(made) | Made::Image(made)) = made;
                    write!(out, "{}{}={made}", if index == 0 { "" } else { "," }, component.word())?;
                }
                Ok(())
            }
        }
    }
}

/// The tag of an image's name.
fn tag(image: &str) -> Option<&str> {
    let (_, last) = image.rsplit_once('/').unwrap_or(("", image));
    Some(last.split('@').next()?.split_once(':')?.1)
}

/// A version without the `v` in front.
fn plain(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}

/// Whether `text` reads `3.6` or `3.6.7`.
fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    (2..=3).contains(&parts.len()) && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(text: &str) -> Side {
        text.parse().unwrap()
    }

    #[test]
    fn versions_read_in_any_order() {
        let version = |text: &str| Made::Version(text.to_owned());
        let both = [(Component::Authentik, version("2025.12.4")), (Component::Traefik, version("v3.0"))];
        let side = side("traefik=v3.0, authentik=2025.12.4");
        assert_eq!(side, Side::With(both.into()));
        assert_eq!(side.to_string(), "authentik=2025.12.4,traefik=v3.0");
    }

    #[test]
    fn what_is_no_side_is_refused() {
        let refusal = |text: &str| text.parse::<Side>().unwrap_err();
        assert_eq!(refusal("nginx=1"), SideError::Component("nginx".into()));
        assert_eq!(refusal("traefik=3.0,traefik=3.6"), SideError::Twice("traefik".into()));
        assert_eq!(refusal("no-such-file"), SideError::Neither("no-such-file".into()));
        assert_eq!(refusal("traefik="), SideError::Neither("traefik=".into()));
    }

    #[test]
    fn the_embedded_stack_refuses_what_it_does_not_model() {
        let refusal = |text: &str| side(text).embedded().unwrap_err();
        assert_eq!(refusal("authentik=2023.1"), SideError::Authentik("2023.1".into()));
        assert_eq!(refusal("postgres=16"), SideError::NotEmbedded("postgres"));
        assert_eq!(refusal("traefik=new"), SideError::Traefik("new".into()));
        assert_eq!(refusal("redis=valkey/valkey:8"), SideError::Image("valkey/valkey:8".into()));
        assert_eq!(side("authentik=2025.12.4,traefik=3.6.7").embedded(), Ok(()));
    }

    #[test]
    fn an_image_says_its_version_by_its_tag() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");
        let mut deployment = Deployment::load(folder.as_ref()).unwrap();
        deployment.images.traefik = Some("ours/traefik:3".to_owned());
        side("authentik=localhost:5000/server:2025.12.4@sha256:0,traefik=3.7,grafana=13.1,redis=valkey/valkey:new")
            .apply(&mut deployment);
        let (versions, images) = (&deployment.versions, &deployment.images);
        assert_eq!(
            (versions.authentik.as_str(), versions.traefik.as_str(), versions.redis.as_str()),
            ("2025.12.4", "3.7", "7")
        );
        assert_eq!(images.authentik.as_deref(), Some("localhost:5000/server:2025.12.4@sha256:0"));
        assert_eq!(images.traefik, None, "a version is upstream's image");
        assert_eq!(images.grafana.as_deref(), Some("grafana/grafana:13.1"));
        assert_eq!(images.redis.as_deref(), Some("valkey/valkey:new"));
        side("traefik=latest,minio=embedded").apply(&mut deployment);
        assert_eq!(deployment.images.traefik.as_deref(), Some("traefik:latest"));
        assert_eq!(deployment.images.minio.as_deref(), Some("embedded"));
    }
}
