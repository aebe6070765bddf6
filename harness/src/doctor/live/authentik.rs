//! DOC-L09, DOC-L10: Authentik's API: what is set up there, and the versions of server and workers.

use secrecy::SecretString;
use serde_json::{Value, json};
use ssoproof_deployment::Source;

use super::ask::{Ask, told};
use crate::doctor::blueprint::Blueprint;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::subject::Subject;

const NO_API: Code = Code { id: "DOC-L09", title: "Authentik's API does not answer", diagnosis: None };
const VERSION: Code = Code {
    id: "DOC-L10",
    title: "Another version of Authentik runs than the deployment says",
    diagnosis: None,
};

/// What is looked at.
const LISTS: [&str; 4] =
    ["providers/proxy/", "providers/oauth2/", "core/applications/", "outposts/instances/"];
/// The most pages of a list that are read.
const MOST_PAGES: usize = 100;

/// Takes what is set up in Authentik for the rules, unless a file says it.
pub(super) async fn set_up(subject: &mut Subject, ask: &Ask, token: &SecretString) -> Option<Finding> {
    if subject.blueprint.is_some() {
        return None;
    }
    let base = subject.deployment.auth.url.trim_end_matches('/').to_owned();
    let mut all = serde_json::Map::new();
    for list in LISTS {
        match pages(ask, &format!("{base}/api/v3/{list}"), token).await {
            Ok(found) => drop(all.insert(list.to_owned(), Value::Array(found))),
            Err(said) => return Some(silent(&format!("{base}/api/v3/{list}"), said)),
        }
    }
    // A client's secret is nobody's business.
    for provider in all.values_mut().filter_map(Value::as_array_mut).flatten() {
        if let Some(secret) = provider.get_mut("client_secret") {
            *secret = json!("…");
        }
    }
    let text = format!("{:#}", Value::Object(all));
    subject.blueprint = Blueprint::parse(Source::inline("Authentik's API", &text)).ok();
    None
}

/// Every member of a list of Authentik's API.
pub(crate) async fn pages(ask: &Ask, url: &str, token: &SecretString) -> Result<Vec<Value>, String> {
    let (mut found, mut page) = (Vec::new(), 1);
    while page <= MOST_PAGES {
        let answer = ask.json(&format!("{url}?page_size=100&page={page}"), Some(token)).await?;
        found.extend(answer["results"].as_array().cloned().unwrap_or_default());
        match answer["pagination"]["next"].as_f64() {
            Some(next) if next > page as f64 => page += 1,
            _ => break,
        }
    }
    Ok(found)
}

fn silent(url: &str, said: String) -> Finding {
    told(&NO_API, Severity::Error, "Authentik's API does not answer".to_owned(), url, said)
        .because("what is set up in Authentik, and its version, are not looked at")
        .fix("give a token of a user who may read, with the intent `api`")
}

/// Compares the versions of server and workers with the deployment's.
pub(super) async fn versions(subject: &Subject, ask: &Ask, token: &SecretString) -> Vec<Finding> {
    let base = subject.deployment.auth.url.trim_end_matches('/');
    let url = format!("{base}/api/v3/admin/version/");
    let Ok(answer) = ask.json(&url, Some(token)).await else { return Vec::new() };
    let Some(running) = answer["version_current"].as_str() else { return Vec::new() };
    let mut found = Vec::new();
    let said = subject.deployment.versions.authentik.as_str();
    if subject.stated.is_some() && running != said && !running.starts_with(&format!("{said}.")) {
        let message = format!("Authentik {running} runs, and the deployment says {said}");
        found.push(
            told(&VERSION, Severity::Warning, message, &url, running.to_owned())
                .because("what is checked is how the version of the deployment behaves")
                .fix(format!("write the version that runs, and see `ssoproof diff --from authentik={said}`")),
        );
    }
    // Newer versions list workers at one path, older ones at the other.
    for path in ["tasks/workers/", "admin/workers/"] {
        let url = format!("{base}/api/v3/{path}");
        let Ok(Value::Array(workers)) = ask.json(&url, Some(token)).await else { continue };
        let other = workers.iter().find(|worker| worker["version_matching"] == json!(false));
        if let Some(worker) = other {
            let version = worker["version"].as_str().unwrap_or("another version");
            let message = format!("a worker runs {version}, and the server {running}");
            found.push(
                told(&VERSION, Severity::Warning, message, &url, version.to_owned())
                    .because("server and workers share a database, whose shape is that of one version")
                    .fix("run the same image for server and worker"),
            );
        }
        break;
    }
    found
}
