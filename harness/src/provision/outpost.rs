//! The embedded outpost: which providers it serves, and where it sends browsers.

use serde_json::{Value, json};
use ssoproof_deployment::Deployment;

use super::api::{Api, text};
use crate::stacks::StackError;

/// Adds `providers` to the embedded outpost and tells it the public URL.
pub(super) async fn list(
    api: &Api,
    deployment: &Deployment,
    providers: Vec<Value>,
) -> Result<(), StackError> {
    let path = "outposts/instances/?managed__iexact=goauthentik.io%2Foutposts%2Fembedded";
    let found = api.get(path).await?;
    let outpost = &found["results"][0];
    if outpost.is_null() {
        return Err(StackError::Provision {
            what: path.to_owned(),
            reason: "no embedded outpost".to_owned(),
        });
    }
    let mut config = outpost["config"].clone();
    config["authentik_host"] = Value::String(deployment.auth.url.value.clone());
    let path = format!("outposts/instances/{}/", text(outpost, "pk"));
    api.patch(&path, &json!({ "providers": providers, "config": config })).await.map(drop)
}
