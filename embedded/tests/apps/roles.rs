//! The role mapping against the executed triples of known cases.

use serde_json::{Value, json};
use ssoproof_embedded::grafana::role::{Mapping, Outcome, Role, RoleSettings, Sources, map_role};

fn mapped(expr: &str, claims: &Value, strict: bool) -> Mapping {
    let settings = RoleSettings { attribute_path: expr.to_owned(), strict, ..RoleSettings::default() };
    map_role(&settings, &Sources { id_token: Some(claims.clone()), ..Sources::default() })
}

#[test]
fn known_cases_from_the_issue_trackers_end_as_executed() {
    let admins = json!({ "sub": "u1", "groups": ["grafana-admins"] });
    let ended = |expr: &str, claims: &Value| mapped(expr, claims, false).outcome;
    let (mapped_to, default) = (Outcome::Mapped, Outcome::Default(Role::Viewer));
    // G12 and G13: `&&` binds tighter, and `true` is no role.
    let a = json!({ "groups": ["a"] });
    assert_eq!(ended("contains(groups[*], 'a') || contains(groups[*], 'b') && 'Admin'", &a), default);
    assert_eq!(
        ended("(contains(groups[*], 'a') || contains(groups[*], 'b')) && 'Admin' || 'Viewer'", &a),
        mapped_to(Role::Admin)
    );
    // G15, G31, G39: an unknown role, one pipe too few, a wrong prefix.
    assert_eq!(ended("contains(groups[*], 'grafana-admins') && 'superuser' || 'Viewer'", &admins), default);
    assert_eq!(
        ended("contains(groups[*], 'grafana-admins') && 'Admin' | 'Viewer'", &admins),
        mapped_to(Role::Viewer)
    );
    assert_eq!(ended("contains(info.groups[*], 'grafana-admins') && 'Admin'", &admins), default);
    // G19: a name in another normalisation form is another name.
    let decomposed = json!({ "groups": ["e\u{301}quipe"] });
    assert_eq!(
        ended("contains(groups[*], '\u{e9}quipe') && 'Editor' || 'Viewer'", &decomposed),
        mapped_to(Role::Viewer)
    );
    // G22: a text search finds more than the group.
    let former = json!({ "groups": ["former-grafana-admins-2019"] });
    assert_eq!(
        ended("contains(to_string(groups), 'grafana-admins') && 'Admin' || 'Viewer'", &former),
        mapped_to(Role::Admin)
    );
    // G32: a syntax error refuses everyone when strict.
    let broken = "contains(groups[*], 'grafana-admins' && 'Admin'";
    assert_eq!(mapped(broken, &admins, true).outcome, Outcome::Refused);
    // G34 and G44: an empty list is false, the text "false" is true.
    let x = json!({ "groups": ["x"] });
    assert_eq!(ended("groups[?@ == 'grafana-admins'] && 'Admin' || 'Viewer'", &x), mapped_to(Role::Viewer));
    assert_eq!(
        ended("is_admin && 'Admin' || 'Viewer'", &json!({ "is_admin": "false" })),
        mapped_to(Role::Admin)
    );
}
