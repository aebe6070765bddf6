//! Services and domains behind forward auth: proxy provider, application, bindings.

use futures::future::try_join_all;
use serde_json::{Value, json};
use ssoproof_deployment::{Deployment, Located};

use super::api::{Api, text};
use super::{Flows, Keys};
use crate::stacks::StackError;

/// A proxy provider with its application.
struct Proxy<'a> {
    slug: &'a str,
    title: &'a str,
    /// Mode and hosts, as the API takes them.
    mode: Value,
    allow: &'a [Located<String>],
    in_outpost: bool,
}

/// Makes them; returns the pks of the providers that belong to the embedded outpost.
pub(super) async fn make(
    api: &Api,
    deployment: &Deployment,
    flows: &Flows,
    groups: &Keys,
) -> Result<Vec<Value>, StackError> {
    let alone = deployment.services.iter().filter(|(_, service)| service.domain.is_none());
    let alone = alone.map(|(slug, service)| Proxy {
        slug,
        title: &service.title,
        mode: json!({ "mode": "forward_single", "external_host": *service.url }),
        allow: &service.allow,
        in_outpost: service.in_outpost,
    });
    let domains = deployment.domains.iter().map(|(slug, domain)| Proxy {
        slug,
        title: &domain.title,
        mode: json!({
            "mode": "forward_domain", "external_host": *domain.external_host,
            "cookie_domain": *domain.cookie_domain,
        }),
        allow: &domain.allow,
        in_outpost: domain.in_outpost,
    });
    let made = alone.chain(domains).map(|proxy| async move {
        let mut provider = json!({
            "name": proxy.slug, "authorization_flow": flows.authorization,
            "invalidation_flow": flows.provider_invalidation,
        });
        if let (Value::Object(provider), Value::Object(mode)) = (&mut provider, &proxy.mode) {
            provider.extend(mode.clone());
        }
        let provider = api.post("providers/proxy/", &provider).await?["pk"].clone();
        let application = json!({
            "name": proxy.title, "slug": proxy.slug, "provider": provider,
            "meta_launch_url": proxy.mode["external_host"],
        });
        let application = text(&api.post("core/applications/", &application).await?, "pk");
        for (order, group) in proxy.allow.iter().enumerate() {
            let binding = json!({
                "target": application, "group": groups.get(group.as_str()), "order": order,
                "enabled": true, "negate": false, "timeout": 30,
            });
            api.post("policies/bindings/", &binding).await?;
        }
        Ok::<_, StackError>(proxy.in_outpost.then_some(provider))
    });
    Ok(try_join_all(made).await?.into_iter().flatten().collect())
}
