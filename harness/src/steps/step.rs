//! A step: one verb, who does it, and what is expected of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place, Problem, Source};

use super::risk::Risk;
use super::{Seen, World};
use super::{
    admin, assume_role, authorize, component, deploy, fault, request, route, s3, sign_in, sign_out,
    traefik_file, use_file, visit, wait_until,
};
use crate::checks::Expect;
use crate::scenario::{GivenError, Template, Text, TextError};
use crate::stacks::Reach;

/// What one verb does.
pub trait Verb: fmt::Debug + Send + Sync {
    /// Lists the texts in it, so that their variables can be looked up before anything runs.
    fn parts(&self, place: Place, parts: &mut Parts);

    /// How far it reaches.
    fn reach(&self) -> Reach {
        Reach::Own
    }

    /// Whether it changes something that outlasts the actor's browser: sends more than GET, HEAD and a login, or ends
    /// sessions of others.
    fn mutates(&self) -> bool {
        self.reach() > Reach::Own
    }

    /// Whether a step with it may say `sign_in`, for when it meets the login page.
    fn may_sign_in(&self) -> bool {
        false
    }

    /// Whether it is done by an actor's browser.
    fn by_actor(&self) -> bool {
        true
    }

    /// Does it. What the subject does wrong is in the [`Seen`], for the checks.
    fn run<'a>(&'a self, step: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a>;
}

/// What a verb returns.
pub type StepFuture<'a> = Pin<Box<dyn Future<Output = Result<Seen, StepError>> + Send + 'a>>;

/// Why a step could not be done: the harness or the environment is at fault, not the subject.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A variable has no value.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A value is none of those that are known.
    #[error(transparent)]
    Given(#[from] GivenError),
    /// A value is no URL.
    #[error("`{text}` is no URL: {reason}")]
    Url {
        /// The value.
        text: String,
        /// Why not.
        reason: String,
    },
    /// A verb needs what an earlier step did not give.
    #[error("{0}")]
    Missing(String),
    /// The sign-in met a stage that this harness does not answer.
    #[error(transparent)]
    SignIn(#[from] crate::agent::SignInError),
    /// The stack does not offer what it takes.
    #[error("{0}")]
    Unsupported(String),
    /// Something that does not depend on the subject broke.
    #[error("{0}")]
    Broken(String),
}

/// The texts of a step with their places.
#[derive(Default)]
pub struct Parts {
    pub(crate) variables: Vec<(Vec<String>, Place)>,
}

impl Parts {
    /// Adds a text that stands at `place`.
    pub fn text_at(&mut self, text: &Text, place: Place) {
        self.variables.extend(text.variables().map(|path| (path.to_vec(), place)));
    }

    /// Adds a text.
    pub fn text(&mut self, text: &Located<Text>) {
        self.text_at(text, text.place);
    }

    /// Adds every text of a list or an option.
    pub fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t Located<Text>>) {
        texts.into_iter().for_each(|text| self.text(text));
    }

    /// Adds a value with texts in it.
    pub fn template(&mut self, template: &Located<Template>) {
        let found = template.variables().unwrap_or_default();
        self.variables.extend(found.into_iter().map(|path| (path, template.place)));
    }
}

/// What a step keeps for later steps: `$name` in them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// What a JMESPath expression gives on the last JSON body.
    Json(String),
    /// A header of the last response.
    Header(String),
    /// A parameter of the last response's `Location`.
    Query(String),
    /// The value of the actor's cookie of this name.
    Cookie(String),
    /// A token of the actor: `id_token`, `access_token`, `refresh_token`.
    Token(String),
}

macro_rules! verbs {
    ($($(#[$meta:meta])* $field:ident, $key:literal: $shape:ty;)*) => {
        /// A step of a scenario: exactly one verb.
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Step {
            /// What it is for, in a few words; shown when it fails.
            #[serde(default)]
            pub name: Option<String>,
            /// The actor; may be left out when there is only one.
            #[serde(default, rename = "as")]
            pub actor: Option<Located<String>>,
            $($(#[$meta])* #[serde(default, rename = $key)] pub $field: Option<Located<$shape>>,)*
            /// What must hold afterwards.
            #[serde(default)]
            pub expect: Option<Located<Expect>>,
            /// What should hold: broken, it is a warning.
            #[serde(default)]
            pub should: Option<Located<Expect>>,
            /// What is a danger all the same when everything that must hold does.
            #[serde(default)]
            pub risk: Option<Located<Risk>>,
            /// What later steps need.
            #[serde(default)]
            pub save: BTreeMap<String, Located<Capture>>,
        }

        impl Step {
            /// The verbs given, with their keys.
            fn given(&self) -> Vec<(&'static str, Place, &dyn Verb)> {
                let mut given: Vec<(&'static str, Place, &dyn Verb)> = Vec::new();
                $(if let Some(verb) = &self.$field { given.push(($key, verb.place, &verb.value)); })*
                given
            }

            /// The keys of all verbs.
            pub(crate) fn keys() -> &'static [&'static str] {
                &[$($key),*]
            }
        }
    };
}

verbs! {
    /// Navigates like a browser: cookies, redirects, Authentik's pages.
    visit, "visit": visit::Visit;
    /// One exchange, nothing followed, every byte as written.
    request, "request": request::Request;
    /// Signs in at Authentik's login page.
    sign_in, "sign_in": sign_in::SignInVerb;
    /// Signs out, in one of the ways there are.
    sign_out, "sign_out": sign_out::SignOut;
    /// The OIDC code flow of an app, with every claim set kept.
    authorize, "authorize": authorize::Authorize;
    /// MinIO's AssumeRoleWithWebIdentity with the token of the `authorize` before.
    assume_role, "assume_role": assume_role::AssumeRole;
    /// One S3 operation with the credentials of the `assume_role` before.
    s3, "s3": s3::S3;
    /// One call to Authentik's REST API as its administrator.
    admin, "admin": admin::Admin;
    /// Which router takes a GET of a URL, from the Traefik files alone.
    route, "route": route::Route;
    /// Stops, starts, restarts or freezes a component of the stack.
    component, "component": component::Control;
    /// Lets a fault of the catalogue come, or go, while the stack runs.
    fault, "fault": fault::SwitchFault;
    /// Writes a service's Traefik file as deployment tools do, while strangers ask for the service.
    deploy, "deploy": deploy::Deploy;
    /// Puts a file beside Traefik's own.
    traefik_file, "traefik_file": traefik_file::TraefikFile;
    /// Repeats a step until what it expects holds.
    wait_until, "wait_until": wait_until::WaitUntil;
    /// The steps of another file.
    use_file, "use": use_file::Use;
}

impl Step {
    /// The verbs given; `sign_in` beside a verb that may meet the login page is part of that verb.
    fn verbs(&self) -> Vec<(&'static str, Place, &dyn Verb)> {
        let mut given = self.given();
        if given.iter().any(|(_, _, verb)| verb.may_sign_in()) {
            given.retain(|(key, _, _)| *key != "sign_in");
        }
        given
    }

    /// The verb with its key and place. A step that was loaded has exactly one; see [`Self::check`].
    pub fn verb(&self) -> Option<(&'static str, Place, &dyn Verb)> {
        self.verbs().pop()
    }

    /// Proves that there is one verb.
    ///
    /// # Errors
    /// A [`Problem`] at the step without one, or at the second of two.
    pub fn check(&self, source: &Source, place: Place) -> Result<(), Problem> {
        match self.verbs().as_slice() {
            [_] => Ok(()),
            [] => Err(source
                .problem(place, "step without a verb")
                .with_help(format!("verbs are `{}`", Self::keys().join("`, `")))),
            [(first, _, _), (second, second_place, _), ..] => Err(source
                .problem(*second_place, format!("step with two verbs, `{first}` and `{second}`"))
                .with_help("make two steps of it".to_owned())),
        }
    }

    /// The verbs by which it changes something that outlasts the actor's browser.
    pub fn mutations(&self) -> BTreeSet<&'static str> {
        let inner = self.wait_until.iter().flat_map(|wait| wait.inner().mutations());
        let verb = self.verb().filter(|(key, _, verb)| *key != "wait_until" && verb.mutates());
        let own = [&self.expect, &self.should].into_iter().flatten();
        let checks = own.filter(|expect| expect.mutates()).map(|_| "s3");
        inner.chain(verb.map(|(key, _, _)| key)).chain(checks).collect()
    }

    /// What must hold afterwards; for a step that is repeated, what its inner step expects.
    pub fn expected(&self) -> Option<&Located<Expect>> {
        let inner = self.wait_until.as_ref().and_then(|wait| wait.inner().expect.as_ref());
        self.expect.as_ref().or(inner)
    }

    /// The texts of verb and checks.
    pub fn parts(&self) -> Parts {
        let mut parts = Parts::default();
        for (_, place, verb) in self.given() {
            verb.parts(place, &mut parts);
        }
        for expect in self.expect.iter().chain(&self.should) {
            expect.parts(&mut parts);
        }
        parts.texts(self.risk.iter().map(|risk| &risk.text));
        parts
    }
}
