//! `sign_out`: the ways out there are.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, IntoDeserializer as _, MapAccess, Visitor};
use ssoproof_deployment::{Located, Place};
use url::Url;

use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::world::parse_url;
use super::{Seen, World};
use crate::agent::Outgoing;
use crate::scenario::Text;
use crate::stacks::Reach;

/// Which way out, and where.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Way {
    /// The way.
    by: By,
    /// The service (`outpost`) or app (`end_session`, `app`) it is done at, by name.
    #[serde(default)]
    at: Option<Located<Text>>,
    /// For `outpost`: `rd`; for `end_session`: `post_logout_redirect_uri`.
    #[serde(default)]
    redirect: Option<Located<Text>>,
    /// For `end_session`: whether the id token of the `authorize` before goes along as `id_token_hint`.
    #[serde(default)]
    hint: bool,
}

/// A way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum By {
    /// Authentik's invalidation flow: the logout URL of the deployment.
    InvalidationFlow,
    /// The outpost's `/outpost.goauthentik.io/sign_out` at a service.
    Outpost,
    /// A provider's end-session endpoint.
    EndSession,
    /// The app's own sign-out.
    App,
}

/// A way out by its word alone, or a mapping with more.
#[derive(Clone, Debug)]
pub struct SignOut(Way);

impl<'de> Deserialize<'de> for SignOut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Way;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("`invalidation_flow`, or a mapping with `by` and `at`")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Way, E> {
                let word: StrDeserializer<'_, E> = word.into_deserializer();
                let by = By::deserialize(word)?;
                if by != By::InvalidationFlow {
                    return Err(E::custom("this way out needs a place: write `{ by: …, at: … }`"));
                }
                Ok(Way { by, at: None, redirect: None, hint: false })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Way, A::Error> {
                Way::deserialize(MapAccessDeserializer::new(map))
            }
        }
        Ok(Self(deserializer.deserialize_any(Form)?))
    }
}

impl JsonSchema for SignOut {
    fn schema_name() -> Cow<'static, str> {
        "SignOut".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let way = generator.subschema_for::<Way>();
        json_schema!({ "oneOf": [{ "const": "invalidation_flow" }, way] })
    }
}

impl Verb for SignOut {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.texts(self.0.at.iter().chain(&self.0.redirect));
    }

    /// `sign_out` at the outpost and end-session drop every proxy session of the user, in all browsers.
    fn reach(&self) -> Reach {
        Reach::Sessions
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let url = self.url(world)?;
            let mut seen = Seen::at(&world.ledger);
            let (actor, ledger) = world.actor_and_ledger()?;
            let (landing, flow) = actor.agent.visit(Outgoing::get(url), ledger).await;
            seen.landing = Some(landing);
            seen.flow = flow.map(Box::new);
            Ok(seen)
        })
    }
}

impl SignOut {
    fn url(&self, world: &mut World<'_>) -> Result<Url, StepError> {
        let way = &self.0;
        let at = way.at.as_ref().map(|at| world.text(at)).transpose()?;
        let at = || at.clone().ok_or_else(|| StepError::Missing("`sign_out` needs `at`".into()));
        let redirect = way.redirect.as_ref().map(|to| world.text(to)).transpose()?;
        let value = |world: &World<'_>, path: &[&str]| -> Result<String, StepError> {
            let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            let value = world.scope.lookup(&path)?;
            Ok(value.as_str().unwrap_or_default().to_owned())
        };
        match way.by {
            By::InvalidationFlow => parse_url(&world.deployment.auth.logout_url),
            By::Outpost => {
                let base = value(world, &["forward_auth", &at()?, "url"])?;
                let mut url = parse_url(&format!("{base}/outpost.goauthentik.io/sign_out"))?;
                if let Some(redirect) = redirect {
                    url.query_pairs_mut().append_pair("rd", &redirect);
                }
                Ok(url)
            }
            By::EndSession => {
                let slug = value(world, &["apps", &at()?, "slug"])?;
                let base = world.deployment.auth.url.value.clone();
                let mut url = parse_url(&format!("{base}/application/o/{slug}/end-session/"))?;
                if way.hint {
                    let missing = || StepError::Missing("there is no id token: `authorize` first".into());
                    let tokens = world.actor()?.tokens.clone().ok_or_else(missing)?;
                    let token = tokens.raw("id_token").ok_or_else(missing)?.expose_secret().to_owned();
                    url.query_pairs_mut().append_pair("id_token_hint", &token);
                }
                if let Some(redirect) = redirect {
                    url.query_pairs_mut().append_pair("post_logout_redirect_uri", &redirect);
                }
                Ok(url)
            }
            By::App => parse_url(&format!("{}/logout", value(world, &["apps", &at()?, "url"])?)),
        }
    }
}
