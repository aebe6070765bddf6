//! Which image each component is started from.

use std::collections::BTreeMap;

use ssoproof_deployment::Deployment;

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// A container of this image: `traefik:v3.6`.
    Named(String),
    /// The harness serves it itself.
    Embedded,
}

impl Image {
    /// The image's name, unless the harness serves the component.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Embedded => None,
        }
    }

    fn of(text: String) -> Self {
        if text == EMBEDDED { Self::Embedded } else { Self::Named(text) }
    }
}

/// The image of every component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// PostgreSQL's.
    pub postgres: String,
    /// Redis's.
    pub redis: String,
    /// Traefik's.
    pub traefik: String,
    /// Authentik's, for server and worker.
    pub authentik: Image,
}

impl Images {
    /// For every component the variable `SSOPROOF_IMAGE_<COMPONENT>`, else what `deployment.yaml` says under
    /// `images`, else upstream's image of the version in use.
    ///
    /// # Errors
    /// A sentence about the component that must have an image and is `embedded`.
    pub fn of(deployment: &Deployment, variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let (versions, images) = (&deployment.versions, &deployment.images);
        let chosen = |component: &str, stated: &Option<String>, upstream: String| {
            let name = format!("SSOPROOF_IMAGE_{}", component.to_ascii_uppercase());
            let set = variable(&name).filter(|text| !text.trim().is_empty());
            set.or_else(|| stated.clone()).unwrap_or(upstream)
        };
        let container = |component: &str, stated: &Option<String>, upstream: String| match chosen(
            component, stated, upstream,
        ) {
            name if name == EMBEDDED => Err(format!("{component} has no embedded form: name an image")),
            name => Ok(name),
        };
        let authentik = format!("ghcr.io/goauthentik/server:{}", versions.authentik);
        Ok(Self {
            postgres: container(
                "postgres",
                &images.postgres,
                format!("postgres:{}-alpine", versions.postgres),
            )?,
            redis: container("redis", &images.redis, format!("redis:{}-alpine", versions.redis))?,
            traefik: container("traefik", &images.traefik, format!("traefik:v{}", versions.traefik))?,
            authentik: Image::of(chosen("authentik", &images.authentik, authentik)),
        })
    }

    /// Every component that has a container, with its image's name.
    pub fn named(&self) -> BTreeMap<&'static str, &str> {
        let fixed = [("postgres", &self.postgres), ("redis", &self.redis), ("traefik", &self.traefik)];
        let fixed = fixed.into_iter().map(|(component, name)| (component, name.as_str()));
        fixed.chain(self.authentik.name().map(|name| ("authentik", name))).collect()
    }
}

/// The word for a component that the harness serves itself.
const EMBEDDED: &str = "embedded";
