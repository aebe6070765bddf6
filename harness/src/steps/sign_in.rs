//! `sign_in`: name and password at Authentik's login page.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use ssoproof_deployment::{Located, Place};

use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::world::parse_url;
use super::{Refusal, Seen, World};
use crate::agent::{Outgoing, Page, SignIn};
use crate::scenario::Text;

/// What is typed: the persona's own name and password unless said otherwise.
#[derive(Clone, Debug, Default)]
pub struct SignInVerb {
    typed: Typed,
}

/// What is typed instead of the persona's own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Typed {
    /// The name or e-mail address.
    #[serde(default)]
    username: Option<Located<Text>>,
    /// The password.
    #[serde(default)]
    password: Option<Located<Text>>,
}

impl<'de> Deserialize<'de> for SignInVerb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Typed;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("`true`, or what is typed: `username`, `password`")
            }

            fn visit_bool<E: serde::de::Error>(self, yes: bool) -> Result<Typed, E> {
                if yes {
                    Ok(Typed::default())
                } else {
                    Err(E::custom("leave `sign_in` out to stay anonymous"))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Typed, A::Error> {
                Typed::deserialize(MapAccessDeserializer::new(map))
            }
        }
        Ok(Self { typed: deserializer.deserialize_any(Form)? })
    }
}

impl JsonSchema for SignInVerb {
    fn schema_name() -> Cow<'static, str> {
        "SignIn".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let typed = generator.subschema_for::<Typed>();
        json_schema!({ "oneOf": [{ "const": true }, typed] })
    }
}

impl Verb for SignInVerb {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.texts(self.typed.username.iter().chain(&self.typed.password));
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let auth = &world.deployment.auth;
            let url = parse_url(&format!("{}/if/flow/{}/", *auth.url, auth.authentication_flow))?;
            let mut seen = Seen::at(&world.ledger);
            let (actor, ledger) = world.actor_and_ledger()?;
            let (landing, flow) = actor.agent.visit(Outgoing::get(url), ledger).await;
            seen.landing = Some(landing);
            seen.flow = flow.map(Box::new);
            at_login_page(self, &mut seen, world).await?;
            Ok(seen)
        })
    }
}

/// Types what `how` says when the browser rests on the login page; what comes of it is put into `seen`.
pub(super) async fn at_login_page(
    how: &SignInVerb,
    seen: &mut Seen,
    world: &mut World<'_>,
) -> Result<(), StepError> {
    if seen.page(&world.ledger) != Page::Login {
        return Ok(());
    }
    let Some(page) = seen.flow.take() else { return Ok(()) };
    let mut credentials = match (&how.typed.username, &how.typed.password) {
        (Some(_), Some(_)) => {
            crate::agent::Credentials { username: String::new(), password: String::new().into() }
        }
        _ => world.credentials()?,
    };
    if let Some(username) = &how.typed.username {
        credentials.username = world.text(username)?;
    }
    if let Some(password) = &how.typed.password {
        credentials.password = world.text(password)?.into();
    }
    let (actor, ledger) = world.actor_and_ledger()?;
    match actor.agent.sign_in_from((*page).clone(), &credentials, ledger).await? {
        SignIn::Done { landing, page, .. } => {
            seen.landing = Some(landing);
            seen.flow = page;
        }
        SignIn::Refused { errors, hop, .. } => {
            let error = errors.into_iter().next();
            seen.refused = Some(Refusal {
                by: "sign_in",
                code: error.as_ref().map(|error| error.code.clone()).unwrap_or_default(),
                message: error.map(|error| error.text).unwrap_or_default(),
                hop,
            });
            seen.flow = Some(page);
        }
    }
    Ok(())
}
