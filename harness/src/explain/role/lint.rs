//! What the linter of role expressions looks at, and its rules.

use jmespath::ast::Ast;
use serde_json::Value;
use ssoproof_embedded::grafana::role::{End, Mapping, RoleSettings, SourceTrace, Sources};

use super::rules::{claims, order, results, syntax};
use crate::explain::Advice;

/// An expression with its settings, the claims and what came of them.
pub(super) struct Scene<'a> {
    pub(super) settings: &'a RoleSettings,
    pub(super) sources: &'a Sources,
    pub(super) mapping: &'a Mapping,
    /// The parsed expression; `None` where it does not parse.
    pub(super) ast: Option<Ast>,
}

/// Every rule. A new one is a function and a line.
const RULES: &[fn(&Scene<'_>) -> Vec<Advice>] = &[
    syntax::error,
    syntax::double_quotes,
    syntax::backticks,
    syntax::single_pipe,
    order::precedence,
    order::decides_always,
    order::masked_source,
    order::strict_in_vain,
    results::unknown_role,
    results::never_a_role,
    results::server_admin,
    results::first_of_list,
    claims::substring,
    claims::to_string,
    claims::not_a_list,
    claims::missing,
    claims::near_miss,
    claims::true_text,
];

/// What the rules notice, in their order.
pub(super) fn advise(scene: &Scene<'_>) -> Vec<Advice> {
    let mut advice: Vec<Advice> = Vec::new();
    if scene.settings.attribute_path.is_empty() || scene.settings.skip_org_role_sync {
        return advice;
    }
    for each in RULES.iter().flat_map(|rule| rule(scene)) {
        if !advice.contains(&each) {
            advice.push(each);
        }
    }
    advice
}

impl Scene<'_> {
    /// The expression.
    pub(super) fn path(&self) -> &str {
        &self.settings.attribute_path
    }

    /// The parsed expression, or no node at all.
    pub(super) fn nodes(&self) -> Vec<&Ast> {
        let mut found = Vec::new();
        if let Some(ast) = &self.ast {
            walk(ast, &mut found);
        }
        found
    }

    /// The claims of the sources that were searched.
    pub(super) fn searched(&self) -> Vec<&Value> {
        let sources = self.sources.in_order();
        let searched = sources.into_iter().zip(&self.mapping.trace);
        searched
            .filter(|(_, trace)| !trace.searches.is_empty())
            .filter_map(|((_, claims), _)| claims)
            .collect()
    }

    /// The source that gave the role.
    pub(super) fn decider(&self) -> Option<&SourceTrace> {
        self.mapping.trace.iter().find(|trace| matches!(trace.end, End::Role(..)))
    }
}

/// `ast` and every node below it.
fn walk<'a>(ast: &'a Ast, found: &mut Vec<&'a Ast>) {
    found.push(ast);
    match ast {
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. }
        | Ast::Condition { predicate: lhs, then: rhs, .. } => {
            walk(lhs, found);
            walk(rhs, found);
        }
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => walk(node, found),
        Ast::Function { args: nodes, .. } | Ast::MultiList { elements: nodes, .. } => {
            nodes.iter().for_each(|node| walk(node, found));
        }
        Ast::MultiHash { elements, .. } => elements.iter().for_each(|pair| walk(&pair.value, found)),
        Ast::Identity { .. }
        | Ast::Field { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use ssoproof_embedded::grafana::role::{RoleSettings, Sources};

    use super::super::{RoleQuestion, explain};

    /// The rules that notice something about `path`, and the text of their advice.
    fn noticed(path: &str, strict: bool, claims: Value) -> (Vec<&'static str>, String) {
        let explanation = explain(&RoleQuestion {
            settings: RoleSettings { attribute_path: path.to_owned(), strict, ..RoleSettings::default() },
            sources: Sources { id_token: Some(claims), ..Sources::default() },
            orgs: None,
        });
        (explanation.advice.iter().map(|advice| advice.rule).collect(), explanation.to_string())
    }

    #[test]
    fn nothing_is_noticed_about_a_good_expression() {
        let path = "contains(groups[*], 'admins') && 'Admin' || contains(groups[*], 'studio') && 'Editor' || 'Viewer'";
        for groups in [json!(["admins"]), json!(["studio"]), json!(["x"]), json!([])] {
            assert_eq!(noticed(path, false, json!({ "groups": groups })).0, Vec::<&str>::new());
        }
        let path = "groups[?@ == 'admins'] && 'Admin' || teams[?name == 'x'].id | 'Viewer'";
        assert!(!noticed(path, false, json!({ "groups": [], "teams": [] })).0.contains(&"claim-missing"));
    }

    #[test]
    fn missing_claims_are_told_with_the_near_one() {
        let (rules, text) =
            noticed("contains(info.groups[*], 'a') && 'Admin'", false, json!({ "groups": ["a"] }));
        assert_eq!(rules, ["claim-missing"]);
        assert!(text.contains("no claim `info.groups`") && text.contains("did you mean `groups`"), "{text}");
        let roles = json!({ "realm_access": { "roles": ["a"] } });
        assert!(
            noticed("contains(roles[*], 'a') && 'Admin'", false, roles).1.contains("`realm_access.roles`")
        );
    }

    #[test]
    fn each_mistake_is_noticed() {
        for (path, strict, claims, rule) in [
            (
                "contains(groups[*], 'a') && 'Admin' || 'Viewer'",
                true,
                json!({ "groups": [] }),
                "strict-in-vain",
            ),
            ("contains(groups[*], 'a')", false, json!({ "groups": ["a"] }), "never-a-role"),
            ("contains(groups[*], 'a') && `Admin`", false, json!({ "groups": ["a"] }), "backticks"),
            (
                "contains(groups[*], 'a') && 'Administrator'",
                false,
                json!({ "groups": ["a"] }),
                "unknown-role",
            ),
            ("contains(groups[*], 'a') && 'Admin'", false, json!({ "groups": ["A"] }), "near-miss"),
            (
                "contains(groups[*], 'a') && 'Admin'",
                false,
                json!({ "groups": [{ "name": "a" }] }),
                "near-miss",
            ),
            ("contains(groups[*], 'a') && 'Admin'", false, json!({ "groups": "a,b" }), "not-a-list"),
            ("groups = 'a' && 'Admin'", false, json!({ "groups": "a" }), "syntax-error"),
            ("admin && 'Admin'", false, json!({ "admin": 0 }), "true-text"),
        ] {
            let (rules, text) = noticed(path, strict, claims);
            assert!(rules.contains(&rule), "{rule}: {text}");
        }
    }
}
