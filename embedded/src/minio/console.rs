//! The console: its login API and one page that signs a person in as the real SPA does.

use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cookie::Cookie;
use http::{HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Answer, Call, answer};
use super::iam::Identity;
use super::oauth::{Exchange, States, authorize_url};
use super::policy::Access;
use super::settings::{ConsoleVariant, OpenId};
use super::shared::{Shared, now};
use super::sts::{self, Asked};
use crate::bounded::Bounded;

/// How long a session's cookie lives, in seconds.
const MAX_AGE: i64 = 43_200;
/// Above this many sessions all are forgotten; nothing here lives that long.
const MAX_SESSIONS: usize = 2_048;
const PAGE: &str = include_str!("console.html");
/// What the newest console lets its page load.
const SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self' 'unsafe-eval' 'unsafe-inline'; script-src 'self' https://unpkg.com;  connect-src 'self' https://unpkg.com;",
);

/// The console of one MinIO and who is signed in to it.
pub(super) struct Console {
    shared: Arc<Shared>,
    sessions: Mutex<Bounded<Identity>>,
    states: States,
    exchange: Exchange,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Form {
    access_key: String,
    secret_key: String,
    sts: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Redirected {
    code: Option<String>,
    state: Option<String>,
}

impl Console {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let states = States::new(&shared.settings.openid.client_id, &shared.deployment_id);
        Self {
            shared,
            sessions: Mutex::new(Bounded::new(MAX_SESSIONS)),
            states,
            exchange: Exchange::default(),
        }
    }

    /// Ends every session, and forgets what it has learnt of the provider.
    pub(super) fn forget(&self) {
        self.sessions().clear();
        self.exchange.forget();
    }

    /// Answers one request.
    pub(super) async fn handle(&self, call: &Call) -> Answer {
        let mut answer = self.route(call).await;
        let headers = answer.headers_mut();
        for (name, value) in [
            ("server", "MinIO Console"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-xss-protection", "1; mode=block"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.shared.settings.console == ConsoleVariant::WithoutSso {
            headers.insert(header::CONTENT_SECURITY_POLICY, SECURITY_POLICY);
            let referrer = HeaderValue::from_static("strict-origin-when-cross-origin");
            headers.insert(header::REFERRER_POLICY, referrer);
        }
        if call.path.starts_with("/api/") {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        answer
    }

    async fn route(&self, call: &Call) -> Answer {
        let sso = self.shared.settings.console == ConsoleVariant::Sso;
        match (&call.method, call.path.as_str()) {
            (&Method::GET, "/api/v1/login") => self.strategy(call, sso).await,
            (&Method::POST, "/api/v1/login") => self.login(call),
            (&Method::POST, "/api/v1/login/oauth2/auth") if sso => self.redirected(call).await,
            (&Method::GET, "/api/v1/session") => self.session(call, sso),
            (&Method::GET, "/api/v1/buckets") => self.buckets(call),
            (&Method::POST, "/api/v1/logout") => self.logout(call),
            (&Method::GET, "/api/v1/admin/info") => {
                json_line(501, &json!("operation system.AdminInfo has not yet been implemented"))
            }
            (_, path) if path.starts_with("/api/") => {
                json_answer(404, &json!({ "code": 404, "message": format!("path {path} was not found") }))
            }
            (&Method::GET | &Method::HEAD, _) => page(),
            (method, path) => json_answer(
                405,
                &json!({ "code": 405, "message": format!("method {method} is not allowed for {path}") }),
            ),
        }
    }

    /// How to sign in. Discovery is read on every call; without it the console falls back to the form
    /// (`GET_login_idp_down`).
    async fn strategy(&self, call: &Call, sso: bool) -> Answer {
        let openid = &self.shared.settings.openid;
        let discovery = if sso { self.shared.fetcher.discovery(&openid.config_url).await.ok() } else { None };
        let body = match discovery {
            Some(discovery) => {
                let redirect = authorize_url(
                    &discovery.authorization_endpoint,
                    openid,
                    &redirect_uri(openid, call),
                    &self.states.issue(),
                );
                let name = if openid.display_name.is_empty() { "SSO" } else { &openid.display_name };
                json!({
                    "animatedLogin": true,
                    "loginStrategy": "redirect",
                    "redirectRules": [{ "displayName": name, "redirect": redirect }],
                })
            }
            None => json!({ "animatedLogin": true, "loginStrategy": "form", "redirectRules": null }),
        };
        json_line(200, &body)
    }

    /// Signs in with keys; temporary ones need their session token.
    fn login(&self, call: &Call) -> Answer {
        let Form { access_key, secret_key, sts } = serde_json::from_slice(call.bytes()).unwrap_or_default();
        let same = |one: &str, other: &str| crate::digest::same(one.as_bytes(), other.as_bytes());
        let settings = &self.shared.settings;
        let root = access_key == settings.root_user && same(&secret_key, &settings.root_password);
        let identity = if root && sts.is_empty() {
            Some(Identity::Root)
        } else {
            let iam = self.shared.iam();
            let found = iam.find(&access_key, now());
            let found = found
                .filter(|known| same(&known.secret_key, &secret_key) && same(&known.session_token, &sts));
            found.map(|credentials| Identity::Session(Box::new(credentials.clone())))
        };
        match identity {
            Some(identity) => self.signed_in(identity, false),
            None => json_line(401, &json!({ "message": "invalid login" })),
        }
    }

    /// What the SPA posts from the callback page.
    async fn redirected(&self, call: &Call) -> Answer {
        let posted: Result<Redirected, _> = serde_json::from_slice(call.bytes());
        let Ok(posted) = posted else {
            return json_answer(
                400,
                &json!({ "code": 400, "message": "parsing body body from \"\" failed" }),
            );
        };
        let missing = |field: &str| {
            json_answer(422, &json!({ "code": 602, "message": format!("{field} in body is required") }))
        };
        let Some(code) = posted.code else { return missing("code") };
        let Some(state) = posted.state else { return missing("state") };
        match self.redeem(call, &code, &state).await {
            Ok(identity) => self.signed_in(identity, true),
            Err(detail) => {
                self.shared.log(format!("Console: oauth2 login failed: {detail}"));
                json_line(
                    500,
                    &json!({ "detailedMessage": detail, "message": "an error occurred, please try again" }),
                )
            }
        }
    }

    async fn redeem(&self, call: &Call, code: &str, state: &str) -> Result<Identity, String> {
        let inner = States::open(state)?;
        let (openid, fetcher) = (&self.shared.settings.openid, &self.shared.fetcher);
        let discovery = fetcher.discovery(&openid.config_url).await.map_err(|error| error.to_string())?;
        self.states.check(&inner)?;
        let redirect_uri = redirect_uri(openid, call);
        let tokens =
            self.exchange.redeem(fetcher, &discovery.token_endpoint, openid, &redirect_uri, code).await?;
        // The console asks for as long as the access token is good for, so one of less than 900 s is refused as
        // `invalid token expiry`.
        let duration = if tokens.expires_in > 0 { tokens.expires_in.to_string() } else { String::new() };
        let access_token = if openid.claim_userinfo { tokens.access_token } else { String::new() };
        let asked = Asked { token: tokens.id_token, access_token, duration, ..Asked::default() };
        let issued = sts::assume(&self.shared, &asked).await.map_err(|error| error.message)?;
        Ok(Identity::Session(Box::new(issued.credentials)))
    }

    fn session(&self, call: &Call, sso: bool) -> Answer {
        let Some(identity) = self.identity(call) else { return no_session() };
        let features: &[&str] = if sso { &["oidc-idp", "external-idp"] } else { &[] };
        json_line(
            200,
            &json!({
                "allowResources": null,
                "distributedMode": true,
                "envConstants": { "maxConcurrentDownloads": 20, "maxConcurrentUploads": 10 },
                "features": features,
                "permissions": self.shared.iam().permissions(&identity),
                "status": "ok",
            }),
        )
    }

    fn buckets(&self, call: &Call) -> Answer {
        let Some(identity) = self.identity(call) else { return no_session() };
        let buckets = self.shared.store().buckets();
        let iam = self.shared.iam();
        let visible = |name: &str| {
            ["s3:ListBucket", "s3:GetBucketLocation"]
                .iter()
                .any(|action| iam.decide(&identity, &Access::new(action, name, "")).allowed())
        };
        let listed: Vec<Value> = buckets
            .iter()
            .filter(|(name, _)| visible(name))
            .map(|(name, created)| json!({ "creation_date": created.to_string(), "name": name }))
            .collect();
        json_line(200, &json!({ "buckets": listed }))
    }

    fn logout(&self, call: &Call) -> Answer {
        if self.identity(call).is_none() {
            return no_session();
        }
        if let Some(token) = token(call) {
            self.sessions().remove(&token);
        }
        let mut out = answer(StatusCode::OK, "", "");
        let past = expires(-360_000);
        for name in ["token", "idp-refresh-token"] {
            set_cookie(
                &mut out,
                &format!("{name}=; Path=/; Expires={past}; Max-Age=0; HttpOnly; SameSite=Lax"),
            );
        }
        out
    }

    fn signed_in(&self, identity: Identity, by_sso: bool) -> Answer {
        let token = STANDARD.encode(rand::random::<[u8; 32]>());
        self.sessions().insert(token.clone(), identity);
        let mut out = answer(StatusCode::NO_CONTENT, "", "");
        let until = expires(MAX_AGE);
        set_cookie(
            &mut out,
            &format!("token={token}; Path=/; Expires={until}; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax"),
        );
        if by_sso {
            set_cookie(&mut out, "idp-refresh-token=; Path=/; HttpOnly; SameSite=Lax");
        }
        out
    }

    /// Who the cookie of `call` stands for, while the credentials behind it last.
    fn identity(&self, call: &Call) -> Option<Identity> {
        let identity = self.sessions().get(&token(call)?).cloned()?;
        match &identity {
            Identity::Session(credentials) if credentials.expires <= now() => None,
            _ => Some(identity),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, Bounded<Identity>> {
        self.sessions.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn token(call: &Call) -> Option<String> {
    let cookies = Cookie::split_parse(call.header("cookie")).filter_map(Result::ok);
    cookies.into_iter().find(|cookie| cookie.name() == "token").map(|cookie| cookie.value().to_owned())
}

fn redirect_uri(openid: &OpenId, call: &Call) -> String {
    match &openid.redirect_uri {
        Some(uri) => uri.clone(),
        None => format!("{}://{}/oauth_callback", call.scheme(), call.header("host")),
    }
}

fn no_session() -> Answer {
    json_line(403, &json!({ "detailedMessage": "Access Denied.", "message": "invalid session" }))
}

/// The page, as new as the answer.
fn page() -> Answer {
    let mut page = answer(StatusCode::OK, "text/html", PAGE);
    page.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(now) = HeaderValue::from_str(&expires(0)) {
        page.headers_mut().insert(header::LAST_MODIFIED, now);
    }
    page
}

fn json_answer(status: u16, body: &Value) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, "application/json", body.to_string())
}

/// As [`json_answer`], with the line break Go's encoder ends in.
fn json_line(status: u16, body: &Value) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, "application/json", format!("{body}\n"))
}

fn set_cookie(answer: &mut Answer, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// The HTTP date `seconds` from now.
fn expires(seconds: i64) -> String {
    let at = Timestamp::now().saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}
