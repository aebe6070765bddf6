//! An authorization request: read and checked in upstream's order, except that nothing is ever sent to a URI that
//! is not the client's (`43-oidc-authorize-variants`).

use axum::body::Body;
use http::Response;
use percent_encoding::utf8_percent_encode;

use super::login::QUOTED;
use super::params::Params;
use super::pkce::{Challenge, Method};
use super::redirect_uri::{Matching, matches};
use super::{claims, page};
use crate::authentik::flows::answer;
use crate::authentik::model::{Provider, RedirectUri};
use crate::authentik::shared::Shared;

/// What the client wants back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseType {
    pub(super) code: bool,
    pub(super) id_token: bool,
    pub(super) token: bool,
}

impl ResponseType {
    fn parse(text: &str) -> Option<Self> {
        let of = |code, id_token, token| Some(Self { code, id_token, token });
        match text {
            "code" => of(true, false, false),
            "id_token" => of(false, true, false),
            "id_token token" => of(false, true, true),
            "code token" => of(true, false, true),
            "code id_token" => of(true, true, false),
            "code id_token token" => of(true, true, true),
            _ => None,
        }
    }

    /// Whether anything but a code is wanted, which comes in the fragment.
    pub(super) fn is_implicit(self) -> bool {
        self.id_token || self.token
    }
}

/// How the client gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Query,
    Fragment,
    FormPost,
}

/// A request that may be answered at its redirect URI.
#[derive(Clone, Debug)]
pub(super) struct AuthorizationRequest {
    pub(super) provider: Provider,
    pub(super) redirect_uri: String,
    pub(super) response_type: ResponseType,
    pub(super) mode: Mode,
    pub(super) scopes: Vec<String>,
    pub(super) state: String,
    pub(super) nonce: Option<String>,
    pub(super) prompts: Vec<String>,
    /// How old a login may be, in seconds.
    pub(super) max_age: Option<i64>,
    pub(super) challenge: Option<Challenge>,
}

/// Why a request is not answered with a code.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Said on a page: the client is not known, or the URI is not its own.
    Page { title: &'static str, text: &'static str },
    /// Said to the client.
    Client(ClientError),
}

/// An error at the redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClientError {
    redirect_uri: String,
    fragment: bool,
    state: String,
    code: &'static str,
    description: String,
}

impl Refusal {
    /// The answer to the browser.
    pub(super) fn answer(&self) -> Response<Body> {
        match self {
            Self::Page { title, text } => page::refused(title, text),
            Self::Client(error) => answer::redirect(&error.location()),
        }
    }

    /// The error in a word, for the log.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Page { title, .. } => title,
            Self::Client(error) => error.code,
        }
    }
}

impl ClientError {
    fn location(&self) -> String {
        let mark = if self.fragment { '#' } else { '?' };
        let description = utf8_percent_encode(&self.description, QUOTED);
        let mut location =
            format!("{}{mark}error={}&error_description={description}", self.redirect_uri, self.code);
        if !self.state.is_empty() {
            location.push_str("&state=");
            location.push_str(&self.state);
        }
        location
    }
}

const UNKNOWN_CLIENT: Refusal = Refusal::Page {
    title: "Client ID Error",
    text: "The client identifier (client_id) is missing or invalid.",
};

const WRONG_REDIRECT: Refusal = Refusal::Page {
    title: "Redirect URI Error",
    text: "The request fails due to a missing, invalid, or mismatching redirection URI (redirect_uri).",
};

impl AuthorizationRequest {
    /// Reads and checks a request.
    ///
    /// # Errors
    /// [`Refusal`] with the recorded page or error.
    pub(super) fn read(shared: &Shared, params: &Params) -> Result<Self, Refusal> {
        let provider = shared.state().client(params.get("client_id")).cloned().ok_or(UNKNOWN_CLIENT)?;
        let redirect_uri = params.get("redirect_uri").to_owned();
        if !is_own(shared, &provider, &redirect_uri) {
            return Err(WRONG_REDIRECT);
        }
        let refuse = |fragment: bool, code, description: &str| {
            Refusal::Client(ClientError {
                redirect_uri: redirect_uri.clone(),
                fragment,
                state: params.get("state").to_owned(),
                code,
                description: description.to_owned(),
            })
        };
        let response_type = ResponseType::parse(params.get("response_type")).ok_or_else(|| {
            let text =
                "The authorization server does not support obtaining an authorization code using this method";
            refuse(false, "unsupported_response_type", text)
        })?;
        let implicit = response_type.is_implicit();
        let refuse = |code, description: &str| refuse(implicit, code, description);
        let mode = match params.get("response_mode") {
            "query" if !implicit => Mode::Query,
            "fragment" => Mode::Fragment,
            "form_post" => Mode::FormPost,
            _ if implicit => Mode::Fragment,
            _ => Mode::Query,
        };
        let mut scopes = granted(shared, &provider, params.get("scope"));
        if response_type.id_token && !scopes.iter().any(|scope| scope == "openid") {
            return Err(refuse("invalid_scope", "The requested scope is invalid, unknown, or malformed"));
        }
        if !response_type.code {
            scopes.retain(|scope| scope != super::tokens::OFFLINE);
        }
        // Only an id token needs a nonce; the state stands in for a missing one.
        let said = |name: &str| Some(params.get(name).to_owned()).filter(|text| !text.is_empty());
        let nonce = if response_type.code { said("nonce") } else { said("nonce").or_else(|| said("state")) };
        if !response_type.code && nonce.is_none() {
            return Err(refuse("invalid_request", "The request is otherwise malformed"));
        }
        let challenge = match params.get("code_challenge") {
            "" => None,
            value => {
                let name = said("code_challenge_method").unwrap_or_else(|| "plain".to_owned());
                let method = Method::parse(&name).ok_or_else(|| {
                    refuse("invalid_request", &format!("Unsupported challenge method {name}"))
                })?;
                Some(Challenge { value: value.to_owned(), method })
            }
        };
        if !params.get("request").is_empty() {
            let text = "The provider does not support use of the request parameter";
            return Err(refuse("request_not_supported", text));
        }
        Ok(Self {
            redirect_uri: redirect_uri.clone(),
            response_type,
            mode,
            scopes,
            state: params.get("state").to_owned(),
            nonce,
            prompts: params.get("prompt").split_whitespace().map(str::to_owned).collect(),
            max_age: params.get("max_age").parse().ok(),
            challenge,
            provider,
        })
    }

    /// Whether the client asked for `prompt`.
    pub(super) fn asks_for(&self, prompt: &str) -> bool {
        self.prompts.iter().any(|asked| asked == prompt)
    }

    /// The refusal of `prompt=none` to a browser that is not signed in.
    pub(super) fn login_required(&self) -> Refusal {
        Refusal::Client(ClientError {
            redirect_uri: self.redirect_uri.clone(),
            fragment: self.response_type.is_implicit(),
            state: self.state.clone(),
            code: "login_required",
            description: "The Authorization Server requires End-User authentication".to_owned(),
        })
    }
}

/// Whether `given` is a redirect URI of `provider`. A provider without any takes the first one that it is asked
/// for, as upstream.
fn is_own(shared: &Shared, provider: &Provider, given: &str) -> bool {
    if provider.redirect_uris.is_empty() && !given.is_empty() {
        let first = RedirectUri { matching: Matching::Strict, url: given.to_owned() };
        if let Some(provider) = shared.state_mut().providers.get_mut(&provider.pk) {
            provider.redirect_uris.push(first);
        }
    }
    let state = shared.state();
    state.providers.get(&provider.pk).is_some_and(|provider| {
        matches(given, provider.redirect_uris.iter().map(|uri| (uri.matching, uri.url.as_str())))
    })
}

/// The scopes of `asked` that `provider` has mappings for; all of them when none is asked for.
fn granted(shared: &Shared, provider: &Provider, asked: &str) -> Vec<String> {
    let state = shared.state();
    let mut scopes: Vec<String> = Vec::new();
    let known = || claims::mappings(&state, provider).map(|mapping| mapping.scope_name.as_str());
    let asked: Vec<&str> = match asked.split_whitespace().collect::<Vec<_>>() {
        none if none.is_empty() => known().collect(),
        some => some.into_iter().filter(|scope| known().any(|name| name == *scope)).collect(),
    };
    for scope in asked {
        if !scopes.iter().any(|found| found == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_said_as_recorded() {
        let error = ClientError {
            redirect_uri: "https://dashboard.spacemusic.tv/login/generic_oauth".to_owned(),
            fragment: false,
            state: "st-1".to_owned(),
            code: "invalid_request",
            description: "Unsupported challenge method S999".to_owned(),
        };
        assert_eq!(
            error.location(),
            "https://dashboard.spacemusic.tv/login/generic_oauth?error=invalid_request&error_description=Unsupported%20challenge%20method%20S999&state=st-1"
        );
        let hybrid = ClientError { fragment: true, state: String::new(), ..error };
        assert!(hybrid.location().ends_with(
            "generic_oauth#error=invalid_request&error_description=Unsupported%20challenge%20method%20S999"
        ));
    }

    #[test]
    fn response_types_are_those_of_discovery() {
        assert_eq!(ResponseType::parse("code").map(ResponseType::is_implicit), Some(false));
        assert_eq!(ResponseType::parse("code id_token").map(ResponseType::is_implicit), Some(true));
        assert_eq!(ResponseType::parse("token"), None);
        assert_eq!(ResponseType::parse(""), None);
    }
}
