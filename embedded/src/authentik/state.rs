//! All of Authentik's state in one value that can be copied: the way a stack is forked.

use serde_json::Value;
use uuid::Uuid;

use super::model::{
    Application, Binding, CoreSession, Flow, Grant, Group, KeyPair, Outpost, Provider, ProxySession,
    ScopeMapping, Token, User,
};
use super::oauth2::id_token::session_hash;
use super::table::Table;

/// The database of one Authentik. A clone shares nothing with its origin.
#[derive(Clone, Default)]
pub struct State {
    /// Signs session cookies (`AUTHENTIK_SECRET_KEY`): it outlives a restart, and so do sessions.
    pub(crate) secret_key: Vec<u8>,
    /// The numbers last given to a user and to a provider: a number never comes back.
    pub(crate) last_user: u64,
    pub(crate) last_provider: u64,
    pub(crate) groups: Table<Uuid, Group>,
    pub(crate) users: Table<u64, User>,
    /// By key.
    pub(crate) tokens: Table<String, Token>,
    pub(crate) flows: Table<Uuid, Flow>,
    pub(crate) key_pairs: Table<Uuid, KeyPair>,
    pub(crate) mappings: Table<Uuid, ScopeMapping>,
    pub(crate) providers: Table<u64, Provider>,
    pub(crate) applications: Table<Uuid, Application>,
    pub(crate) bindings: Table<Uuid, Binding>,
    pub(crate) outposts: Table<Uuid, Outpost>,
    /// Core sessions by the key in the cookie.
    pub(crate) sessions: Table<String, CoreSession>,
    pub(crate) codes: Table<String, Grant>,
    pub(crate) access_tokens: Table<String, Grant>,
    pub(crate) refresh_tokens: Table<String, Grant>,
    /// Outpost sessions by the id in the cookie.
    pub(crate) proxy_sessions: Table<String, ProxySession>,
    /// Whether the worker stands still, and the core sessions that ended meanwhile, by the `sid` in their claims.
    pub(crate) worker_stopped: bool,
    pub(crate) ended_meanwhile: Vec<String>,
}

impl State {
    /// The application with `slug`.
    pub(crate) fn application(&self, slug: &str) -> Option<&Application> {
        self.applications.values().find(|application| application.slug == slug)
    }

    /// The application that shows `provider`.
    pub(crate) fn application_of(&self, provider: u64) -> Option<&Application> {
        self.applications.values().find(|application| application.provider == Some(provider))
    }

    /// The provider with `client_id`.
    pub(crate) fn client(&self, client_id: &str) -> Option<&Provider> {
        self.providers.values().find(|provider| provider.client_id == client_id)
    }

    /// The flow with `slug`.
    pub(crate) fn flow(&self, slug: &str) -> Option<&Flow> {
        self.flows.values().find(|flow| flow.slug == slug)
    }

    /// The embedded outpost.
    pub(crate) fn embedded_outpost(&self) -> Option<&Outpost> {
        self.outposts
            .values()
            .find(|outpost| outpost.managed.as_deref() == Some("goauthentik.io/outposts/embedded"))
    }

    /// Whether `user` is in `group`, directly or through a child of it.
    pub(crate) fn is_member(&self, user: &User, group: Uuid) -> bool {
        let mut seen = Vec::new();
        let mut open = user.groups.clone();
        while let Some(pk) = open.pop() {
            if pk == group {
                return true;
            }
            if !seen.contains(&pk) {
                seen.push(pk);
                open.extend(self.groups.get(&pk).map(|found| found.parents.clone()).unwrap_or_default());
            }
        }
        false
    }

    /// Whether `user` is in a superuser group, directly or through a child of it.
    pub(crate) fn is_superuser(&self, user: &User) -> bool {
        self.groups.values().any(|group| group.is_superuser && self.is_member(user, group.pk))
    }

    /// Where the tile of `application` leads: its own URL, else that of its provider.
    pub(crate) fn launch_url(&self, application: &Application) -> Option<String> {
        if !application.meta_launch_url.is_empty() {
            return Some(application.meta_launch_url.clone());
        }
        let provider = self.providers.get(&application.provider?)?;
        if let Some(proxy) = &provider.proxy {
            return Some(proxy.external_host.clone());
        }
        let url = url::Url::parse(&provider.redirect_uris.first()?.url).ok()?;
        Some(url.origin().ascii_serialization())
    }

    /// Ends every session of a user: deleted, or no longer active.
    pub(crate) fn end_sessions_of(&mut self, user: u64) {
        let keys = self.sessions.iter().filter(|(_, session)| session.user == Some(user));
        let keys: Vec<_> = keys.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.end_session(&key);
        }
    }

    /// Whether the bindings of `application` let `user` in; no binding lets everyone in.
    pub(crate) fn lets_in(&self, user: &User, application: &Application) -> bool {
        let mut bindings = self
            .bindings
            .values()
            .filter(|binding| binding.target == application.pk && binding.enabled)
            .peekable();
        if bindings.peek().is_none() {
            return true;
        }
        let mut passes = bindings.map(|binding| {
            let by_group = binding.group.is_some_and(|group| self.is_member(user, group));
            let by_user = binding.user == Some(user.pk);
            (by_group || by_user) != binding.negate
        });
        if application.policy_engine_mode == "all" {
            passes.all(|pass| pass)
        } else {
            passes.any(|pass| pass)
        }
    }

    /// Ends a core session: its grants are revoked, and the outpost sessions that came from it are dropped by the
    /// worker (`truth/authentik`: `36-invalidation-*`, `39-two-browsers`, `60-slo-latency`).
    pub(crate) fn end_session(&mut self, key: &str) {
        if self.sessions.remove(key).is_some() {
            let sid = session_hash(key);
            self.access_tokens.retain(|_, grant| grant.session.as_deref() != Some(key));
            self.refresh_tokens.retain(|_, grant| grant.session.as_deref() != Some(key));
            self.codes.retain(|_, grant| grant.session.as_deref() != Some(key));
            self.ended_meanwhile.push(sid);
            self.drop_ended();
        }
    }

    /// Drops the outpost sessions of core sessions that have ended, unless the worker stands still.
    pub(crate) fn drop_ended(&mut self) {
        if self.worker_stopped {
            return;
        }
        for sid in std::mem::take(&mut self.ended_meanwhile) {
            self.proxy_sessions
                .retain(|_, proxy| proxy.claims.get("sid").and_then(Value::as_str) != Some(&sid));
        }
    }

    /// Drops every outpost session of the user with `sub`: what the outpost's `sign_out` does, in every browser
    /// (`truth/authentik`: `30-signout-full-chain`, `39-two-browsers`).
    pub(crate) fn drop_proxy_sessions(&mut self, sub: &str) {
        self.proxy_sessions.retain(|_, proxy| proxy.claims.get("sub").and_then(Value::as_str) != Some(sub));
    }
}
