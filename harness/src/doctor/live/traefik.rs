//! DOC-L01 to DOC-L03: Traefik's API.

use serde_json::Value;
use ssoproof_deployment::traefik::unqualified;
use url::Url;

use super::ask::{Ask, told};
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::subject::Subject;
use crate::stacks::{traefik_list, without_credentials};

const NO_API: Code = Code { id: "DOC-L01", title: "Traefik's API does not answer", diagnosis: None };
const DIFFERS: Code = Code {
    id: "DOC-L02",
    title: "Traefik runs another configuration than its files say",
    diagnosis: Some("SSO-R01"),
};
const VERSION: Code =
    Code { id: "DOC-L03", title: "Another version runs than the deployment says", diagnosis: None };

/// The fields of a router that decide.
const FIELDS: [&str; 5] = ["rule", "service", "middlewares", "status", "priority"];

/// Compares what runs with what the files say.
pub(super) async fn routers(subject: &Subject, ask: &Ask, api: &Url) -> Vec<Finding> {
    let mut found: Vec<Finding> = version(subject, ask, api).await.into_iter().collect();
    let shown = without_credentials(api);
    let live = match traefik_list(&ask.client, api, "routers").await {
        Ok(live) => live,
        Err(error) => {
            let message = "Traefik's API does not answer".to_owned();
            found.push(
                told(&NO_API, Severity::Error, message, shown.as_str(), error.to_string())
                    .fix("look at `--traefik-api`"),
            );
            return found;
        }
    };
    let Some(routing) = &subject.routing else { return found };
    let config = routing.config();
    let otherwise = |message: String| {
        told(&DIFFERS, Severity::Error, message, shown.as_str(), "the list of routers".to_owned())
            .because("Traefik keeps what it had when a file is bad, and it may read another folder")
            .fix("look at Traefik's log for the file that it refuses")
    };
    let Value::Array(said) = config.api_routers(routing.profile()) else { return found };
    let named = |list: &'_ [Value], name: &Value| list.iter().find(|one| one["name"] == *name).cloned();
    for router in &said {
        let name = router["name"].as_str().unwrap_or_default();
        let message = match named(&live, &router["name"]) {
            None => format!("router `{name}` of the files does not run"),
            Some(running) => {
                let differs = |field: &&&str| plain(&running, field) != plain(router, field);
                let fields: Vec<String> = FIELDS
                    .iter()
                    .filter(differs)
                    .map(|field| {
                        format!("{field} is {} and the files say {}", running[*field], router[*field])
                    })
                    .collect();
                if fields.is_empty() {
                    continue;
                }
                format!("router `{name}` runs otherwise: {}", fields.join("; "))
            }
        };
        let mut finding = otherwise(message);
        finding.at = config.router(name).map(|router| router.at().clone());
        found.push(finding);
    }
    let more = live.iter().filter(|one| one["provider"] == "file" && named(&said, &one["name"]).is_none());
    for router in more {
        let message = format!("router {} runs, and no file has it", router["name"]);
        found.push(otherwise(message));
    }
    found
}

/// A field, absent where it is empty.
fn plain(router: &Value, field: &str) -> Value {
    match &router[field] {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::String(text) => Value::String(unqualified(text).to_owned()),
        other => other.clone(),
    }
}

async fn version(subject: &Subject, ask: &Ask, api: &Url) -> Option<Finding> {
    let url = format!(
        "{}/api/version",
        without_credentials(api).as_str().trim_end_matches('/').trim_end_matches("/api")
    );
    let running = ask.json(&url, None).await.ok()?;
    let running = running["Version"].as_str()?.trim_start_matches('v').to_owned();
    let said = subject.deployment.versions.traefik.as_str();
    let same = running == said || running.starts_with(&format!("{said}."));
    (!same).then(|| {
        let message = format!("Traefik {running} runs, and the deployment says {said}");
        told(&VERSION, Severity::Warning, message, &url, running.clone())
            .because("what is checked is how the version of the deployment behaves")
            .fix(format!("write the version that runs, and see `ssoproof diff --from traefik={said} --to traefik={running}`"))
    })
}
