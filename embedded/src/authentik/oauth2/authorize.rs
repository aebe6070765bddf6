//! The authorize endpoint, shared by all applications (`20-login-*`, `43-oidc-authorize-variants`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use http::header::SET_COOKIE;
use http::{HeaderMap, Response};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::super::flows::{self, Start, answer};
use super::super::model::{CoreSession, Grant, Provider};
use super::super::session;
use super::super::shared::Shared;
use super::base::Base;
use super::issue::issue;
use super::pages;
use super::pkce::{Challenge, Method};
use super::redirect_uri;

/// The longest query or form read, in bytes.
const MAX_QUERY: usize = 64 << 10;

/// The flow that signs users in unless the provider names another.
const LOGIN: &str = "default-authentication-flow";

/// What a relying party asks for.
struct Wish {
    client_id: String,
    redirect_uri: String,
    response_type: String,
    scopes: Vec<String>,
    state: String,
    nonce: Option<String>,
    prompt: Vec<String>,
    challenge: Option<Challenge>,
    /// Every parameter, encoded anew.
    query: String,
}

impl Wish {
    fn read(text: &[u8]) -> Self {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text).into_owned().collect();
        let one = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let words = |name: &str| -> Vec<String> {
            one(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        let challenge = one("code_challenge").filter(|value| !value.is_empty()).map(|value| Challenge {
            value,
            method: one("code_challenge_method")
                .and_then(|method| Method::parse(&method))
                .unwrap_or(Method::Plain),
        });
        Self {
            client_id: one("client_id").unwrap_or_default(),
            redirect_uri: one("redirect_uri").unwrap_or_default(),
            response_type: one("response_type").unwrap_or_default(),
            scopes: words("scope"),
            state: one("state").unwrap_or_default(),
            nonce: one("nonce").filter(|nonce| !nonce.is_empty()),
            prompt: words("prompt"),
            challenge,
            query: url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish(),
        }
    }

    /// Which of code, id_token and token come back; none for what is not supported.
    fn parts(&self) -> Option<Vec<&str>> {
        let parts: Vec<&str> = self.response_type.split_whitespace().collect();
        let known = parts.iter().all(|part| ["code", "id_token", "token"].contains(part));
        (known && !parts.is_empty() && parts != ["token"]).then_some(parts)
    }

    /// The redirect with an error, in Authentik's words.
    fn error(&self, error: &str, description: &str) -> Response<Body> {
        let encoded = percent_encoding::utf8_percent_encode(description, percent_encoding::NON_ALPHANUMERIC);
        let encoded = encoded.to_string().replace("%2D", "-").replace("%2E", ".");
        let tail = format!("error={error}&error_description={encoded}&state={}", encode(&self.state));
        answer::redirect(&with_query(&self.redirect_uri, &tail))
    }
}

/// `GET` and `POST /application/o/authorize/`.
pub(super) async fn authorize(Extract(shared): Extract<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().as_bytes().to_vec();
    let text = if query.is_empty() {
        axum::body::to_bytes(body, MAX_QUERY).await.map(|body| body.to_vec()).unwrap_or_default()
    } else {
        query
    };
    let wish = Wish::read(text.get(..MAX_QUERY).unwrap_or(&text));
    decide(&shared, &parts.headers, &wish)
}

fn decide(shared: &Shared, headers: &HeaderMap, wish: &Wish) -> Response<Body> {
    let found = shared.state().client(&wish.client_id).cloned();
    let Some(provider) = found else {
        return pages::refused("Client ID Error", "The client identifier (client_id) is missing or invalid.");
    };
    let listed = provider.redirect_uris.iter().map(|uri| (uri.matching, uri.url.as_str()));
    if !redirect_uri::matches(&wish.redirect_uri, listed) {
        shared.logs.write(
            "authentik",
            format!("Invalid redirect uri {:?} for provider `{}`", wish.redirect_uri, provider.name),
        );
        return pages::refused(
            "Redirect URI Error",
            "The request fails due to a missing, invalid, or mismatching redirection URI (redirect_uri).",
        );
    }
    let Some(wanted) = wish.parts() else {
        return wish.error(
            "unsupported_response_type",
            "The authorization server does not support obtaining an authorization code using this method",
        );
    };
    let session = session::current(shared, headers);
    let signed_in = session.as_ref().filter(|(_, session)| session.user.is_some());
    let Some((key, core)) = signed_in else {
        if wish.prompt.iter().any(|prompt| prompt == "none") {
            return wish.error("login_required", "The Authorization Server requires End-User authentication");
        }
        return log_in(shared, headers, &provider, wish);
    };
    if wish.prompt.iter().any(|prompt| prompt == "login") && !answered(shared, key, core) {
        return log_in(shared, headers, &provider, wish);
    }
    let allowed = {
        let state = shared.state();
        let application = state.application_of(provider.pk);
        let user = core.user.and_then(|pk| state.users.get(&pk));
        match (application, user) {
            (Some(application), Some(user)) => state.lets_in(user, application),
            _ => false,
        }
    };
    if !allowed {
        return pages::denied();
    }
    let mut response = granted(shared, headers, &provider, wish, &wanted, (key, core));
    if let Some(cookie) = session::set_cookie(shared, key) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Whether the user has signed in since a relying party asked for it; else notes that it asks.
fn answered(shared: &Shared, key: &str, core: &CoreSession) -> bool {
    let done = match (core.login_asked, core.signed_in) {
        (Some(asked), Some(signed_in)) => signed_in >= asked,
        _ => false,
    };
    if let Some(session) = shared.state_mut().sessions.get_mut(key) {
        session.login_asked = if done { None } else { Some(Timestamp::now()) };
    }
    done
}

fn log_in(shared: &Shared, headers: &HeaderMap, provider: &Provider, wish: &Wish) -> Response<Body> {
    let next = format!("/application/o/authorize/?{}", wish.query);
    let (flow, application) = {
        let state = shared.state();
        let flow = provider.authentication_flow.or_else(|| state.flow(LOGIN).map(|flow| flow.pk));
        (flow, state.application_of(provider.pk).map(|found| found.slug.clone()))
    };
    let query = format!("{}&next={}", wish.query, encode(&next));
    match flow {
        Some(flow) => {
            flows::begin(shared, headers, flow, Start { application, next, query, session_end: false })
        }
        None => answer::not_found(),
    }
}

/// The redirect with a code, or with tokens in the fragment.
fn granted(
    shared: &Shared,
    headers: &HeaderMap,
    provider: &Provider,
    wish: &Wish,
    wanted: &[&str],
    (key, core): (&str, &CoreSession),
) -> Response<Body> {
    let now = Timestamp::now();
    let grant = |validity: i64| Grant {
        provider: provider.pk,
        user: core.user.unwrap_or_default(),
        session: Some(key.to_owned()),
        scopes: scopes(shared, provider, &wish.scopes),
        redirect_uri: wish.redirect_uri.clone(),
        nonce: wish.nonce.clone(),
        challenge: wish.challenge.clone(),
        auth_time: core.signed_in.unwrap_or(now),
        methods: core.methods.clone(),
        expires: now.checked_add(SignedDuration::from_secs(validity)).unwrap_or(now),
    };
    let code = wanted.contains(&"code").then(|| {
        let code = Uuid::new_v4().simple().to_string();
        let grant = grant(provider.access_code_validity.seconds);
        shared.state_mut().codes.insert(code.clone(), grant);
        code
    });
    if wanted == ["code"] {
        let code = code.unwrap_or_default();
        let tail = format!("code={code}&state={}", encode(&wish.state));
        return answer::redirect(&with_query(&wish.redirect_uri, &tail));
    }
    let grant = grant(provider.access_token_validity.seconds);
    let issued = match issue(shared, &grant, &Base::of(headers)) {
        Ok(issued) => issued,
        Err(error) => {
            shared.logs.write("authentik", format!("provider `{}` does not sign: {error}", provider.name));
            return wish
                .error("server_error", "The authorization server encountered an unexpected condition");
        }
    };
    let mut fragment = Vec::new();
    if wanted.contains(&"token") {
        shared.state_mut().access_tokens.insert(issued.access_token.clone(), grant);
        fragment.push(format!("access_token={}", issued.access_token));
    }
    if wanted.contains(&"id_token") {
        fragment.push(format!("id_token={}", issued.id_token));
    }
    fragment.extend(code.map(|code| format!("code={code}")));
    fragment.push("token_type=Bearer".to_owned());
    fragment.push(format!("expires_in={}", issued.lifetime));
    fragment.push(format!("state={}", encode(&wish.state)));
    answer::redirect(&format!("{}#{}", wish.redirect_uri, fragment.join("&")))
}

/// The scopes asked for that the provider has mappings of.
fn scopes(shared: &Shared, provider: &Provider, asked: &[String]) -> Vec<String> {
    let state = shared.state();
    let known = |scope: &&String| {
        provider
            .property_mappings
            .iter()
            .filter_map(|pk| state.mappings.get(pk))
            .any(|mapping| mapping.scope_name == **scope)
    };
    let mut scopes: Vec<String> = Vec::new();
    for scope in asked.iter().filter(known) {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    scopes
}

fn with_query(url: &str, tail: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{tail}")
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
