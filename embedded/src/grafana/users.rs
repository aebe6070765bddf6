//! The users Grafana knows and what a sign-in makes of them.

use jiff::Timestamp;

use super::claims::Person;
use super::login::Refusal;
use super::role::{Mapping, Outcome, Role};
use super::settings::Settings;

/// A user. All are in the one organisation there is.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) id: u64,
    /// The `sub` of the provider; `None` for one that was made here.
    pub(super) sub: Option<String>,
    pub(super) login: String,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) grafana_admin: bool,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}

/// Every user, by id from 1.
pub(super) struct Users(Vec<User>);

impl Users {
    /// The users of a new Grafana: its own `admin`.
    pub(super) fn new() -> Self {
        let now = Timestamp::now();
        Self(vec![User {
            id: 1,
            sub: None,
            login: "admin".to_owned(),
            email: "admin@localhost".to_owned(),
            name: String::new(),
            role: Role::Admin,
            grafana_admin: true,
            created: now,
            updated: now,
        }])
    }

    pub(super) fn all(&self) -> &[User] {
        &self.0
    }

    pub(super) fn get(&self, id: u64) -> Option<&User> {
        self.0.iter().find(|user| user.id == id)
    }

    /// Finds or makes the user of `person` and brings it up to date. Users are known by their `sub`: one whose
    /// address or login another user has is refused (grafana#74154), as after a change of the provider's subject
    /// mode.
    pub(super) fn sync(
        &mut self,
        settings: &Settings,
        person: &Person,
        mapping: &Mapping,
    ) -> Result<User, Refusal> {
        let known = self.0.iter().position(|user| user.sub.as_deref() == Some(person.sub.as_str()));
        let by_email = || self.0.iter().position(|user| user.email.eq_ignore_ascii_case(&person.email));
        let index = known.or_else(|| if settings.email_lookup { by_email() } else { None });
        let taken = self.0.iter().enumerate().any(|(other, user)| {
            Some(other) != index
                && (user.email.eq_ignore_ascii_case(&person.email)
                    || user.login.eq_ignore_ascii_case(&person.login))
        });
        if index.is_none() && !settings.allow_sign_up {
            return Err(Refusal::SignUpDisabled);
        }
        if taken {
            return Err(Refusal::UserSync);
        }
        let now = Timestamp::now();
        let index = index.unwrap_or_else(|| {
            self.0.push(User {
                id: self.0.len() as u64 + 1,
                sub: None,
                login: String::new(),
                email: String::new(),
                name: String::new(),
                role: settings.role.auto_assign_org_role,
                grafana_admin: false,
                created: now,
                updated: now,
            });
            self.0.len() - 1
        });
        let user = &mut self.0[index];
        user.sub = Some(person.sub.clone());
        user.login.clone_from(&person.login);
        user.email.clone_from(&person.email);
        if !person.name.is_empty() {
            user.name.clone_from(&person.name);
        }
        if let Outcome::Mapped(role) | Outcome::Default(role) = mapping.outcome {
            user.role = role;
        }
        user.grafana_admin = mapping.grafana_admin.unwrap_or(user.grafana_admin);
        user.updated = now;
        Ok(user.clone())
    }
}
