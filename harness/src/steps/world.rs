//! What a step works with: the actors, the stack, the values, the ledger.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use serde_json::Value;
use ssoproof_deployment::{Deployment, Located};
use url::Url;

use super::seen::TokenSet;
use super::step::{Step, StepError};
use crate::agent::{Agent, Credentials};
use crate::evidence::Ledger;
use crate::scenario::{Scope, Text};
use crate::stacks::Stack;

/// Everything a case works with while it runs.
pub struct World<'a> {
    /// What is promised.
    pub deployment: &'a Deployment,
    /// What is tried.
    pub stack: &'a dyn Stack,
    /// What `$name` stands for.
    pub scope: Scope,
    /// The actors by name.
    pub actors: BTreeMap<String, ActorState>,
    /// The actor of the step in work.
    pub acting: Option<String>,
    /// Every hop of the case so far.
    pub ledger: Ledger,
    /// When the case began.
    pub began: SystemTime,
}

/// An actor in the middle of a case.
pub struct ActorState {
    /// The browser.
    pub agent: Agent,
    /// The persona; none for `anonymous`.
    pub persona: Option<String>,
    /// What the last `authorize` gave.
    pub tokens: Option<TokenSet>,
    /// What the last `assume_role` gave.
    pub credentials: Option<StsCredentials>,
}

/// Temporary credentials of the STS.
#[derive(Clone, Debug)]
pub struct StsCredentials {
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret_key: SecretString,
    /// The session token, a JWT.
    pub session_token: String,
}

impl World<'_> {
    /// The actor of the step.
    ///
    /// # Errors
    /// [`StepError::Missing`] when the step has none.
    pub fn actor(&mut self) -> Result<&mut ActorState, StepError> {
        let missing = || StepError::Missing("the step has no actor".into());
        let name = self.acting.as_ref().ok_or_else(missing)?;
        self.actors.get_mut(name).ok_or_else(missing)
    }

    /// The actor and the ledger, to be changed together.
    ///
    /// # Errors
    /// As [`Self::actor`].
    pub fn actor_and_ledger(&mut self) -> Result<(&mut ActorState, &mut Ledger), StepError> {
        let missing = || StepError::Missing("the step has no actor".into());
        let name = self.acting.as_ref().ok_or_else(missing)?;
        let actor = self.actors.get_mut(name).ok_or_else(missing)?;
        Ok((actor, &mut self.ledger))
    }

    /// The name and password that the acting persona types.
    ///
    /// # Errors
    /// [`StepError::Missing`] for an anonymous actor, [`StepError::Unsupported`] when nobody knows the password.
    pub fn credentials(&self) -> Result<Credentials, StepError> {
        let persona = self
            .acting
            .as_ref()
            .and_then(|name| self.actors.get(name))
            .and_then(|actor| actor.persona.as_ref())
            .ok_or_else(|| StepError::Missing("an anonymous actor cannot sign in".into()))?;
        let username = self.deployment.personas.get(persona).map(|persona| persona.username.value.clone());
        let password = self.stack.secrets().passwords.get(persona).cloned();
        match (username, password) {
            (Some(username), Some(password)) => Ok(Credentials { username, password }),
            _ => Err(StepError::Unsupported(format!("there is no password for persona `{persona}`"))),
        }
    }

    /// How long a step waits that waits for `seconds` at most: less where nothing takes that long on the stack.
    pub fn limit(&self, seconds: u64) -> Duration {
        let within = Duration::from_secs(seconds);
        self.stack.patience().map_or(within, |most| within.min(most))
    }

    /// A text with its variables filled in.
    ///
    /// # Errors
    /// [`StepError::Text`].
    pub fn text(&self, text: &Located<Text>) -> Result<String, StepError> {
        Ok(text.string(&self.scope)?)
    }

    /// A text that is a URL.
    ///
    /// # Errors
    /// [`StepError::Text`] and [`StepError::Url`].
    pub fn url(&self, text: &Located<Text>) -> Result<Url, StepError> {
        parse_url(&self.text(text)?)
    }

    /// The name of an app that the deployment has, with its values.
    ///
    /// # Errors
    /// [`StepError::Missing`] when it has none of that name.
    pub fn app(&self, name: &Located<Text>) -> Result<(String, Value), StepError> {
        let name = self.text(name)?;
        let app = self.scope.lookup(&["apps".into(), name.clone()])?.clone();
        Ok((name, app))
    }

    /// The agent of whoever acts, or of nobody when the step has no actor.
    pub fn step_actor(&self, step: &Step) -> Option<String> {
        match &step.actor {
            Some(actor) => Some(actor.value.clone()),
            None if self.actors.len() == 1 => self.actors.keys().next().cloned(),
            None => None,
        }
    }
}

/// Reads a URL.
///
/// # Errors
/// [`StepError::Url`].
pub(super) fn parse_url(text: &str) -> Result<Url, StepError> {
    Url::parse(text).map_err(|error| StepError::Url { text: text.to_owned(), reason: error.to_string() })
}
