//! `deploy`: writes a service's Traefik file anew, as deployment tools do, while strangers ask for the service.

mod load;
mod patching;
mod tool;

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place, suggestion};
use tokio::time::{Instant, MissedTickBehavior};
use url::Url;

use self::load::Load;
use self::patching::Patching;
use self::tool::Tool;
use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::world::parse_url;
use super::{Seen, World};
use crate::routing::Routing;
use crate::scenario::{Given, Text};
use crate::stacks::{Reach, has_loaded, settled};

pub use self::load::Exposure;
pub use self::tool::Deployed;

/// How often is looked whether the file has the middleware again.
const EVERY: Duration = Duration::from_millis(10);
/// The longest time that a stranger waits for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How often a file is written anew until a command has begun to hear of it.
const AGAIN: Duration = Duration::from_millis(500);

/// A tool writes the file of a service: without the middleware, which it does not know. Strangers ask for the service
/// all along. It is over once the gateway has loaded what the file says in the end; where somebody patches, that is with
/// the middleware.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The service.
    service: Located<Text>,
    /// The file by its name in Traefik's folder; the one whose router takes the service's requests when left out.
    #[serde(default)]
    file: Option<Located<Text>>,
    /// How the tool writes.
    #[serde(default)]
    write: Option<Located<Given<Writing>>>,
    /// How often in a row, each time as soon as strangers have met the last one.
    #[serde(default = "once")]
    times: NonZeroU32,
    /// Who puts the middleware back.
    #[serde(default)]
    patch: Option<Located<Given<Patch>>>,
    /// The longest time until the middleware is back, and again until the gateway has loaded it; in seconds.
    #[serde(default = "thirty")]
    within: u64,
}

fn once() -> NonZeroU32 {
    NonZeroU32::MIN
}

pub(super) fn thirty() -> u64 {
    30
}

/// How a tool writes a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum Writing {
    /// Into the file, bit by bit, as devpush does: it is empty first, then half-written.
    #[default]
    InPlace,
    /// The same, and strangers meet the file while it is empty.
    Truncate,
    /// A new file that takes the place of the old one.
    Rename,
}

impl FromStr for Writing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        named(text, &[("in_place", Self::InPlace), ("truncate", Self::Truncate), ("rename", Self::Rename)])
    }
}

/// Who puts the middleware back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum Patch {
    /// Nobody.
    #[default]
    None,
    /// `ssoproof traefik patch --watch`, in this process.
    Ssoproof,
    /// The user's own command, `--patch-command`.
    Command,
}

impl FromStr for Patch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        named(text, &[("none", Self::None), ("ssoproof", Self::Ssoproof), ("command", Self::Command)])
    }
}

/// The value that `text` names among `known`.
fn named<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let near = suggestion(text, &names).map(|near| format!("; {near}")).unwrap_or_default();
    Err(format!("unknown value `{text}`{near}"))
}

impl Verb for Deploy {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.text(&self.service);
        // A name that stands in the file is looked up as well.
        if let Ok(name) = self.service.string(&Default::default()) {
            parts.variables.push((vec!["forward_auth".to_owned(), name], self.service.place));
        }
        parts.texts(&self.file);
        if let Some(write) = &self.write {
            parts.text_at(write.text(), write.place);
        }
        if let Some(patch) = &self.patch {
            parts.text_at(patch.text(), patch.place);
        }
    }

    fn reach(&self) -> Reach {
        Reach::Files
    }

    fn by_actor(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let name = world.text(&self.service)?;
            let service = world.deployment.services.get(&name);
            let service = service.ok_or_else(|| StepError::Missing(format!("unknown service `{name}`")))?;
            let deploying = Deploying {
                url: parse_url(&service.url)?,
                name,
                writing: given(&self.write, world)?,
                patch: given(&self.patch, world)?,
                times: self.times.get(),
                limit: world.limit(self.within),
            };
            let file = self.file.as_ref().map(|file| world.text(file)).transpose()?;
            deploying.run(file.as_deref(), world).await
        })
    }
}

/// The value of a key, or the usual one where it is left out.
fn given<T: FromStr<Err = String> + Default>(
    key: &Option<Located<Given<T>>>,
    world: &World<'_>,
) -> Result<T, StepError> {
    match key {
        Some(key) => Ok(key.value(&world.scope)?),
        None => Ok(T::default()),
    }
}

/// A deploy under way.
struct Deploying {
    name: String,
    url: Url,
    writing: Writing,
    patch: Patch,
    times: u32,
    /// The longest time for each thing that is waited for.
    limit: Duration,
}

impl Deploying {
    async fn run(&self, file: Option<&str>, world: &mut World<'_>) -> Result<Seen, StepError> {
        let folder = world.stack.traefik_files().to_owned();
        let mut tool = Tool::of(world.deployment, &folder, &self.url, file)?;
        let mut patching = Patching::start(self.patch, world.deployment, world.stack).await?;
        if self.patch == Patch::Command {
            self.wake(&mut tool, &mut patching, world).await?;
        }
        settled(&folder, world.stack.throttle()).await.map_err(|error| broken(&error))?;

        let load = Load::of(world.stack.client(), &self.url, world.stack.backends(), self.limit.min(ANSWER));
        let mut loaded = None;
        let rewriting = async {
            let done = self.rewrite(&mut tool, &load, world, &mut loaded).await;
            load.stop();
            done
        };
        let (done, ()) = tokio::join!(rewriting, load.run());
        let ended = patching.end().await;
        done?;
        ended?;

        let mut seen = Seen::at(&world.ledger);
        seen.loaded = Some(loaded.ok_or(self.limit));
        let exposure = load.exposure(&self.name, &mut world.ledger);
        seen.figures = exposure.figures();
        seen.exposure = Some(exposure);
        seen.deployed = Some(tool.deployed(world.deployment)?);
        Ok(seen)
    }

    /// Writes the file again and again until a command that has just been started is seen to mend it, for the limit at
    /// most: whether it ever does is the case's to find out.
    async fn wake(
        &self,
        tool: &mut Tool,
        patching: &mut Patching,
        world: &World<'_>,
    ) -> Result<(), StepError> {
        let deadline = Instant::now() + self.limit;
        while Instant::now() < deadline {
            tool.write(self.writing, 0, async || ()).await.map_err(|error| broken(&error))?;
            if self.is_back_within(AGAIN, tool, world).await {
                return Ok(());
            }
            patching.lives()?;
        }
        Ok(())
    }

    /// What happens while strangers ask.
    async fn rewrite(
        &self,
        tool: &mut Tool,
        load: &Load,
        world: &World<'_>,
        loaded: &mut Option<Duration>,
    ) -> Result<(), StepError> {
        load.round().await;
        load.begin();
        for number in 1..=self.times {
            let written = tool.write(self.writing, number, async || load.round().await).await;
            written.map_err(|error| broken(&error))?;
            load.round().await;
        }
        if self.patch != Patch::None {
            self.is_back_within(self.limit, tool, world).await;
        }
        let folder = world.stack.traefik_files();
        *loaded = has_loaded(&world.stack.client(), &self.url, folder, self.limit)
            .await
            .map_err(|error| broken(&error))?;
        load.close();
        load.round().await;
        Ok(())
    }

    /// Waits for at most `limit` until every router of the service has the middleware; returns whether it has.
    async fn is_back_within(&self, limit: Duration, tool: &mut Tool, world: &World<'_>) -> bool {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let back = async {
            while !self.is_protected(tool, world) {
                tick.tick().await;
            }
        };
        tokio::time::timeout(limit, back).await.is_ok()
    }

    fn is_protected(&self, tool: &mut Tool, world: &World<'_>) -> bool {
        tool.read();
        let Ok(routing) = Routing::read(world.deployment, world.stack.traefik_files()) else { return false };
        let traefik = &world.deployment.traefik;
        let taken = routing.taken(&self.url);
        let own = taken.of_host.iter().filter(|router| router.name != traefik.outpost_router.value);
        taken.winner.is_some() && own.into_iter().all(|router| router.runs(&traefik.middleware))
    }
}

fn broken(error: &std::io::Error) -> StepError {
    StepError::Broken(format!("failed to rewrite the Traefik files: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_write_are_told_from_others() {
        assert_eq!("truncate".parse(), Ok(Writing::Truncate));
        assert_eq!(
            "in-place".parse::<Writing>().unwrap_err(),
            "unknown value `in-place`; did you mean `in_place`?"
        );
        assert!("own".parse::<Patch>().unwrap_err().contains("known are `none`, `ssoproof`, `command`"));
    }
}
