//! Claims → organisation role, as the generic OAuth connector finds it: source by source, two searches each.
//!
//! The pairs in `truth/jmespath` are what this is tested against. The expression language is the original
//! JMESPath; Grafana's library (`jmespath-community`) also knows `let`, `$`, arithmetic and more functions, which
//! are errors here.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use super::trace::shortened;
pub use super::trace::{End, Found, Search, Shape, SourceTrace, Subject};

/// An organisation role. A role that includes another is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Role {
    /// A valid role without any access.
    None,
    /// Looks only.
    Viewer,
    /// Edits dashboards.
    Editor,
    /// Administers the organisation.
    Admin,
}

impl Role {
    /// The role of this exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "None" => Some(Self::None),
            "Viewer" => Some(Self::Viewer),
            "Editor" => Some(Self::Editor),
            "Admin" => Some(Self::Admin),
            _ => None,
        }
    }

    /// Its name in Grafana's settings and API.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Viewer => "Viewer",
            Self::Editor => "Editor",
            Self::Admin => "Admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The settings that decide about roles, by their names in `[auth.generic_oauth]` and `[users]`.
#[derive(Clone, Debug)]
pub struct RoleSettings {
    /// `role_attribute_path`, a JMESPath expression; empty means not set.
    pub attribute_path: String,
    /// `role_attribute_strict`: whoever gets no role is refused.
    pub strict: bool,
    /// `allow_assign_grafana_admin`: `GrafanaAdmin` also makes a server administrator.
    pub allow_assign_grafana_admin: bool,
    /// `skip_org_role_sync`: roles are Grafana's own business.
    pub skip_org_role_sync: bool,
    /// `auto_assign_org_role`: the role of those who get none.
    pub auto_assign_org_role: Role,
}

impl Default for RoleSettings {
    fn default() -> Self {
        Self {
            attribute_path: String::new(),
            strict: false,
            allow_assign_grafana_admin: false,
            skip_org_role_sync: false,
            auto_assign_org_role: Role::Viewer,
        }
    }
}

/// Where claims come from. Grafana asks in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The payload of the id token; its signature is not verified.
    IdToken,
    /// The answer of the userinfo endpoint.
    Userinfo,
    /// The payload of the access token, when that is a JWT; asked since Grafana 12.
    AccessToken,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::IdToken => "id_token",
            Self::Userinfo => "userinfo",
            Self::AccessToken => "access_token",
        })
    }
}

/// The claims of each source; `None` where the source has none to read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Of the id token.
    pub id_token: Option<Value>,
    /// Of the userinfo endpoint.
    pub userinfo: Option<Value>,
    /// Of the access token.
    pub access_token: Option<Value>,
}

impl Sources {
    /// Every source with its claims, in Grafana's order.
    pub fn in_order(&self) -> [(Source, Option<&Value>); 3] {
        [
            (Source::IdToken, self.id_token.as_ref()),
            (Source::Userinfo, self.userinfo.as_ref()),
            (Source::AccessToken, self.access_token.as_ref()),
        ]
    }
}

/// What a sign-in becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The role, or why there is none.
    pub outcome: Outcome,
    /// Whether the user becomes (`true`) or ceases to be (`false`) a server administrator; `None` leaves it.
    pub grafana_admin: Option<bool>,
    /// What every source gave.
    pub trace: Vec<SourceTrace>,
}

/// The end of the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A source gave the role.
    Mapped(Role),
    /// No source did: `auto_assign_org_role`.
    Default(Role),
    /// `skip_org_role_sync`: the user keeps the role they have.
    NotSynced,
    /// No source did and the mapping is strict: the login is refused.
    Refused,
}

impl Mapping {
    /// The role, unless refused or not synced.
    pub fn role(&self) -> Option<Role> {
        match self.outcome {
            Outcome::Mapped(role) | Outcome::Default(role) => Some(role),
            Outcome::NotSynced | Outcome::Refused => None,
        }
    }

    /// Whether the login is refused.
    pub fn refused(&self) -> bool {
        self.outcome == Outcome::Refused
    }
}

impl fmt::Display for Mapping {
    /// The whole of it on one line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outcome {
            Outcome::Mapped(role) => write!(formatter, "role {role}")?,
            Outcome::Default(role) => write!(formatter, "role {role} (auto_assign_org_role)")?,
            Outcome::NotSynced => write!(formatter, "role not synced")?,
            Outcome::Refused => write!(formatter, "refused (role_attribute_strict)")?,
        }
        if let Some(admin) = self.grafana_admin {
            write!(formatter, ", server admin {admin}")?;
        }
        for source in &self.trace {
            write!(formatter, "; {source}")?;
        }
        Ok(())
    }
}

/// Maps the claims to a role. The first source that gives a valid role decides, so a trailing `|| 'Viewer'` in
/// the expression hides every source after the first.
pub fn map_role(settings: &RoleSettings, sources: &Sources) -> Mapping {
    let mut found: Option<(Role, bool)> = None;
    let mut asked = false;
    let mut trace = Vec::with_capacity(3);
    for (source, claims) in sources.in_order() {
        let Some(claims) = claims else {
            trace.push(SourceTrace {
                source,
                groups: Shape::Missing,
                searches: Vec::new(),
                end: End::Absent,
            });
            continue;
        };
        let groups = Shape::of(claims.get("groups"));
        let unasked = |end| SourceTrace { source, groups, searches: Vec::new(), end };
        if settings.skip_org_role_sync {
            trace.push(unasked(End::Skipped));
        } else if found.is_some() {
            trace.push(unasked(End::NotAsked));
        } else if settings.attribute_path.is_empty() {
            asked |= !settings.strict;
            trace.push(unasked(End::PathNotSet));
        } else {
            let (searches, end) = search_source(&settings.attribute_path, claims);
            match end {
                End::Role(role, admin) => found = Some((role, admin)),
                End::NoRole => asked |= !settings.strict,
                _ => {}
            }
            trace.push(SourceTrace { source, groups, searches, end });
        }
    }
    let outcome = match found {
        _ if settings.skip_org_role_sync => Outcome::NotSynced,
        Some((role, _)) => Outcome::Mapped(role),
        None if settings.strict => Outcome::Refused,
        None => Outcome::Default(settings.auto_assign_org_role),
    };
    // A source that answers without a role clears the flag too; one whose role is invalid leaves it.
    let synced = settings.allow_assign_grafana_admin && !settings.skip_org_role_sync;
    let grafana_admin = match found {
        Some((_, admin)) if synced => Some(admin),
        None if synced && asked => Some(false),
        _ => None,
    };
    Mapping { outcome, grafana_admin, trace }
}

/// Both searches of a source, the second only when the first errs or gives no string.
fn search_source(path: &str, claims: &Value) -> (Vec<Search>, End) {
    let mut searches = Vec::with_capacity(2);
    for on in [Subject::Claims, Subject::EmptyGroups] {
        let found = match on {
            Subject::Claims => search(path, claims),
            Subject::EmptyGroups => search(path, &json!({ "groups": [] })),
        };
        let end = match &found {
            Found::Text(text) => Some(judge(text)),
            Found::Dropped(_) | Found::Error(_) => None,
        };
        searches.push(Search { on, found: found.shortened() });
        if let Some(end) = end {
            return (searches, end);
        }
    }
    (searches, End::NoRole)
}

/// Evaluates an expression for a string.
pub(super) fn search(path: &str, data: &Value) -> Found {
    match evaluate(path, data) {
        Ok(Value::String(text)) if !text.is_empty() => Found::Text(text),
        Ok(other) => Found::Dropped(other.to_string()),
        Err(error) => Found::Error(error),
    }
}

/// Evaluates an expression; the error is one line.
pub(super) fn evaluate(path: &str, data: &Value) -> Result<Value, String> {
    let one_line = |error: jmespath::JmespathError| {
        error.to_string().lines().next().unwrap_or_default().trim().to_owned()
    };
    let expression = jmespath::compile(path).map_err(one_line)?;
    let value = expression.search(data).map_err(one_line)?;
    serde_json::to_value(&*value).map_err(|error| error.to_string())
}

fn judge(text: &str) -> End {
    if text.eq_ignore_ascii_case("GrafanaAdmin") {
        return End::Role(Role::Admin, true);
    }
    let name = title_case(text);
    match Role::from_name(&name) {
        Some(role) => End::Role(role, false),
        None => End::InvalidRole(shortened(name)),
    }
}

/// Each word with its first letter in upper case and the rest in lower case; `_` and `'` do not end a word.
fn title_case(text: &str) -> String {
    let mut cased = String::with_capacity(text.len());
    let mut inside = false;
    for letter in text.chars() {
        let word = letter.is_alphanumeric() || matches!(letter, '_' | '\'');
        if inside {
            cased.extend(letter.to_lowercase());
        } else {
            cased.extend(letter.to_uppercase());
        }
        inside = word;
    }
    cased
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = "contains(groups[*], 'spacemusic-admins') && 'Admin' || \
                              contains(groups[*], 'spacemusic-studio') && 'Editor' || 'Viewer'";

    fn settings(path: &str) -> RoleSettings {
        RoleSettings { attribute_path: path.to_owned(), ..RoleSettings::default() }
    }

    fn id_token(claims: Value) -> Sources {
        Sources { id_token: Some(claims), ..Sources::default() }
    }

    fn userinfo(groups: &str) -> Sources {
        Sources { userinfo: Some(json!({ "groups": [groups] })), ..id_token(json!({ "sub": "u" })) }
    }

    #[test]
    fn default_branch_hides_the_groups_of_userinfo_grafana_106686() {
        let mapping = map_role(&settings(DOCUMENTED), &userinfo("spacemusic-admins"));
        assert_eq!(mapping.outcome, Outcome::Mapped(Role::Viewer));
        assert_eq!(
            mapping.to_string(),
            "role Viewer; id_token: groups missing, search 1 on the claims gave error: \
             Runtime error: Argument 0 expects type string|array, given null (line 0, column 8), \
             search 2 on {\"groups\":[]} gave \"Viewer\"; userinfo: not asked, the role is known; \
             access_token: no claims"
        );
    }

    #[test]
    fn without_default_branch_userinfo_decides() {
        let path = "contains(groups[*], 'spacemusic-admins') && 'Admin'";
        let mapping = map_role(&settings(path), &userinfo("spacemusic-admins"));
        assert_eq!(mapping.outcome, Outcome::Mapped(Role::Admin));
        assert_eq!(mapping.trace[0].end, End::NoRole);
        assert_eq!(mapping.trace[1].groups, Shape::List(1));
    }

    #[test]
    fn server_admin_flag_follows_the_setting() {
        let root = id_token(json!({ "groups": ["root"] }));
        let mut settings = settings("contains(groups[*], 'root') && 'GrafanaAdmin' || 'Viewer'");
        assert_eq!(map_role(&settings, &root).grafana_admin, None);
        settings.allow_assign_grafana_admin = true;
        let mapping = map_role(&settings, &root);
        assert_eq!((mapping.role(), mapping.grafana_admin), (Some(Role::Admin), Some(true)));
        assert_eq!(map_role(&settings, &id_token(json!({ "groups": [] }))).grafana_admin, Some(false));
    }

    #[test]
    fn skipped_sync_asks_no_source() {
        let settings = RoleSettings { skip_org_role_sync: true, strict: true, ..settings(DOCUMENTED) };
        let mapping = map_role(&settings, &userinfo("spacemusic-admins"));
        assert_eq!((mapping.outcome, mapping.role()), (Outcome::NotSynced, None));
        assert!(mapping.trace.iter().all(|source| source.searches.is_empty()));
    }

    #[test]
    fn strict_without_a_path_or_a_source_is_refused() {
        let strict = |path| RoleSettings { strict: true, ..settings(path) };
        assert!(map_role(&strict(""), &userinfo("spacemusic-admins")).refused());
        assert!(map_role(&strict(DOCUMENTED), &Sources::default()).refused());
        assert!(!map_role(&strict(DOCUMENTED), &id_token(json!({}))).refused());
    }

    #[test]
    fn trace_stays_short_whatever_the_provider_sends() {
        let long = "x".repeat(1 << 20);
        let trace = map_role(&settings("role"), &id_token(json!({ "role": long }))).trace.remove(0);
        let End::InvalidRole(name) = trace.end else { panic!("{trace:?}") };
        assert_eq!(name.chars().count(), 201);
        assert_eq!(trace.searches[0].found, Found::Text(format!("{}…", "x".repeat(200))));
    }

    #[test]
    fn names_are_title_cased_before_they_are_judged() {
        for (text, end) in [
            ("eDiToR", End::Role(Role::Editor, false)),
            ("none", End::Role(Role::None, false)),
            ("grafanaadmin", End::Role(Role::Admin, true)),
            (" admin", End::InvalidRole(" Admin".to_owned())),
            ("spacemusic-studio", End::InvalidRole("Spacemusic-Studio".to_owned())),
            ("a_b", End::InvalidRole("A_b".to_owned())),
        ] {
            assert_eq!(judge(text), end);
        }
    }
}
