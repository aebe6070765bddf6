//! `org_mapping`: from the organisations or groups that a claim names to roles in Grafana's organisations.
//!
//! It follows the current source: with `role_attribute_strict` one entry that cannot be used empties the mapping for
//! everybody, without it that entry alone is left out.

use std::collections::{BTreeMap, BTreeSet};

use super::role::Role;

/// An entry of `org_mapping` that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntry {
    /// The entry as written.
    pub entry: String,
    /// What is wrong with it.
    pub why: String,
}

/// The organisations there are in Grafana: name → id. The first is the one of those without a mapping.
pub type Organisations = BTreeMap<String, i64>;

/// A parsed `org_mapping`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrgMapping {
    /// Outer name (`*` for everybody) → organisation (`None` for all of them) → role.
    roles: BTreeMap<String, BTreeMap<Option<i64>, Role>>,
    strict: bool,
    /// The entries that are not used.
    pub bad: Vec<BadEntry>,
}

impl OrgMapping {
    /// Parses `entries`, each `outer:organisation:role`, where `\:` is a colon in a name.
    pub fn parse(entries: &[String], strict: bool, known: &Organisations) -> Self {
        let mut mapping = Self { strict, ..Self::default() };
        for entry in entries {
            match parse(entry, strict, known) {
                Ok((outer, organisation, role)) => {
                    mapping.roles.entry(outer).or_default().insert(organisation, role);
                }
                Err(why) => mapping.bad.push(BadEntry { entry: entry.clone(), why }),
            }
        }
        if strict && !mapping.bad.is_empty() {
            mapping.roles.clear();
        }
        mapping
    }

    /// The role in each organisation of somebody whose claim names `outer` and whose expression gives `direct`;
    /// `None` refuses the login. `default` is the organisation and the role of those without any.
    pub fn map(
        &self,
        outer: &[String],
        direct: Option<Role>,
        known: &Organisations,
        default: (i64, Role),
    ) -> Option<BTreeMap<i64, Role>> {
        let mut found: BTreeMap<Option<i64>, Role> = BTreeMap::new();
        let everybody = ["*".to_owned()];
        for roles in everybody.iter().chain(outer).filter_map(|name| self.roles.get(name)) {
            for (organisation, role) in roles {
                raise(&mut found, *organisation, *role);
            }
        }
        if let Some(role) = found.remove(&None) {
            let ids: BTreeSet<i64> = known.values().copied().collect();
            ids.into_iter().for_each(|id| raise(&mut found, Some(id), role));
        }
        if found.is_empty() {
            return match direct {
                None if self.strict => None,
                role => Some(BTreeMap::from([(default.0, role.unwrap_or(default.1))])),
            };
        }
        let best = |role: Role| direct.map_or(role, |direct| direct.max(role));
        Some(found.into_iter().filter_map(|(id, role)| Some((id?, best(role)))).collect())
    }
}

fn raise(found: &mut BTreeMap<Option<i64>, Role>, organisation: Option<i64>, role: Role) {
    found.entry(organisation).and_modify(|known| *known = role.max(*known)).or_insert(role);
}

fn parse(entry: &str, strict: bool, known: &Organisations) -> Result<(String, Option<i64>, Role), String> {
    let parts = split(entry);
    let (outer, organisation, role) = match &parts[..] {
        [outer, organisation] => (outer, organisation, None),
        [outer, organisation, role] => (outer, organisation, Some(role)),
        [_] => return Err("there is no `:` that parts group and organisation".to_owned()),
        _ => {
            let help = "a colon in a name is written `\\:`";
            return Err(format!("it has {} parts where two or three are allowed; {help}", parts.len()));
        }
    };
    let id = match organisation.as_str() {
        "*" => None,
        "" => return Err("the organisation is empty".to_owned()),
        text => Some(match text.parse() {
            Ok(id) => id,
            Err(_) => *known.get(text).ok_or_else(|| format!("there is no organisation `{text}`"))?,
        }),
    };
    let role = match role.map(|name| (name, Role::from_name(name))) {
        Some((_, Some(role))) => role,
        Some((name, None)) if strict => return Err(format!("`{name}` is no role")),
        None if strict => return Err("the role is missing, which strict asks for".to_owned()),
        _ => Role::Viewer,
    };
    Ok((outer.clone(), id, role))
}

/// Splits at colons; `\:` is a colon in a part, any other backslash is itself.
fn split(entry: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = entry.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ':' => parts.push(String::new()),
            '\\' if letters.peek() == Some(&':') => {
                letters.next();
                parts.iter_mut().next_back().into_iter().for_each(|part| part.push(':'));
            }
            other => parts.iter_mut().next_back().into_iter().for_each(|part| part.push(other)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Organisations {
        BTreeMap::from([("Main Org.".to_owned(), 1), ("Lab".to_owned(), 2)])
    }

    fn parsed(entries: &[&str], strict: bool) -> OrgMapping {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        OrgMapping::parse(&entries, strict, &known())
    }

    fn mapped(mapping: &OrgMapping, outer: &str, direct: Option<Role>) -> Option<BTreeMap<i64, Role>> {
        mapping.map(&[outer.to_owned()], direct, &known(), (1, Role::Viewer))
    }

    #[test]
    fn one_bad_entry_empties_a_strict_mapping_and_only_itself_otherwise() {
        let entries = ["grafana-admins:1:Admin", "devs:No Such Org:Editor"];
        let strict = parsed(&entries, true);
        assert_eq!(strict.bad[0].entry, "devs:No Such Org:Editor");
        assert_eq!(mapped(&strict, "grafana-admins", None), None);
        let loose = parsed(&entries, false);
        assert_eq!(mapped(&loose, "grafana-admins", None), Some(BTreeMap::from([(1, Role::Admin)])));
    }

    #[test]
    fn colons_are_escaped_and_other_backslashes_kept() {
        assert_eq!(split(r"a\:b:Lab:Editor"), ["a:b", "Lab", "Editor"]);
        assert_eq!(split(r"dom\grp:1"), [r"dom\grp", "1"]);
        assert_eq!(parsed(&["a:b:Lab:Editor"], false).bad.len(), 1);
    }

    #[test]
    fn stars_mean_everybody_and_everywhere_and_the_greater_role_wins() {
        let mapping = parsed(&["*:*:Viewer", "lab:Lab:Editor"], false);
        let roles = mapped(&mapping, "lab", None).unwrap();
        assert_eq!(roles, BTreeMap::from([(1, Role::Viewer), (2, Role::Editor)]));
        let roles = mapped(&mapping, "other", Some(Role::Admin)).unwrap();
        assert_eq!(roles, BTreeMap::from([(1, Role::Admin), (2, Role::Admin)]));
    }

    #[test]
    fn without_a_match_the_expression_or_the_default_decides() {
        let mapping = parsed(&["lab:Lab:Editor"], true);
        assert_eq!(mapped(&mapping, "x", None), None);
        assert_eq!(mapped(&mapping, "x", Some(Role::Editor)), Some(BTreeMap::from([(1, Role::Editor)])));
        assert_eq!(mapped(&parsed(&[], false), "x", None), Some(BTreeMap::from([(1, Role::Viewer)])));
    }
}
