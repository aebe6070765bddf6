//! Signing in by generic OAuth, and signing out.

use std::time::Instant;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use super::call::{Call, Reply};
use super::claims::{self, Person};
use super::cookies::{self, Age};
use super::oauth;
use super::pages;
use super::redirection::{allowed, query_escape, query_unescape, without_force_login};
use super::role::{Mapping, Sources, map_role};
use super::settings::Redirection;
use super::shared::{Current, SESSION_COOKIE, Session, Shared, SignIn};
use super::users::User;

const STATE_COOKIE: &str = "oauth_state";
const VERIFIER_COOKIE: &str = "oauth_code_verifier";
const ERROR_COOKIE: &str = "login_error";
const EXPIRY_COOKIE: &str = "grafana_session_expiry";
/// `[auth] oauth_state_cookie_max_age`, in seconds.
const FLOW_AGE: Age = Age::Seconds(600);
/// `login_maximum_lifetime_duration`, 30 days, in seconds.
const SESSION_AGE: Age = Age::Seconds(2_592_000);
/// `token_rotation_interval_minutes`, in seconds.
const ROTATION: i64 = 600;

/// Why a login was refused, in the words of the login page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Login provider denied login request")]
    Denied { error: String, description: String },
    #[error("Missing saved oauth state")]
    MissingState,
    #[error("Provided state does not match stored state")]
    InvalidState,
    #[error("Missing required pkce cookie")]
    MissingVerifier,
    #[error("Failed to get token from provider")]
    Exchange(String),
    #[error("IdP did not return a role attribute, please contact your administrator")]
    NoRole,
    #[error("Internal Server Error")]
    PrivateEmail(String),
    #[error("user not a member of one of the required groups")]
    NotInGroup,
    #[error("Provider didn't return an email address")]
    NoEmail,
    #[error("Required email domain not fulfilled")]
    Domain,
    #[error("Sign up is disabled")]
    SignUpDisabled,
    #[error("User sync failed")]
    UserSync,
}

impl Refusal {
    /// What only the log says.
    fn cause(&self) -> String {
        match self {
            Self::Denied { error, description } => format!("error={error:?} errorDesc={description:?}"),
            Self::Exchange(cause) | Self::PrivateEmail(cause) => cause.clone(),
            Self::UserSync => "user already exists: the login or email belongs to another account".to_owned(),
            _ => String::new(),
        }
    }
}

/// `GET /login`.
pub(super) fn page(shared: &Shared, current: &Current, call: &Call) -> Reply {
    let settings = &current.settings;
    let wanted = call.param("redirectTo");
    let href = match settings.redirection {
        // The real page keeps it in the browser's session storage and goes there by itself.
        Redirection::Query if !wanted.is_empty() => {
            current.path(&format!("/login/generic_oauth?redirectTo={}", query_escape(wanted)))
        }
        _ => current.path("/login/generic_oauth"),
    };
    let show = |error: Option<&str>| Reply::page(pages::login(&settings.name, &href, error));
    if call.has_param("disableAutoLogin") {
        return show(None);
    }
    let error =
        cookies::read(&call.headers, ERROR_COOKIE).and_then(|sealed| shared.state().take_error(sealed));
    if let Some(error) = error {
        return show(Some(&error)).cookie(&current.cookies().cookie(ERROR_COOKIE, "", Age::Gone));
    }
    let signed_in = shared.signed_in(&call.headers).is_some();
    if !signed_in && settings.auto_login {
        return Reply::redirect(StatusCode::TEMPORARY_REDIRECT, &auto_login(current, wanted));
    }
    if signed_in {
        let home = current.path("/");
        return match settings.redirection {
            Redirection::Query => Reply::found(&home),
            Redirection::Cookie => leave(current, call, home, Reply::found),
        };
    }
    show(None)
}

fn auto_login(current: &Current, wanted: &str) -> String {
    let start = current.path("/login/generic_oauth");
    let wanted = wanted.strip_prefix(&current.sub_path).unwrap_or(wanted);
    match current.settings.redirection {
        Redirection::Query if wanted != "/" => {
            format!("{start}?redirectTo={}", query_escape(&without_force_login(wanted)))
        }
        _ => start,
    }
}

/// Sends an anonymous browser to the login page, remembering what it wanted.
pub(super) fn to_login(current: &Current, call: &Call) -> Reply {
    let login = current.path("/login");
    let wanted = without_force_login(&call.target);
    match current.settings.redirection {
        Redirection::Query => {
            let wanted = wanted.strip_prefix(&current.sub_path).unwrap_or(&wanted);
            if wanted == "/" || wanted.is_empty() {
                return Reply::found(&login);
            }
            Reply::found(&format!("{login}?redirectTo={}", query_escape(wanted)))
        }
        Redirection::Cookie => {
            let whole = if wanted.starts_with(&current.sub_path) { wanted } else { current.path(&wanted) };
            if whole == "/" {
                return Reply::found(&login);
            }
            let value = query_escape(&whole);
            Reply::found(&login).cookie(&current.cookies().cookie("redirect_to", &value, Age::Session))
        }
    }
}

/// `GET /login/generic_oauth`: to the provider without a code, signed in with one.
pub(super) async fn generic_oauth(shared: &Shared, current: &Current, call: &Call) -> Reply {
    if !call.param("error").is_empty() {
        let (error, description) =
            (call.param("error").to_owned(), call.param("error_description").to_owned());
        return refuse(shared, current, &Refusal::Denied { error, description });
    }
    if call.param("code").is_empty() {
        return to_provider(shared, current, call);
    }
    let options = current.cookies();
    let reply = match sign_in(shared, current, call).await {
        Ok((token, user)) => {
            current.settings.logs.write(
                "grafana",
                format!("login {:?} as user {} with role {}", user.login, user.id, user.role),
            );
            let expiry = (Timestamp::now().as_second() + ROTATION).to_string();
            leave(current, call, current.path("/"), |location| {
                Reply::found(location)
                    .cookie(&options.cookie(SESSION_COOKIE, &token, SESSION_AGE))
                    .cookie(&options.readable(EXPIRY_COOKIE, &expiry, SESSION_AGE))
            })
        }
        Err(refusal) => refuse(shared, current, &refusal),
    };
    reply.cookie(&options.cookie(STATE_COOKIE, "", Age::Gone)).cookie(&options.cookie(
        VERIFIER_COOKIE,
        "",
        Age::Gone,
    ))
}

fn to_provider(shared: &Shared, current: &Current, call: &Call) -> Reply {
    let settings = &current.settings;
    let options = current.cookies();
    let state = oauth::state();
    let verifier = settings.use_pkce.then(oauth::verifier);
    let hashed = oauth::hashed(&state, &shared.secret_key, &settings.client_secret);
    let mut reply = Reply::found(&oauth::authorize_url(settings, &state, verifier.as_deref()))
        .cookie(&options.cookie(STATE_COOKIE, &hashed, FLOW_AGE));
    if settings.redirection == Redirection::Query {
        reply = reply.cookie(&options.cookie("redirectTo", call.param("redirectTo"), FLOW_AGE));
    }
    if let Some(verifier) = verifier {
        reply = reply.cookie(&options.cookie(VERIFIER_COOKIE, &verifier, FLOW_AGE));
    }
    reply
}

fn refuse(shared: &Shared, current: &Current, refusal: &Refusal) -> Reply {
    let line = format!("login refused: {refusal} {}", refusal.cause());
    current.settings.logs.write("grafana", line.replace(['\r', '\n'], " ").trim_end());
    let sealed = shared.state().keep_error(refusal.to_string());
    Reply::found(&current.path("/login")).cookie(&current.cookies().cookie(
        ERROR_COOKIE,
        &sealed,
        Age::Seconds(60),
    ))
}

/// Answers with `reply` to where the browser wanted to go, `home` when that is nowhere or not allowed.
fn leave(current: &Current, call: &Call, home: String, reply: impl Fn(&str) -> Reply) -> Reply {
    let (name, prefix) = match current.settings.redirection {
        Redirection::Query => ("redirectTo", current.sub_path.as_str()),
        Redirection::Cookie => ("redirect_to", ""),
    };
    let Some(value) = cookies::read(&call.headers, name) else { return reply(&home) };
    let wanted = query_unescape(value).filter(|wanted| !wanted.is_empty());
    let wanted = wanted.map(|wanted| format!("{prefix}{wanted}"));
    let location = wanted.filter(|wanted| allowed(wanted, &current.sub_path)).unwrap_or(home);
    reply(&location).cookie(&current.cookies().cookie(name, "", Age::Gone))
}

/// Everything between the code and the session; returns the session's token.
async fn sign_in(shared: &Shared, current: &Current, call: &Call) -> Result<(String, User), Refusal> {
    let settings = &current.settings;
    let saved = cookies::read(&call.headers, STATE_COOKIE).filter(|saved| !saved.is_empty());
    let saved = saved.ok_or(Refusal::MissingState)?;
    if oauth::hashed(call.param("state"), &shared.secret_key, &settings.client_secret) != saved {
        return Err(Refusal::InvalidState);
    }
    let verifier = match settings.use_pkce {
        true => Some(cookies::read(&call.headers, VERIFIER_COOKIE).ok_or(Refusal::MissingVerifier)?),
        false => None,
    };
    let tokens =
        current.provider.redeem(settings, call.param("code"), verifier).await.map_err(Refusal::Exchange)?;
    let sources = gather(current, &tokens).await;
    let mapping = map_role(&settings.role, &sources);
    let mut person = Person::read(settings, &sources);
    let admitted = admit(current, &mapping, &mut person, &tokens.access_token).await;

    let mut state = shared.state();
    let admitted = admitted.and_then(|()| state.users.sync(settings, &person, &mapping));
    settings
        .logs
        .write("grafana", format!("role of {:?}: {mapping}", person.login).replace(['\r', '\n'], " "));
    state.remember(SignIn {
        login: person.login,
        email: person.email,
        mapping,
        refused: admitted.as_ref().err().map(ToString::to_string),
    });
    let user = admitted?;
    let session = Session {
        user: user.id,
        id_token: tokens.id_token().map(str::to_owned),
        expires: tokens.lifetime().map(|lifetime| Instant::now() + lifetime),
    };
    Ok((state.open(session), user))
}

/// The claims of every source; one that cannot be read is left out.
async fn gather(current: &Current, tokens: &oauth::Tokens) -> Sources {
    let settings = &current.settings;
    let readable = |source: &str, claims: Result<Value, String>| {
        let failed = |error: &String| {
            let line = format!("no claims from {source}: {error}").replace(['\r', '\n'], " ");
            settings.logs.write("grafana", line);
        };
        claims.inspect_err(failed).ok()
    };
    let id_token = tokens.id_token().and_then(|token| readable("id_token", claims::payload(token)));
    let userinfo = match &settings.userinfo_url {
        Some(url) => {
            let claims = current.provider.get(url, &tokens.access_token).await;
            readable("userinfo", claims.and_then(claims::checked))
        }
        None => None,
    };
    let access_token = match settings.access_token_claims {
        true => readable("access_token", claims::payload(&tokens.access_token)),
        false => None,
    };
    Sources { id_token, userinfo, access_token }
}

/// Refuses whom Grafana refuses before it looks for the user.
async fn admit(
    current: &Current,
    mapping: &Mapping,
    person: &mut Person,
    access_token: &str,
) -> Result<(), Refusal> {
    let settings = &current.settings;
    if mapping.refused() {
        return Err(Refusal::NoRole);
    }
    if let Some(url) = settings.userinfo_url.as_ref().filter(|_| person.email.is_empty()) {
        person.email = private_email(current, url, access_token).await.map_err(Refusal::PrivateEmail)?;
    }
    if person.login.is_empty() {
        person.login.clone_from(&person.email);
    }
    if !settings.allowed_groups.is_empty()
        && !settings.allowed_groups.iter().any(|group| person.groups.contains(group))
    {
        return Err(Refusal::NotInGroup);
    }
    if person.email.is_empty() {
        return Err(Refusal::NoEmail);
    }
    let email = person.email.to_lowercase();
    let in_domain = |domain: &String| email.ends_with(&format!("@{}", domain.to_lowercase()));
    if !settings.allowed_domains.is_empty() && !settings.allowed_domains.iter().any(in_domain) {
        return Err(Refusal::Domain);
    }
    Ok(())
}

/// The primary address at `<api_url>/emails`, where GitHub has it and most providers have nothing.
async fn private_email(current: &Current, url: &str, access_token: &str) -> Result<String, String> {
    let answer = current.provider.get(&format!("{url}/emails"), access_token).await;
    let answer = answer.map_err(|error| format!("Error getting email address: {error}"))?;
    let records = match &answer {
        Value::Array(records) => records,
        other => match other.get("values") {
            Some(Value::Array(records)) => records,
            _ => return Ok(String::new()),
        },
    };
    let is = |record: &Value, name: &str| record.get(name).and_then(Value::as_bool) == Some(true);
    let primary = records.iter().find(|record| is(record, "primary") || is(record, "is_primary"));
    let email = primary.and_then(|record| record.get("email")).and_then(Value::as_str);
    Ok(email.unwrap_or_default().to_owned())
}

/// `GET /logout`: ends the session here, then `signout_redirect_url`. Since 10.2 an `id_token_hint` is added, but
/// only to a URL that names a `post_logout_redirect_uri`, and only while the access token is good; the query is
/// then written anew, sorted. Earlier versions and other URLs: as it stands.
pub(super) fn logout(shared: &Shared, current: &Current, call: &Call) -> Reply {
    let session =
        cookies::read(&call.headers, SESSION_COOKIE).and_then(|token| shared.state().sessions.remove(token));
    let configured = current.settings.signout_redirect_url.as_deref().filter(|url| !url.is_empty());
    let location = match configured {
        Some(url) => hinted(url, session.as_ref()).unwrap_or_else(|| url.to_owned()),
        None => current.path("/login"),
    };
    let options = current.cookies();
    Reply::found(&location).cookie(&options.cookie(SESSION_COOKIE, "", Age::Gone)).cookie(&options.readable(
        EXPIRY_COOKIE,
        "",
        Age::Gone,
    ))
}

/// `url` with the hint, when it gets one.
fn hinted(url: &str, session: Option<&Session>) -> Option<String> {
    let hint = session.and_then(Session::id_token_hint)?;
    let mut url = Url::parse(url).ok()?;
    let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if !query.iter().any(|(name, _)| name == "post_logout_redirect_uri") {
        return None;
    }
    query.retain(|(name, _)| name != "id_token_hint");
    query.push(("id_token_hint".to_owned(), hint.to_owned()));
    query.sort_by(|(one, _), (other, _)| one.cmp(other));
    let query: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", query_escape(name), query_escape(value))).collect();
    url.set_query(Some(&query.join("&")));
    Some(url.into())
}
