//! Recordings 6 to 8: files that change while the gateway runs, and what it starts with.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use ssoproof_deployment::traefik::Profile;
use ssoproof_embedded::gateway::Gateway;
use ssoproof_embedded::logs::Logs;

use super::client::get;
use super::config::{Api, Asked};
use super::data::{addressed, cases};
use super::stub::Answer;
use super::world::{World, settings};
use crate::recording::Played;

const LIMIT: Duration = Duration::from_secs(10);
const MALFORMED: &str = "http:\n  routers:\n   - [unclosed";
const MIDDLEWARES: &str = "  middlewares:\n    authentik: {forwardAuth: {address: \"http://<auth>/a\", authResponseHeaders: [X-authentik-username]}}\n";
const SERVICES: &str = "  services:\n    back: {loadBalancer: {servers: [{url: \"http://<backend>\"}]}}\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// The statuses it may end in. A file rewritten in place may be read while it is empty, so there are two.
    #[serde(default)]
    ends: Vec<u16>,
    /// What is asked at the start and once the files were mended.
    #[serde(default)]
    asked: Vec<Asked>,
    /// What the API shows at the end; not where there are two.
    api: Option<Api>,
    /// Whether the exchange is not had again.
    #[serde(default)]
    unsent: bool,
}

/// What is done to the files.
enum Act {
    /// A file is put in the place of another at once.
    Put(&'static str, String),
    /// The same, from another file of the folder.
    PutFrom(&'static str, String),
    /// A file is written over.
    Rewrite(String),
    /// A file is emptied, then written in pieces.
    Pieces(String),
    Delete(&'static str),
}

/// Has every exchange again.
pub(crate) fn play(version: &str, name: &str) -> Vec<Played> {
    crate::run::block_on(async {
        let mut played = Vec::new();
        for (request, case) in cases::<Case>(version, name) {
            let differences = match &case {
                Case { unsent: true, .. } => vec!["not done here".to_owned()],
                Case { asked, .. } if asked.is_empty() => changed(version, &request, &case).await,
                _ => started(version, &request, &case).await,
            };
            played.push(Played { at: played.len(), request, differences });
        }
        played
    })
}

fn router(middlewares: &str) -> String {
    format!("  routers:\n    app: {{rule: \"Host(`app.test`)\", service: back{middlewares}}}\n")
}

/// The file that asks the auth server.
fn closed() -> String {
    format!("http:\n{MIDDLEWARES}{}{SERVICES}", router(", middlewares: [authentik@file]"))
}

/// The file that lets everybody in.
fn open() -> String {
    format!("http:\n{MIDDLEWARES}{}{SERVICES}", router(""))
}

fn acts(case: &str) -> Vec<Act> {
    let malformed = || MALFORMED.to_owned();
    let half = || closed()[..closed().len() / 2].to_owned();
    match case {
        "rewrite_in_place_open" | "inplace_open" => vec![Act::Rewrite(open())],
        "rewrite_atomic_rename" | "rename_open" => vec![Act::Put("a.yml", open())],
        "malformed_replace" | "inplace_malformed" => vec![Act::Rewrite(malformed())],
        "rename_malformed" => vec![Act::Put("a.yml", malformed())],
        "samedir_tmp_rename" => vec![Act::PutFrom("a.tmp", open())],
        "samedir_yml_tmp_rename" => vec![Act::PutFrom("tmp.yml", open())],
        "half_written" => vec![Act::Rewrite(half())],
        "half_written_valid_yaml" => vec![Act::Put("a.yml", closed().replace(SERVICES, ""))],
        "truncated_after_routers_mwless" => vec![Act::Put("a.yml", closed().replace(MIDDLEWARES, ""))],
        "emptied" => vec![Act::Rewrite(String::new())],
        "deleted" => vec![Act::Delete("a.yml")],
        "slow_write" => vec![Act::Pieces(open())],
        "new_bad_file_added" => vec![Act::Put("z.yml", malformed())],
        "edit_good_while_bad_present" => {
            vec![Act::Put("z.yml", malformed()), Act::Put("a.yml", open())]
        }
        "bad_removed" => {
            vec![Act::Put("z.yml", malformed()), Act::Put("a.yml", open()), Act::Delete("z.yml")]
        }
        "many_writes_throttle" => {
            let written = (0..11).map(|index| Act::Put("a.yml", format!("{}# {index}\n", closed())));
            written.chain([Act::Put("a.yml", open())]).collect()
        }
        other => panic!("no acts for `{other}`"),
    }
}

impl Act {
    fn done(&self, world: &World) {
        let path = |name: &str| world.folder.path().join(name);
        match self {
            Self::Put(name, text) => world.put(name, &addressed(text, world)),
            Self::PutFrom(name, text) => {
                std::fs::write(path(name), addressed(text, world)).unwrap();
                std::fs::rename(path(name), path("a.yml")).unwrap();
            }
            Self::Rewrite(text) => std::fs::write(path("a.yml"), addressed(text, world)).unwrap(),
            Self::Pieces(text) => {
                let mut file = std::fs::File::create(path("a.yml")).unwrap();
                for piece in addressed(text, world).as_bytes().chunks(40) {
                    std::io::Write::write_all(&mut file, piece).unwrap();
                }
            }
            Self::Delete(name) => std::fs::remove_file(path(name)).unwrap(),
        }
    }
}

/// Starts a gateway that watches the files of `world`.
async fn gateway(version: &str, world: &World) -> (Gateway, Logs) {
    let mut settings = settings(world.folder.path());
    settings.profile = Profile::for_version(version);
    settings.throttle = Duration::from_millis(20);
    settings.https.name = "unused".to_owned();
    let logs = settings.logs.clone();
    (Gateway::start(settings).await.unwrap(), logs)
}

async fn world() -> World {
    let world = World::new().await;
    world.auth.answers(Answer::new(401, &[], "denied"));
    world
}

async fn status(gateway: &Gateway) -> u16 {
    get(gateway.http(), "app.test", "/").await.status
}

/// Changes the files and waits until what comes of it has come: a status, or, where all stays as it was, the refusal
/// of the files in the log.
async fn changed(version: &str, name: &str, case: &Case) -> Vec<String> {
    let world = world().await;
    world.put("a.yml", &addressed(&closed(), &world));
    let (gateway, logs) = gateway(version, &world).await;
    let before = status(&gateway).await;
    if before != 401 {
        return vec![format!("status at first: {before}")];
    }
    let acts = acts(name);
    acts.iter().for_each(|act| act.done(&world));
    let refused = case.ends.contains(&401);
    let refusal = |line: &String| line.contains("Error while building configuration");
    let settled = async {
        loop {
            let here = status(&gateway).await;
            let told = logs.tail("traefik", 1_000).iter().any(refusal);
            if case.ends.contains(&here) && (!refused || told) {
                return;
            }
        }
    };
    if tokio::time::timeout(LIMIT, settled).await.is_err() {
        return vec![format!(
            "status after {LIMIT:?}: {}, recorded: {:?}",
            status(&gateway).await,
            case.ends
        )];
    }
    let shown = |api: &Api| [api.routers(&gateway, &world), api.middlewares(&gateway, &world)].concat();
    case.api.as_ref().map(shown).unwrap_or_default()
}

/// Starts on files, asks, mends them and asks again.
async fn started(version: &str, name: &str, case: &Case) -> Vec<String> {
    let world = world().await;
    let files = match name {
        "start_malformed" => BTreeMap::from([("a.yml", MALFORMED.to_owned())]),
        "start_one_bad" => BTreeMap::from([("a.yml", closed()), ("b.yml", MALFORMED.to_owned())]),
        "start_empty_dir" => BTreeMap::new(),
        other => panic!("no files for `{other}`"),
    };
    for (file, text) in files {
        world.put(file, &addressed(&text, &world));
    }
    let (gateway, _) = gateway(version, &world).await;
    let mut found = case.asked[0].replay(&gateway, &world).await;
    if let Some(api) = &case.api {
        found.extend(api.routers(&gateway, &world));
        found.extend(api.middlewares(&gateway, &world));
    }
    if let Some(asked) = case.asked.get(1) {
        world.put("a.yml", &addressed(&closed(), &world));
        let mended = gateway.wait_for(LIMIT, |config| config.router("app").is_some()).await;
        if mended.is_err() {
            found.push("the mended files were not taken".to_owned());
        }
        found.extend(asked.replay(&gateway, &world).await);
    }
    found
}
