//! Recordings of one version, played against forks of the state that the recorded set-up leaves.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};
use ssoproof_embedded::authentik::{Authentik, Profile, State};

use super::bindings::Bindings;
use super::compare::differences;
use super::read::{Exchange, Shared, Worker};
use super::stack::{Asked, Stack, TOKEN};
use crate::recording::Played;

/// The recordings that set the state up; they overlap in time.
const SET_UP: [&str; 3] = ["01-config-api", "02-config-errors", "03-outpost-before-after-providers"];

/// The recordings of the first logins, after which every user has a last login.
const LOGINS: [&str; 4] = ["20-login-alice", "20-login-bob", "20-login-carol", "20-login-mallory"];

/// The recording whose user was made by requests that were not recorded.
const MADE_UNSEEN: &str = "55-user-deleted";

/// Flows that recorded requests name without an answer that named them.
const FLOWS: [&str; 1] = ["default-invalidation-flow"];

/// Plays the recordings of one version.
pub(super) struct Player {
    profile: Profile,
    shared: Shared,
    set_up: OnceLock<SetUp>,
}

/// What the set-up left.
struct SetUp {
    state: State,
    bindings: Bindings,
    played: BTreeMap<&'static str, Vec<Played>>,
}

impl Player {
    pub(super) fn new(profile: Profile) -> Self {
        Self { profile, shared: Shared::read(), set_up: OnceLock::new() }
    }

    /// Plays the recording `name`.
    pub(super) fn play(&self, name: &str) -> Vec<Played> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let set_up = self.set_up.get_or_init(|| runtime.block_on(self.set_up()));
        if let Some(played) = set_up.played.get(name) {
            return played.clone();
        }
        runtime.block_on(async {
            let stack = Stack::start(self.profile.clone(), Some(set_up.state.clone())).await;
            self.recording(&stack, set_up.bindings.clone(), name).await
        })
    }

    /// Plays a recording against `stack`.
    async fn recording(&self, stack: &Stack, mut bindings: Bindings, name: &str) -> Vec<Played> {
        let file = self.shared.recording(self.profile.version, name);
        bindings.tokens.extend(file.tokens);
        bindings.bind("address", &stack.authentik.address().to_string());
        if name == MADE_UNSEEN {
            make_unseen(stack, &mut bindings, &file.exchanges).await;
        }
        let mut played = Vec::new();
        for (at, exchange) in file.exchanges.iter().enumerate() {
            played.push(one(stack, &mut bindings, at, exchange).await);
        }
        played
    }

    async fn set_up(&self) -> SetUp {
        let stack = Stack::start(self.profile.clone(), None).await;
        let (bindings, mut played) = self.provision(&stack).await;
        for name in LOGINS {
            played.insert(name, self.recording(&stack, bindings.clone(), name).await);
        }
        // Those sessions were over when the later recordings began.
        let path = "core/authenticated_sessions/";
        let sessions = admin(&stack, "GET", path, Value::Null).await;
        for session in sessions["results"].as_array().expect("a list") {
            let key = session["uuid"].as_str().expect("a key");
            admin(&stack, "DELETE", &format!("{path}{key}/"), Value::Null).await;
        }
        SetUp { state: stack.authentik.state(), bindings, played }
    }

    /// Plays the set-up against a fresh stack.
    async fn provision(&self, stack: &Stack) -> (Bindings, BTreeMap<&'static str, Vec<Played>>) {
        let mut bindings = Bindings::default();
        bindings.bind("address", &stack.authentik.address().to_string());
        // The recorded program was started with this address for its first user.
        let me = admin(stack, "GET", "core/users/me/", Value::Null).await;
        let path = format!("core/users/{}/", me["user"]["pk"]);
        admin(stack, "PATCH", &path, json!({ "email": "admin@spacemusic.tv" })).await;
        let mut exchanges = Vec::new();
        for name in SET_UP {
            let file = self.shared.recording(self.profile.version, name);
            bindings.tokens.extend(file.tokens);
            exchanges
                .extend(file.exchanges.into_iter().enumerate().map(|(at, exchange)| (name, at, exchange)));
        }
        exchanges.sort_by_key(|(_, _, exchange)| exchange.order);
        let mut played: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, at, exchange) in exchanges {
            played.entry(name).or_default().push(one(stack, &mut bindings, at, &exchange).await);
        }
        for slug in FLOWS {
            let flows = admin(stack, "GET", &format!("flows/instances/?slug={slug}"), Value::Null).await;
            let key = flows["results"][0]["pk"].as_str().expect("a key");
            bindings.bind(&format!("flow:{slug}"), key);
        }
        (bindings, played)
    }
}

/// A fresh Authentik once the recorded set-up was done to it.
#[allow(dead_code, reason = "for the tests of other versions and of the store")]
pub(crate) async fn provisioned(authentik: Authentik, profile: Profile) -> Authentik {
    let stack = Stack::around(authentik).await;
    Player::new(profile).provision(&stack).await;
    stack.authentik
}

/// The recording `name`, played against a fresh Authentik after the set-up.
#[allow(dead_code, reason = "for the tests of the store")]
pub(crate) async fn played_on(authentik: Authentik, profile: Profile, name: &str) -> Vec<Played> {
    let stack = Stack::around(authentik).await;
    let player = Player::new(profile);
    let (bindings, _) = player.provision(&stack).await;
    player.recording(&stack, bindings, name).await
}

/// Calls the API with the recorded token.
async fn admin(stack: &Stack, method: &str, path: &str, body: Value) -> Value {
    let header = |name: &str, value: String| (name.to_owned(), value);
    let asked = Asked {
        method: method.to_owned(),
        url: format!("https://auth.spacemusic.tv/api/v3/{path}"),
        headers: vec![
            header("Authorization", format!("Bearer {TOKEN}")),
            header("Content-Type", "application/json".to_owned()),
        ],
        body: if body.is_null() { String::new() } else { body.to_string() },
    };
    let answered = stack.send(&asked, false).await.expect("an answer");
    assert!(answered.response.status().is_success(), "{method} {path}: {:?}", answered.response);
    serde_json::from_slice(answered.response.body()).unwrap_or_default()
}

/// Makes the user whose login `exchanges` hold.
async fn make_unseen(stack: &Stack, bindings: &mut Bindings, exchanges: &[Exchange]) {
    let posted = |member: &str| {
        let sent = exchanges.iter().filter_map(|exchange| serde_json::from_str::<Value>(&exchange.body).ok());
        let mut found = sent.filter_map(|body| Some(body.get(member)?.as_str()?.to_owned()));
        found.next().expect("the recording logs in")
    };
    let user = json!({ "username": posted("uid_field"), "name": "Temp" });
    let made = admin(stack, "POST", "core/users/", user).await;
    let key = made["pk"].to_string();
    let password = json!({ "password": posted("password") });
    admin(stack, "POST", &format!("core/users/{key}/set_password/"), password).await;
    bindings.bind("user:unseen", &key);
}

/// Has one exchange again.
async fn one(stack: &Stack, bindings: &mut Bindings, at: usize, exchange: &Exchange) -> Played {
    match exchange.worker {
        Some(Worker::Stopped) => stack.authentik.stop_worker(),
        Some(Worker::Running) => stack.authentik.continue_worker(),
        None => {}
    }
    let differences = match filled(bindings, exchange) {
        Err(unknown) => vec![unknown],
        Ok(asked) => match stack.send(&asked, exchange.direct).await {
            Ok(answered) => differences(bindings, exchange, &answered),
            Err(broken) => vec![broken],
        },
    };
    Played { at, request: exchange.request.clone(), differences }
}

/// The request with the values that this run's answers gave.
fn filled(bindings: &Bindings, exchange: &Exchange) -> Result<Asked, String> {
    let (method, url) = exchange.request.split_once(' ').expect("a method and a URL");
    let header = |(name, value): &(String, String)| Ok((name.clone(), bindings.fill(value)?));
    Ok(Asked {
        method: method.to_owned(),
        url: bindings.fill(url)?,
        headers: exchange.headers.iter().map(header).collect::<Result<_, String>>()?,
        body: bindings.fill(&exchange.body)?,
    })
}
