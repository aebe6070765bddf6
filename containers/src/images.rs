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
    /// Grafana's.
    pub grafana: Image,
    /// MinIO's.
    pub minio: Image,
}

impl Images {
    /// For every component what `set` says of it, else what `deployment.yaml` says under `images`, else upstream's image of
    /// the version in use.
    ///
    /// # Errors
    /// A sentence about the component that must have an image and is `embedded`, or the other way round.
    pub fn of(deployment: &Deployment, set: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let (versions, images) = (&deployment.versions, &deployment.images);
        let chosen = |component: &str, stated: &Option<String>, upstream: String| {
            let set = set(component).filter(|text| !text.trim().is_empty());
            set.or_else(|| stated.clone()).unwrap_or(upstream)
        };
        let container = |component: &str, stated: &Option<String>, upstream: String| match chosen(
            component, stated, upstream,
        ) {
            name if name == EMBEDDED => Err(format!("{component} has no embedded form: name an image")),
            name => Ok(name),
        };
        let authentik = format!("{}:{}", repository("authentik"), versions.authentik);
        Ok(Self {
            postgres: container(
                "postgres",
                &images.postgres,
                format!("postgres:{}-alpine", versions.postgres),
            )?,
            redis: container("redis", &images.redis, format!("redis:{}-alpine", versions.redis))?,
            traefik: container("traefik", &images.traefik, format!("traefik:v{}", versions.traefik))?,
            authentik: Image::of(chosen("authentik", &images.authentik, authentik)),
            grafana: Image::of(chosen("grafana", &images.grafana, GRAFANA.to_owned())),
            minio: Image::of(chosen("minio", &images.minio, MINIO.to_owned())),
        })
    }

    /// Every component that has a container, with its image's name.
    pub fn named(&self) -> BTreeMap<&'static str, &str> {
        let fixed = [("postgres", &self.postgres), ("redis", &self.redis), ("traefik", &self.traefik)];
        let fixed = fixed.into_iter().map(|(component, name)| (component, name.as_str()));
        let others = [("authentik", &self.authentik), ("grafana", &self.grafana), ("minio", &self.minio)];
        let others = others.into_iter().filter_map(|(component, image)| Some((component, image.name()?)));
        fixed.chain(others).collect()
    }
}

/// The repository of upstream's images of `component`.
pub fn repository(component: &str) -> &str {
    match component {
        "authentik" => "ghcr.io/goauthentik/server",
        "grafana" => "grafana/grafana",
        "minio" => "minio/minio",
        same => same,
    }
}

/// The word for a component that the harness serves itself.
const EMBEDDED: &str = "embedded";
/// Upstream's image of Grafana.
const GRAFANA: &str = "grafana/grafana:13.2.3";
/// Upstream's image of MinIO: the last release whose console signs in by OpenID Connect (minio#21311).
const MINIO: &str = "minio/minio:RELEASE.2025-04-22T22-12-26Z";

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Deployment {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");
        Deployment::load(folder.as_ref()).unwrap()
    }

    fn images(deployment: &Deployment, set: &[(&str, &str)]) -> Result<Images, String> {
        Images::of(deployment, |component| {
            set.iter().find(|(known, _)| *known == component).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn upstream_s_images_of_the_versions_in_use_are_the_default() {
        let images = images(&deployment(), &[]).unwrap();
        assert_eq!(images.postgres, "postgres:16-alpine");
        assert_eq!(images.redis, "redis:7-alpine");
        assert_eq!(images.traefik, "traefik:v3.6");
        assert_eq!(images.authentik, Image::Named("ghcr.io/goauthentik/server:2026.2".to_owned()));
        assert_eq!(images.grafana, Image::Named("grafana/grafana:13.2.3".to_owned()));
        assert_eq!(images.minio, Image::Named("minio/minio:RELEASE.2025-04-22T22-12-26Z".to_owned()));
    }

    #[test]
    fn what_is_set_goes_before_the_deployment_and_that_before_upstream() {
        let mut deployment = deployment();
        deployment.images.redis = Some("ours/redis:7".to_owned());
        deployment.images.traefik = Some("ours/traefik:3".to_owned());
        deployment.images.grafana = Some("embedded".to_owned());
        deployment.images.minio = Some("embedded".to_owned());
        let set = [("traefik", "mine:1"), ("authentik", "embedded"), ("minio", "mine/minio:2")];
        let images = images(&deployment, &set).unwrap();
        assert_eq!((images.redis.as_str(), images.traefik.as_str()), ("ours/redis:7", "mine:1"));
        assert_eq!(images.authentik, Image::Embedded);
        assert_eq!((&images.grafana, images.minio.name()), (&Image::Embedded, Some("mine/minio:2")));
        let named = images.named().into_keys().collect::<Vec<_>>();
        assert_eq!(named, ["minio", "postgres", "redis", "traefik"]);
    }

    #[test]
    fn what_has_no_other_form_is_refused() {
        let deployment = deployment();
        let refused = images(&deployment, &[("redis", "embedded")]).unwrap_err();
        assert_eq!(refused, "redis has no embedded form: name an image");
    }
}
