//! `traefik_file`: puts a file of one's own into the folder of Traefik's file provider.

use std::path::{Component, Path};

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::traefik::is_dynamic_file;
use ssoproof_deployment::{Located, Place};

use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::world::parse_url;
use super::{Seen, World};
use crate::scenario::{Template, Text};
use crate::stacks::{Reach, has_loaded, write_by_rename};

/// A file beside those that are there. The step is over once the gateway has loaded it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraefikFile {
    /// Its name: `gate.yml`.
    name: Located<Text>,
    /// What it says, as the file would.
    content: Located<Template>,
    /// The longest time until it is loaded, in seconds.
    #[serde(default = "super::deploy::thirty")]
    within: u64,
}

impl Verb for TraefikFile {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.text(&self.name);
        parts.template(&self.content);
    }

    fn reach(&self) -> Reach {
        Reach::Files
    }

    fn by_actor(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let name = world.text(&self.name)?;
            let mut parts = Path::new(&name).components();
            let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
            let yaml = !name.ends_with(".toml") && is_dynamic_file(Path::new(&name));
            if !plain || !yaml {
                return Err(StepError::Broken(format!("`{name}` is no name of a YAML file")));
            }
            let folder = world.stack.traefik_files();
            let path = folder.join(&name);
            if path.exists() {
                return Err(StepError::Broken(format!("there is a file `{name}` already")));
            }
            let failed = |error: std::io::Error| StepError::Broken(format!("{}: {error}", path.display()));
            let text = serde_saphyr::to_string(&self.content.value.value(&world.scope)?);
            let text = text.map_err(|error| StepError::Broken(error.to_string()))?;
            write_by_rename(&path, text.as_bytes()).map_err(failed)?;
            let service = world.deployment.services.values().next();
            let service = service.ok_or_else(|| StepError::Missing("there is no service".to_owned()))?;
            let limit = world.limit(self.within);
            let loaded = has_loaded(&world.stack.client(), &parse_url(&service.url)?, folder, limit).await;
            let mut seen = Seen::at(&world.ledger);
            seen.loaded = Some(loaded.map_err(failed)?.ok_or(limit));
            Ok(seen)
        })
    }
}
