//! A request to the API, with who makes it.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use serde_json::{Map, Value};

use super::super::flows;
use super::super::model::Intent;
use super::super::profile::Profile;
use super::super::session;
use super::super::shared::Shared;
use super::super::state::State;
use super::refusal::Refusal;

const NOT_PROVIDED: &str = "Authentication credentials were not provided.";
const FORBIDDEN: &str = "You do not have permission to perform this action.";

/// A request to the API.
pub(super) struct Call<'c> {
    pub(super) shared: &'c Shared,
    pub(super) method: &'c Method,
    /// The query's parameters, decoded, in order.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: &'c HeaderMap,
    pub(super) body: &'c Bytes,
}

/// What an object is shown by.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    pub(super) state: &'v State,
    pub(super) profile: &'v Profile,
}

impl Call<'_> {
    /// The first value of a query parameter.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The user who calls: by bearer token, else by session cookie. `Token …` is no bearer token and counts as
    /// nothing.
    pub(super) fn user(&self) -> Result<u64, Refusal> {
        let header =
            self.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if let Some(key) = header.strip_prefix("Bearer ") {
            let state = self.shared.state();
            let token =
                state.tokens.values().find(|token| token.intent == Intent::Api && token.key == key.trim());
            let user = token.and_then(|token| state.users.get(&token.user));
            return user
                .filter(|user| user.is_active)
                .map(|user| user.pk)
                .ok_or(Refusal::Denied("Token invalid/expired"));
        }
        if !header.is_empty() && !header.starts_with("Basic ") {
            return Err(Refusal::Denied(self.shared.profile.unknown_scheme));
        }
        let session = session::current(self.shared, self.headers).map(|(_, session)| session);
        let session =
            session.filter(|session| session.user.is_some()).ok_or(Refusal::Denied(NOT_PROVIDED))?;
        if !self.method.is_safe()
            && let Some(reason) = flows::forged(&session, self.headers)
        {
            return Err(Refusal::Denied(reason));
        }
        session.user.ok_or(Refusal::Denied(NOT_PROVIDED))
    }

    /// The user who calls, who must be a superuser.
    pub(super) fn superuser(&self) -> Result<u64, Refusal> {
        let user = self.user()?;
        let state = self.shared.state();
        let found = state.users.get(&user).is_some_and(|user| state.is_superuser(user));
        if found { Ok(user) } else { Err(Refusal::Denied(FORBIDDEN)) }
    }

    /// The body as a JSON object; an empty one counts as `{}`.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        serde_json::from_slice(self.body).map_err(|error| Refusal::Unreadable(error.to_string()))
    }
}

/// `first` with the members of `second` behind its own.
pub(crate) fn extended(mut first: Value, second: Value) -> Value {
    if let (Some(into), Value::Object(members)) = (first.as_object_mut(), second) {
        into.extend(members);
    }
    first
}
