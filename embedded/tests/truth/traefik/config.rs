//! Recording 5: sets of files, the requests made with them, and what the API shows of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use ssoproof_deployment::traefik::Profile;
use ssoproof_embedded::gateway::Gateway;

use super::client::get;
use super::data::{addressed, cases};
use super::normal::{differences, named};
use super::stub::{Answer, Stub};
use super::world::{World, settings};
use crate::recording::Played;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    files: BTreeMap<String, String>,
    /// The files that were written when the others were loaded already.
    #[serde(default)]
    late: Vec<String>,
    answers: Vec<Asked>,
    api: Api,
    /// Single pages of the API; without what they show when that is not compared.
    #[serde(default)]
    one: BTreeMap<String, Option<Value>>,
    /// Why the files were not taken, with the file.
    #[serde(default)]
    refused: Vec<String>,
}

/// A request and who saw it.
#[derive(Deserialize)]
pub(crate) struct Asked {
    /// `GET / Host:app.test []`.
    pub(crate) request: String,
    status: u16,
    body: String,
    auth_calls: Vec<String>,
    backend: Vec<String>,
    outpost: Vec<String>,
}

/// The lists of the API.
#[derive(Deserialize)]
pub(crate) struct Api {
    routers: Vec<Value>,
    middlewares: Vec<Value>,
}

/// Has every exchange again.
pub(crate) fn play(version: &str, name: &str) -> Vec<Played> {
    crate::run::block_on(async {
        let mut played = Vec::new();
        for (name, case) in cases::<Case>(version, name) {
            for (request, differences) in replay(version, &case).await {
                played.push(Played { at: played.len(), request: format!("{name}: {request}"), differences });
            }
        }
        played
    })
}

async fn replay(version: &str, case: &Case) -> Vec<(String, Vec<String>)> {
    let world = World::new().await;
    world.auth.answers(Answer::new(401, &[], "denied"));
    let put = |late: bool| {
        for (file, text) in case.files.iter().filter(|(file, _)| case.late.contains(file) == late) {
            world.put(file, &addressed(text, &world));
        }
    };
    put(false);
    let mut settings = settings(world.folder.path());
    settings.profile = Profile::for_version(version);
    settings.watch = false;
    settings.https.name = "unused".to_owned();
    let gateway = Gateway::start(settings).await.unwrap();
    put(true);
    let reloaded = gateway.reload();
    let mut had = Vec::new();
    for asked in &case.answers {
        had.push((asked.request.clone(), asked.replay(&gateway, &world).await));
    }
    had.push(("GET /api/http/routers".to_owned(), case.api.routers(&gateway, &world)));
    had.push(("GET /api/http/middlewares".to_owned(), case.api.middlewares(&gateway, &world)));
    for (path, recorded) in &case.one {
        had.push((format!("GET {path}"), one(&gateway, &world, path, recorded.as_ref())));
    }
    if !case.refused.is_empty() || reloaded.is_err() {
        let here: Vec<_> = reloaded
            .err()
            .map(|rejected| {
                let position = rejected.position.unwrap_or_default();
                let file = position.rsplit('/').next().and_then(|name| name.split(':').next());
                format!("{}: {}", file.unwrap_or_default(), rejected.message)
            })
            .into_iter()
            .collect();
        had.push(("log".to_owned(), differences("log", &here, &case.refused)));
    }
    had
}

impl Asked {
    /// Asks again.
    pub(crate) async fn replay(&self, gateway: &Gateway, world: &World) -> Vec<String> {
        let mut words = self.request.split(' ');
        let path = words.nth(1).unwrap();
        let host = words.next().unwrap().strip_prefix("Host:").unwrap();
        let got = get(gateway.http(), host, path).await;
        let here = [got.status.to_string(), named(&got.body, world)];
        let mut found = differences("client", &here, &[self.status.to_string(), self.body.clone()]);
        for (who, stub, recorded) in [
            ("auth server", &world.auth, &self.auth_calls),
            ("backend", &world.backend, &self.backend),
            ("outpost", &world.outpost, &self.outpost),
        ] {
            found.extend(differences(who, &lines(stub), recorded));
        }
        found
    }
}

impl Api {
    /// Where the list of routers is not the recorded one.
    pub(crate) fn routers(&self, gateway: &Gateway, world: &World) -> Vec<String> {
        differences("API", &shown(&gateway.api_routers(), world), &shown_recorded(&self.routers))
    }

    /// Where the list of middlewares is not the recorded one.
    pub(crate) fn middlewares(&self, gateway: &Gateway, world: &World) -> Vec<String> {
        differences("API", &shown(&gateway.api_middlewares(), world), &shown_recorded(&self.middlewares))
    }
}

fn one(gateway: &Gateway, world: &World, path: &str, recorded: Option<&Value>) -> Vec<String> {
    let list = match path {
        _ if path.starts_with("/api/http/routers/") => gateway.api_routers(),
        _ if path.starts_with("/api/http/middlewares/") => gateway.api_middlewares(),
        _ => Value::Null,
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    let found = list.as_array().into_iter().flatten().find(|item| item["name"] == name);
    match (found, recorded) {
        (Some(found), Some(recorded)) => {
            let here = shown(&Value::Array(vec![found.clone()]), world);
            differences("API", &here, &shown_recorded(std::slice::from_ref(recorded)))
        }
        _ => vec!["API: no such page here".to_owned()],
    }
}

fn lines(stub: &Stub) -> Vec<String> {
    stub.take().into_iter().map(|seen| seen.line).collect()
}

/// A list of the API by name. The recorded program had one entry point, the gateway always has two.
fn shown(list: &Value, world: &World) -> Vec<String> {
    let mut items: Vec<Value> = serde_json::from_str(&named(&list.to_string(), world)).unwrap();
    for item in &mut items {
        for list in ["entryPoints", "using"] {
            if let Some(Value::Array(names)) = item.get_mut(list) {
                names.retain(|name| name != "unused");
            }
        }
    }
    shown_recorded(&items)
}

fn shown_recorded(items: &[Value]) -> Vec<String> {
    let mut items: Vec<String> = items.iter().map(|item| sorted(item).to_string()).collect();
    items.sort();
    items
}

/// The same with its fields in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> =
                fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
