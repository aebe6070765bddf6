//! Groups and users.

use futures::future::try_join_all;
use secrecy::ExposeSecret as _;
use serde_json::json;
use ssoproof_deployment::Deployment;
use url::form_urlencoded;

use super::Keys;
use super::api::{Api, text};
use crate::stacks::{Secrets, StackError};

/// Makes the groups; returns their pks by name.
pub(super) async fn groups(api: &Api, deployment: &Deployment) -> Result<Keys, StackError> {
    let made = deployment.groups.iter().map(|group| async move {
        let made = api.post("core/groups/", &json!({ "name": **group, "is_superuser": false })).await;
        let pk = match made {
            Ok(answer) => text(&answer, "pk"),
            // Authentik comes with groups of its own.
            Err(error) => {
                let query =
                    form_urlencoded::Serializer::new(String::new()).append_pair("name", group).finish();
                api.only(&format!("core/groups/?{query}"), "pk").await.map_err(|_| error)?
            }
        };
        Ok::<_, StackError>((group.value.clone(), pk))
    });
    Ok(try_join_all(made).await?.into_iter().collect())
}

/// Makes the personas' users and sets their passwords.
pub(super) async fn users(
    api: &Api,
    deployment: &Deployment,
    groups: &Keys,
    secrets: &Secrets,
) -> Result<(), StackError> {
    let made = deployment.personas.iter().map(|(name, persona)| async move {
        let member_of: Vec<&String> =
            persona.groups.iter().filter_map(|group| groups.get(group.as_str())).collect();
        let user = json!({
            "username": *persona.username, "name": persona.name, "email": persona.email,
            "is_active": persona.active, "type": "internal", "path": "users", "groups": member_of,
        });
        let answer = api.post("core/users/", &user).await?;
        if let Some(password) = secrets.passwords.get(name) {
            let path = format!("core/users/{}/set_password/", text(&answer, "pk"));
            api.post(&path, &json!({ "password": password.expose_secret() })).await?;
        }
        Ok::<_, StackError>(())
    });
    try_join_all(made).await.map(drop)
}
