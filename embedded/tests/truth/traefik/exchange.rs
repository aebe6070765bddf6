//! Recordings 1 to 4: one request each, with what the auth server, the backend and the outpost saw of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use ssoproof_deployment::traefik::Profile;
use ssoproof_embedded::gateway::{Gateway, Trusted};

use super::client::{Got, send};
use super::data::{cases, long};
use super::normal::{self, differences};
use super::stub::{Answer, Seen, Stub};
use super::world::{World, settings};
use crate::recording::Played;

/// A recorded second is played in this time.
const SECOND: Duration = Duration::from_millis(10);
/// How long Traefik waits for the auth server, in recorded seconds.
const PATIENCE: u32 = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Whether the entry point believes clients.
    #[serde(default)]
    trusted: bool,
    /// The middleware's settings besides its address.
    options: BTreeMap<String, Value>,
    request: String,
    auth_answer: Option<Scripted>,
    /// What the auth server sent instead of an answer.
    auth_raw: Option<String>,
    /// Who was gone from where the files point: `auth` or `backend`.
    down: Option<String>,
    #[serde(default)]
    backend_cookies: Vec<String>,
    auth_saw: Vec<Request>,
    backend_saw: Vec<Request>,
    outpost_saw: Vec<Request>,
    client_got: Recorded,
}

#[derive(Deserialize)]
struct Scripted {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    delay: u32,
}

#[derive(Deserialize)]
struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Deserialize)]
struct Recorded {
    status_line: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Has every exchange again.
pub(crate) fn play(version: &str, name: &str) -> Vec<Played> {
    crate::run::block_on(async {
        let mut played = Vec::new();
        for (at, (request, case)) in cases::<Case>(version, name).into_iter().enumerate() {
            let differences = replay(version, &case).await;
            played.push(Played { at, request, differences });
        }
        played
    })
}

async fn replay(version: &str, case: &Case) -> Vec<String> {
    let mut world = World::new().await;
    script(case, &world);
    world.put_middleware(&json!(case.options));
    let mut settings = settings(world.folder.path());
    settings.profile = Profile::for_version(version);
    settings.trusted = if case.trusted { Trusted::Everybody } else { Trusted::Nobody };
    settings.watch = false;
    if case.auth_answer.as_ref().is_some_and(|answer| answer.delay > PATIENCE) {
        settings.upstream_timeout = PATIENCE * SECOND;
    }
    let gateway = Gateway::start(settings).await.unwrap();
    match case.down.as_deref() {
        Some("auth") => world.auth = Stub::start(Answer::new(200, &[], "")).await,
        Some("backend") => world.backend = Stub::start(Answer::new(200, &[], "")).await,
        _ => {}
    }
    let got = send(gateway.http(), long(&case.request).as_bytes()).await;
    let asked = case.request.to_ascii_lowercase().contains("accept-encoding:");
    let mut found = Vec::new();
    for (who, stub, recorded) in [
        ("auth server", &world.auth, &case.auth_saw),
        ("backend", &world.backend, &case.backend_saw),
        ("outpost", &world.outpost, &case.outpost_saw),
    ] {
        let here: Vec<_> = stub.take().iter().flat_map(|seen| normal::request(seen, &world)).collect();
        let there: Vec<_> = recorded
            .iter()
            .flat_map(|request| normal::request(&request.without_compression(asked), &world))
            .collect();
        found.extend(differences(who, &here, &there));
    }
    let there = normal::answer(&case.client_got.got(), &world);
    found.extend(differences("client", &normal::answer(&got, &world), &there));
    found
}

fn script(case: &Case, world: &World) {
    if let Some(raw) = &case.auth_raw {
        world.auth.answers(Answer::Raw(raw.clone().into_bytes()));
    } else if let Some(Scripted { status, headers, body, delay }) = &case.auth_answer {
        let headers = headers.iter().map(|(name, value)| (name.clone(), long(value))).collect();
        let body = body.clone().into_bytes();
        // Longer than Traefik waits is never.
        let delay = if *delay > PATIENCE { Duration::MAX } else { *delay * SECOND };
        world.auth.answers(Answer::Response { status: *status, headers, body, delay });
    }
    let mut headers = vec![("Content-Type", "text/plain"), ("X-Backend", "yes")];
    headers.extend(case.backend_cookies.iter().map(|cookie| ("Set-Cookie", cookie.as_str())));
    world.backend.answers(Answer::new(200, &headers, "backend back"));
}

impl Request {
    /// As seen, but that Traefik asks for gzip on its own when the client did not say: the gateway does not unpack,
    /// so it does not ask.
    fn without_compression(&self, asked: bool) -> Seen {
        let own = |(name, value): &&(String, String)| !asked && name == "Accept-Encoding" && value == "gzip";
        let headers = self.headers.iter().filter(|header| !own(header)).cloned().collect();
        Seen { line: self.line.clone(), headers, body: self.body.clone().into_bytes() }
    }
}

impl Recorded {
    fn got(&self) -> Got {
        let Self { status_line, headers, body } = self;
        let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
        Got { status, status_line: status_line.clone(), headers: headers.clone(), body: body.clone() }
    }
}
