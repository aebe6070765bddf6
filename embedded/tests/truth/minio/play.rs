//! Has a recording again, step by step.

use std::collections::BTreeMap;

use rusty_s3::Credentials;
use serde_json::{Value, json};

use super::answer::{Normal, named};
use super::client::{as_root, element, may, plain, root, send, sts};
use super::data::{Answer, Brief, Exchange, Probe, Recorded, Step};
use super::idp;
use super::request::{ask, credentials, state, token};
use super::scene::{Scene, policy};
use crate::recording::Played;

/// Has every exchange again.
pub(crate) fn play(recorded: &Recorded) -> Vec<Played> {
    crate::run::block_on(async {
        let mut played = Vec::new();
        let mut scene = None;
        for step in &recorded.steps {
            let Some((request, differences)) = take(&mut scene, step, recorded).await else { continue };
            played.push(Played { at: played.len(), request: request.to_owned(), differences });
        }
        played
    })
}

/// Takes one step; what it showed when it was an exchange.
async fn take<'a>(
    stage: &mut Option<Scene>,
    step: &'a Step,
    recorded: &Recorded,
) -> Option<(&'a str, Vec<String>)> {
    match step {
        Step::Start(start) => {
            *stage = Some(Scene::new(start).await);
            return None;
        }
        Step::Unsent(name) => return Some((name, vec!["not asked here".to_owned()])),
        Step::RoleArn { name, arn } => {
            let here = ssoproof_embedded::minio::role_arn("minio-client");
            return Some((name, different("role ARN", &here, arn)));
        }
        _ => {}
    }
    let scene = stage.as_mut().expect("a recording begins with a start");
    match step {
        Step::Show(shown) => scene.show(shown),
        Step::Provider(to) => scene.provider(to).await,
        Step::Tokens(id_token) => scene.give(&token(id_token, now())),
        Step::Root { name, method, path, status } => {
            let here = as_root(&scene.minio, method, path).await;
            return Some((name, different("status", &here, status)));
        }
        Step::Policies { name, names } => {
            return Some((name, different("policies", scene.minio.policy_names().as_slice(), names)));
        }
        Step::PutPolicy { name, policy: called, document, refused } => {
            let here = scene.minio.put_policy(called, policy(document)).err().map(|error| error.to_string());
            return Some((name, different("refused", &here, refused)));
        }
        Step::RemovePolicy { name, policy } => {
            return Some((name, different("removed", &scene.minio.remove_policy(policy), &true)));
        }
        Step::Restart => scene.restart().await,
        Step::SignIn(names) => {
            let told = sts(&scene.minio, &signed_by_secret(names), &[]).await;
            scene.credentials = Some(told.credentials());
        }
        Step::Exchange(asked) => {
            return Some((
                &asked.name,
                exchange(scene, asked, &recorded.headers[&asked.answer.headers]).await,
            ));
        }
        Step::Brief(asked) => return Some((&asked.name, brief(scene, asked).await)),
        Step::May { name, who, can } => {
            let known = scene.credentials.as_ref().expect("someone signed in");
            return Some((name, allowed(&may(&scene.minio, &bent(known, who)).await, can)));
        }
        Step::Log { name, errors } => return Some((name, logged(scene, errors))),
        Step::Probe(probe) => return Some((&probe.name, probed(scene, probe).await)),
        Step::State { name, idp_name } => return Some((name, in_state(scene, idp_name))),
        Step::Authorize { name, query } => return Some((name, in_redirect(scene, query))),
        Step::Start(_) | Step::Unsent(_) | Step::RoleArn { .. } => {}
    }
    None
}

/// A token of these groups that MinIO takes whatever keys the provider shows.
fn signed_by_secret(groups: &[String]) -> String {
    let claims = json!({ "sub": "sub-alice", "aud": "minio-client", "groups": groups });
    let claims = idp::claims_at(claims, &json!({ "exp": 600 }));
    idp::token(&json!({ "alg": "HS256", "kid": "minio-client" }), &claims, "secret")
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

async fn exchange(scene: &mut Scene, asked: &Exchange, headers: &[(String, String)]) -> Vec<String> {
    let signed = now();
    let token = asked.token.as_ref().map(|asked| token(asked, signed)).unwrap_or_default();
    scene.seen();
    let sending = now();
    let response = ask(scene, &asked.wanted(), &token).await;
    let sent = sending..=now();
    let body = String::from_utf8_lossy(response.body()).into_owned();
    let mut found = Normal::new(scene, &response).differences(&asked.answer, headers, signed, &sent);
    let mut seen = scene.seen();
    seen.retain(|line| !retried(&asked.answer, line));
    let seen: Vec<_> = seen.iter().map(|line| named(scene, line)).collect();
    found.extend(different("provider", seen.as_slice(), asked.provider.as_slice()));
    if let Some(can) = &asked.may
        && response.status() == 200
    {
        found.extend(allowed(&may(&scene.minio, &credentials(&body)).await, can));
    }
    learn(scene, &response, &body);
    found
}

/// Whether a line at the provider is MinIO's own try to initialise, which may come at any time.
fn retried(answer: &Answer, line: &str) -> bool {
    answer.body.contains("STSIAMNotInitialized") && (line == "GET discovery" || line == "GET jwks")
}

/// Keeps what later exchanges need: the session's cookie and where the browser was sent.
fn learn(scene: &mut Scene, response: &http::Response<bytes::Bytes>, body: &str) {
    let mut cookies = response.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    if let Some(cookie) = cookies.rfind(|cookie| cookie.starts_with("token=")) {
        scene.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    }
    if let Ok(login) = serde_json::from_str::<Value>(body)
        && let Some(redirect) = login["redirectRules"][0]["redirect"].as_str()
    {
        scene.redirect = redirect.parse().ok();
    }
}

async fn brief(scene: &Scene, asked: &Brief) -> Vec<String> {
    let response = ask(scene, &asked.wanted(), &token(&asked.token, now())).await;
    let body = String::from_utf8_lossy(response.body());
    let here = match response.status().as_u16() {
        200 => "200".to_owned(),
        status => format!("{status} {}: {}", element(&body, "Code"), element(&body, "Message")),
    };
    different("answer", &here, &asked.line)
}

/// The credentials with a fault, as the recordings name it.
fn bent(known: &Credentials, who: &str) -> Credentials {
    match who {
        "signed_in" => known.clone(),
        "wrong_secret" => Credentials::new_with_token(known.key(), "wrong", known.token().unwrap()),
        "no_session_token" => Credentials::new(known.key(), known.secret()),
        "other_token" => Credentials::new_with_token(known.key(), known.secret(), "other"),
        other => panic!("no credentials `{other}`"),
    }
}

fn allowed(here: &BTreeMap<String, String>, recorded: &BTreeMap<String, String>) -> Vec<String> {
    different("may", here, recorded)
}

fn different<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, here: &T, recorded: &T) -> Vec<String> {
    if here == recorded {
        return Vec::new();
    }
    vec![format!("{what} here: {here:?}"), format!("{what} recorded: {recorded:?}")]
}

fn logged(scene: &Scene, recorded: &[String]) -> Vec<String> {
    let lines = scene.logs.tail("minio", 200).into_iter();
    let mut errors: Vec<_> =
        lines.filter(|line| line.starts_with("Error:")).map(|line| named(scene, &line)).collect();
    errors.sort();
    errors.dedup();
    different("log", errors.as_slice(), recorded)
}

async fn probed(scene: &Scene, recorded: &Probe) -> Vec<String> {
    let can = may(&scene.minio, &root()).await;
    let status = |operation: &str| can[operation].split(' ').next().unwrap_or_default().to_owned();
    let mut found = different("root lists", &status("ListBuckets"), &recorded.root_list.to_string());
    found.extend(different("root makes", &status("MakeBucket"), &recorded.root_mkbucket.to_string()));
    // The admin API is asked by `may`; a MinIO that answers it is `online`.
    let mode = if status("AdminInfo") == "200" { "online" } else { "" };
    found.extend(different("admin info", mode, recorded.admin_info.as_str()));
    for (page, expected) in &recorded.health {
        let here = plain(&scene.minio, "GET", &format!("/minio/health/{page}")).await.status;
        found.extend(different(&format!("health/{page}"), &here, expected));
    }
    found.extend(different("console", &log_in(scene).await, &recorded.console_login));
    found
}

/// What a log-in of the root user gives; nothing when the console does not answer.
async fn log_in(scene: &Scene) -> Option<u16> {
    let console = scene.minio.console();
    if !scene.minio.initialised() {
        // The port closes every connection.
        let mut stream = tokio::net::TcpStream::connect(console).await.ok()?;
        let mut byte = [0];
        let read = tokio::io::AsyncReadExt::read(&mut stream, &mut byte).await;
        return read.ok().filter(|read| *read > 0).map(|_| 0);
    }
    let url = format!("http://{console}/api/v1/login");
    let body = r#"{"accessKey":"rootuser","secretKey":"rootpass123"}"#;
    Some(send("POST", &url, &[("content-type", "application/json")], body).await.status().as_u16())
}

fn in_state(scene: &Scene, idp_name: &str) -> Vec<String> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(state(scene)).unwrap_or_default();
    let outer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let mut found = different("provider's name", outer["idp_name"].as_str().unwrap_or_default(), idp_name);
    let names: Vec<_> = outer.as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect();
    found.extend(different("fields", names.as_slice(), &["state".to_owned(), "idp_name".to_owned()]));
    found
}

fn in_redirect(scene: &Scene, recorded: &BTreeMap<String, String>) -> Vec<String> {
    let pairs = scene.redirect.iter().flat_map(|url| url.query_pairs().into_owned());
    let mut here: BTreeMap<_, _> = pairs.map(|(name, value)| (name, named(scene, &value))).collect();
    if let Some(state) = here.get_mut("state").filter(|state| state.len() >= 60) {
        "<state>".clone_into(state);
    }
    different("query", &here, recorded)
}
