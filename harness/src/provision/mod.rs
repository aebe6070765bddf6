//! Provisioning: the deployment made in an Authentik, by its REST API alone.

mod api;
mod apps;
mod outpost;
mod people;
mod served;
mod services;
mod setup;

use std::collections::BTreeMap;

use ssoproof_deployment::Deployment;
use ssoproof_embedded::dial::Client;

pub(crate) use served::{answers, served, served_behind_gateway};
pub use setup::Setup;
pub(crate) use setup::Touched;

use crate::stacks::{Secrets, StackError};

/// Changes whenever something else is made of the same deployment: snapshots of earlier ones do not fit then.
pub(crate) const REVISION: u32 = 1;

/// The scopes for which Authentik comes with a mapping.
pub(crate) const OWN_SCOPES: [&str; 5] = ["openid", "email", "profile", "offline_access", "entitlements"];

/// The slug of the flow that lets users in without asking.
const AUTHORIZATION: &str = "default-provider-authorization-implicit-consent";

/// The slugs of the flows that must be there before `deployment` can be made.
pub(crate) fn flows(deployment: &Deployment) -> Vec<&str> {
    let own =
        deployment.providers().into_iter().filter_map(|(_, provider)| provider.invalidation_flow.as_deref());
    own.chain([AUTHORIZATION, deployment.auth.provider_invalidation_flow.as_str()]).collect()
}

/// Makes everything that `deployment` states: groups, users, applications with their providers, keys, bindings,
/// and the embedded outpost's list.
///
/// `base` is where the API answers, without a path: a real Authentik and the embedded one are provisioned alike
/// (`truth/authentik/2026.2.2/01-config-api`).
///
/// # Errors
/// [`StackError::Provision`] with what Authentik said.
pub async fn provision(
    deployment: &Deployment,
    client: Client,
    base: &str,
    secrets: &Secrets,
) -> Result<(), StackError> {
    let api = api::Api::new(client, base, &secrets.admin_token);
    let groups = people::groups(&api, deployment).await?;
    people::users(&api, deployment, &groups, secrets).await?;
    let flows = Flows::find(&api, deployment).await?;
    let proxies = services::make(&api, deployment, &flows, &groups).await?;
    apps::make(&api, deployment, &flows, secrets).await?;
    outpost::list(&api, deployment, proxies).await
}

/// Names to what the API knows them by.
type Keys = BTreeMap<String, String>;

/// The flows that providers refer to, by their pk.
struct Flows {
    authorization: String,
    provider_invalidation: String,
}

impl Flows {
    async fn find(api: &api::Api, deployment: &Deployment) -> Result<Self, StackError> {
        Ok(Self {
            authorization: Self::pk(api, AUTHORIZATION).await?,
            provider_invalidation: Self::pk(api, &deployment.auth.provider_invalidation_flow).await?,
        })
    }

    async fn pk(api: &api::Api, slug: &str) -> Result<String, StackError> {
        api.only(&format!("flows/instances/?slug={slug}"), "pk").await
    }
}
