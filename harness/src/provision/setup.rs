//! What is set up in an Authentik, and putting it back.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use ssoproof_deployment::Deployment;
use ssoproof_embedded::dial::Client;

use super::api::{Api, text};
use crate::evidence::{Ledger, only_reads};
use crate::stacks::{Secrets, StackError};

/// The lists of the API that scenarios change, in the order in which their members can be deleted, each with the
/// key that names a member in its path.
const LISTS: [(&str, &str); 10] = [
    ("policies/bindings/", "pk"),
    ("core/applications/", "slug"),
    ("outposts/instances/", "pk"),
    ("providers/proxy/", "pk"),
    ("providers/oauth2/", "pk"),
    ("propertymappings/provider/scope/", "pk"),
    ("crypto/certificatekeypairs/", "pk"),
    ("core/users/", "pk"),
    ("core/groups/", "pk"),
    ("flows/instances/", "slug"),
];

/// Fields that change by themselves or follow from other objects.
const DERIVED: [&str; 10] = [
    "cache_count",
    "children",
    "component",
    "last_login",
    "last_updated",
    "launch_url",
    "outpost_set",
    "password_change_date",
    "token_identifier",
    "users",
];

/// Everything in the lists, by its path.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Setup(BTreeMap<String, Value>);

impl Setup {
    /// Reads what is set up.
    ///
    /// # Errors
    /// [`StackError::Provision`] with what Authentik said.
    pub async fn read(client: Client, base: &str, secrets: &Secrets) -> Result<Self, StackError> {
        Self::list(&Api::new(client, base, &secrets.admin_token)).await
    }

    async fn list(api: &Api) -> Result<Self, StackError> {
        let lists = LISTS.iter().map(async |(list, key)| {
            let mut found = Vec::new();
            let mut page = 1;
            loop {
                let answer = api.get(&format!("{list}?page_size=100&page={page}")).await?;
                let members = answer["results"].as_array().cloned().unwrap_or_default();
                found.extend(
                    members.into_iter().map(|member| (format!("{list}{}/", text(&member, key)), member)),
                );
                match answer["pagination"]["next"].as_f64() {
                    Some(next) if next > f64::from(page) => page += 1,
                    _ => return Ok::<_, StackError>(found),
                }
            }
        });
        let lists = futures::future::try_join_all(lists).await?;
        Ok(Self(lists.into_iter().flatten().collect()))
    }

    /// Deletes what has been added since, sets back what has been changed, and gives personas their passwords again.
    /// With `touched` only what that case has made and changed is looked at: others may work on the same Authentik.
    ///
    /// # Errors
    /// [`StackError::Provision`] with what Authentik said, or with what is gone: that cannot be put back.
    pub(crate) async fn restore(
        &self,
        deployment: &Deployment,
        client: Client,
        base: &str,
        secrets: &Secrets,
        touched: Option<&Touched>,
    ) -> Result<(), StackError> {
        let api = Api::new(client, base, &secrets.admin_token);
        let now = Self::list(&api).await?;
        let made = |path: &String| touched.is_none_or(|touched| touched.made.contains(path));
        let changed = |path: &String, was: &Value| {
            let persona = || deployment.personas.values().any(|one| was["username"] == **one.username);
            // Who is in a group is said by the user, whichever of the two was called.
            touched.is_none_or(|touched| touched.called(path) || persona())
        };
        for (list, _) in LISTS {
            let added = |path: &&String| path.starts_with(list) && !self.0.contains_key(*path) && made(path);
            for path in now.0.keys().filter(added) {
                api.delete(path).await?;
            }
        }
        for (path, was) in self.0.iter().filter(|(path, was)| changed(path, was)) {
            let Some(is) = now.0.get(path) else {
                return Err(StackError::Provision { what: path.clone(), reason: "it is gone".to_owned() });
            };
            if let Some(was) = to_set(was, is) {
                api.patch(path, &Value::Object(was)).await?;
            }
            if was["password_change_date"] != is["password_change_date"] {
                let of = |(name, persona): (&String, &ssoproof_deployment::Persona)| {
                    (was["username"] == **persona.username).then(|| secrets.passwords.get(name))?
                };
                if let Some(password) = deployment.personas.iter().find_map(of) {
                    let body = json!({ "password": password.expose_secret() });
                    api.post(&format!("{path}set_password/"), &body).await?;
                }
            }
        }
        Ok(())
    }
}

/// What a case has made and changed by the API.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    made: BTreeSet<String>,
    calls: BTreeSet<String>,
}

impl Touched {
    /// What `ledger` tells of the API of the Authentik at `base`.
    pub(crate) fn of(ledger: &Ledger, base: &str) -> Self {
        let api = format!("{}/api/v3/", base.trim_end_matches('/'));
        let mut touched = Self::default();
        for hop in &ledger.hops {
            let request = &hop.request;
            let Some(path) = request.url.as_str().strip_prefix(&api) else { continue };
            if only_reads(&request.method) {
                continue;
            }
            let path = path.split(['?', '#']).next().unwrap_or_default();
            touched.calls.insert(path.to_owned());
            let list = LISTS.iter().find(|(list, _)| *list == path);
            if let (Some((list, key)), Some(made)) = (list, hop.response().and_then(|answer| answer.json())) {
                touched.made.insert(format!("{list}{}/", text(&made, key)));
            }
        }
        touched
    }

    /// Whether the object at `path`, or a path below it, was called.
    fn called(&self, path: &str) -> bool {
        self.calls.iter().any(|call| call.starts_with(path))
    }
}

/// What was set, for setting it again as a whole: the API looks at fields together, and a part of an object may be
/// refused. Nothing, when it is as it was.
fn to_set(was: &Value, is: &Value) -> Option<Map<String, Value>> {
    let set = |value: &Value| -> Map<String, Value> {
        let fields = value.as_object().into_iter().flatten();
        fields
            .filter(|(key, _)| !DERIVED.contains(&key.as_str()) && !key.ends_with("_obj"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let was = set(was);
    (was != set(is)).then_some(was)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_others_is_no_change() {
        let was =
            json!({ "name": "Bob", "is_active": true, "last_login": null, "groups": [1], "groups_obj": [1] });
        let is =
            json!({ "name": "Bob", "is_active": true, "last_login": "now", "groups": [1], "groups_obj": [] });
        assert_eq!(to_set(&was, &is), None);
    }

    #[test]
    fn a_change_is_set_back_with_all_that_belongs_to_it() {
        let was = json!({ "mode": "forward_single", "external_host": "https://a", "outpost_set": [] });
        let is = json!({ "mode": "forward_single", "external_host": "https://b", "outpost_set": [1] });
        let expected = json!({ "mode": "forward_single", "external_host": "https://a" });
        assert_eq!(to_set(&was, &is).map(Value::Object), Some(expected));
    }
}
