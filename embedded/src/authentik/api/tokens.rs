//! `core/tokens/` (`54-header-auth-at-outpost`).

use http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::{Call, View};
use super::collection::{Action, Editable, Resource};
use super::fields::Fields;
use super::refusal::{Answer, Refusal, shown};
use super::users;
use crate::authentik::model::{Intent, Token};
use crate::authentik::password::random_text;
use crate::authentik::state::State;

/// The length of a generated key.
const KEY_LENGTH: usize = 60;

pub(super) struct Tokens;

impl Resource for Tokens {
    type Key = String;
    type Item = Token;

    const MODEL: &'static str = "Token";
    const ACTIONS: &'static [Action] =
        &[Action { name: "view_key", of_item: true, method: Method::GET, run: view_key }];
    const REMOVE: Option<fn(&mut State, &Self::Key)> = Some(remove);

    fn rows(state: &State) -> Vec<&Token> {
        state.tokens.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<String> {
        Self::item(state, &segment.to_owned()).map(|token| token.identifier.clone())
    }

    fn item<'s>(state: &'s State, key: &String) -> Option<&'s Token> {
        state.tokens.values().find(|token| token.identifier == *key)
    }

    fn show(view: View<'_>, token: &Token) -> Value {
        json!({
            "pk": token.pk,
            "managed": null,
            "identifier": token.identifier,
            "intent": intent(token.intent),
            "user": token.user,
            "user_obj": view.state.users.get(&token.user).map(|user| users::show(view, user)),
            "description": "",
            "expires": null,
            "expiring": false,
        })
    }

    fn order(token: &Token) -> String {
        token.identifier.clone()
    }
}

impl Editable for Tokens {
    /// Tokens of this server do not expire.
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&Token>) -> Token {
        let identifier = fields.required("identifier", old.map(|old| old.identifier.as_str()));
        let taken = view.state.tokens.values().any(|token| token.identifier == identifier);
        if taken && old.is_none_or(|old| old.identifier != identifier) {
            fields.complain("identifier", "Token with this identifier already exists.");
        }
        let kind = fields.choice("intent", old.map(|old| intent(old.intent)), &["api", "app_password"]);
        let admin = view.state.users.values().find(|user| view.state.is_superuser(user)).map(|user| user.pk);
        let user =
            fields.maybe("user", old.map(|old| old.user).or(admin), |pk| view.state.users.contains_key(&pk));
        Token {
            pk: old.map_or_else(Uuid::new_v4, |old| old.pk),
            identifier,
            key: old.map_or_else(|| random_text(KEY_LENGTH), |old| old.key.clone()),
            user: user.unwrap_or_default(),
            intent: if kind == "api" { Intent::Api } else { Intent::AppPassword },
        }
    }

    fn store(state: &mut State, token: Token, _body: &Map<String, Value>) -> String {
        let identifier = token.identifier.clone();
        state.tokens.insert(token.key.clone(), token);
        identifier
    }
}

fn remove(state: &mut State, identifier: &String) {
    state.tokens.retain(|_, token| token.identifier != *identifier);
}

fn intent(intent: Intent) -> &'static str {
    match intent {
        Intent::Api => "api",
        Intent::AppPassword => "app_password",
    }
}

fn view_key(call: &Call<'_>, identifier: &str) -> Answer {
    call.superuser()?;
    let state = call.shared.state();
    let token = Tokens::item(&state, &identifier.to_owned()).ok_or(Refusal::Missing(Tokens::MODEL))?;
    shown(json!({ "key": token.key }))
}
