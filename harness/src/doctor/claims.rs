//! What Authentik tells apps of a user, and who the users are.

use serde_json::{Map, Value, json};
use ssoproof_deployment::Persona;

use super::subject::Subject;

/// A user with the groups that count.
#[derive(Clone, Debug)]
pub(super) struct User {
    /// What reports call the user.
    pub(super) name: String,
    /// The names of the groups.
    pub(super) groups: Vec<String>,
    /// The role that Grafana must give.
    pub(super) role: Option<String>,
}

impl User {
    fn of((name, persona): (&String, &Persona)) -> Self {
        Self {
            name: name.clone(),
            groups: persona.groups.iter().map(|group| group.value.clone()).collect(),
            role: persona.grafana_role.clone(),
        }
    }

    /// The claims that Authentik's own mappings give for `scopes`
    /// (`truth/authentik/2026.2.2/41-oidc-code-flow`).
    pub(super) fn claims(&self, client_id: &str, scopes: &[&str]) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut add = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        add("sub", json!(format!("subject-of-{}", self.name)));
        add("aud", json!(client_id));
        add("exp", json!(4_102_444_800_u64));
        if scopes.contains(&"email") {
            add("email", json!(format!("{}@example.org", self.name)));
            add("email_verified", json!(false));
        }
        if scopes.contains(&"profile") {
            add("name", json!(self.name));
            add("preferred_username", json!(self.name));
            add("nickname", json!(self.name));
            add("groups", json!(self.groups));
        }
        claims
    }
}

/// The deployment's users who may sign in; without a deployment one for each of `groups`.
pub(super) fn users(subject: &Subject, groups: &[String]) -> Vec<User> {
    if subject.stated.is_some() {
        return subject.deployment.personas.iter().filter(|(_, one)| one.active).map(User::of).collect();
    }
    let of = |group: &String| User {
        name: format!("a member of {group}"),
        groups: vec![group.clone()],
        role: None,
    };
    groups
        .iter()
        .map(of)
        .chain([User { name: "a user without groups".to_owned(), groups: Vec::new(), role: None }])
        .collect()
}
