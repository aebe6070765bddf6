//! Services behind forward auth: proxy provider, application, bindings.

use futures::future::try_join_all;
use serde_json::{Value, json};
use ssoproof_deployment::Deployment;

use super::api::{Api, text};
use super::{Flows, Keys};
use crate::stacks::StackError;

/// Makes them; returns the pks of the providers that belong to the embedded outpost.
pub(super) async fn make(
    api: &Api,
    deployment: &Deployment,
    flows: &Flows,
    groups: &Keys,
) -> Result<Vec<Value>, StackError> {
    let made = deployment.services.iter().map(|(slug, service)| async move {
        let provider = json!({
            "name": slug, "authorization_flow": flows.authorization,
            "invalidation_flow": flows.provider_invalidation,
            "mode": "forward_single", "external_host": *service.url,
        });
        let provider = api.post("providers/proxy/", &provider).await?["pk"].clone();
        let application = json!({
            "name": service.title, "slug": slug, "provider": provider, "meta_launch_url": *service.url,
        });
        let application = text(&api.post("core/applications/", &application).await?, "pk");
        for (order, group) in service.allow.iter().enumerate() {
            let binding = json!({
                "target": application, "group": groups.get(group.as_str()), "order": order,
                "enabled": true, "negate": false, "timeout": 30,
            });
            api.post("policies/bindings/", &binding).await?;
        }
        Ok::<_, StackError>(service.in_outpost.then_some(provider))
    });
    Ok(try_join_all(made).await?.into_iter().flatten().collect())
}
