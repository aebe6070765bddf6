//! What the expression can give.

use jmespath::ast::Ast;
use ssoproof_embedded::grafana::role::{End, Role};

use super::super::lint::Scene;
use super::super::values::search_node;
use crate::explain::Advice;

/// Whether Grafana takes `name` for a role, whatever its case.
pub(super) fn is_role(name: &str) -> bool {
    ["None", "Viewer", "Editor", "Admin", "GrafanaAdmin"].iter().any(|role| role.eq_ignore_ascii_case(name))
}

/// What a node can give.
#[derive(Default)]
pub(super) struct Results {
    /// Texts that stand in the expression.
    pub(super) texts: Vec<String>,
    /// Whether it may give what the claims hold.
    pub(super) dynamic: bool,
}

/// What `node` can give, as far as it gives texts.
pub(super) fn results(node: &Ast) -> Results {
    let mut found = Results::default();
    collect(node, &mut found);
    found
}

fn collect(node: &Ast, found: &mut Results) {
    match node {
        Ast::Or { lhs, rhs, .. } => {
            collect(lhs, found);
            collect(rhs, found);
        }
        Ast::And { rhs, .. } => collect(rhs, found),
        Ast::Literal { value, .. } => found.texts.extend(value.as_string().cloned()),
        Ast::Comparison { .. } | Ast::Not { .. } | Ast::MultiHash { .. } | Ast::MultiList { .. } => {}
        Ast::Function { name, .. } if gives_no_text(name) => {}
        Ast::Subexpr { rhs, .. } => match &**rhs {
            Ast::Literal { .. } | Ast::Or { .. } | Ast::And { .. } => collect(rhs, found),
            _ => found.dynamic = true,
        },
        _ => found.dynamic = true,
    }
}

/// Functions whose value is never a text.
pub(super) fn gives_no_text(function: &str) -> bool {
    matches!(
        function,
        "contains"
            | "starts_with"
            | "ends_with"
            | "length"
            | "keys"
            | "values"
            | "to_number"
            | "to_array"
            | "sum"
    )
}

/// A text that is no role of Grafana's.
pub(in super::super) fn unknown_role(scene: &Scene<'_>) -> Vec<Advice> {
    let known = ["None", "Viewer", "Editor", "Admin", "GrafanaAdmin"];
    let effect = if scene.settings.strict {
        "Grafana says \"invalid role\" and refuses whoever gets it"
    } else {
        "Grafana warns of an \"invalid role\" and gives the default one"
    };
    let written = scene.ast.as_ref().map(|ast| results(ast).texts).unwrap_or_default();
    let given = scene.mapping.trace.iter().filter_map(|trace| match &trace.end {
        End::InvalidRole(name) => Some(name.clone()),
        _ => None,
    });
    let mut names: Vec<String> = written.into_iter().filter(|name| !is_role(name)).collect();
    for name in given {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            names.push(name);
        }
    }
    let advice = |name: String| {
        let help = ssoproof_deployment::suggestion(&name, &known).unwrap_or_default();
        Advice::new("unknown-role", format!("`{name}` is no role: {effect}"), help)
    };
    names.into_iter().map(advice).collect()
}

/// Nothing it can give is a role.
pub(in super::super) fn never_a_role(scene: &Scene<'_>) -> Vec<Advice> {
    let Some(ast) = &scene.ast else { return Vec::new() };
    let results = results(ast);
    if results.dynamic || results.texts.iter().any(|text| is_role(text)) {
        return Vec::new();
    }
    let what =
        "the expression can never give a role: its value is a truth value, a list or a text that is none";
    vec![Advice::new("never-a-role", what, "end an arm with a role: `contains(groups[*], 'x') && 'Admin'`")]
}

/// `GrafanaAdmin` that makes no server administrator.
pub(in super::super) fn server_admin(scene: &Scene<'_>) -> Vec<Advice> {
    let gave = scene.decider().is_some_and(|trace| trace.end == End::Role(Role::Admin, true));
    if !gave || scene.settings.allow_assign_grafana_admin {
        return Vec::new();
    }
    let what = "`GrafanaAdmin` gives the role Admin alone: the server administrator flag is left as it is";
    vec![Advice::new("server-admin", what, "set allow_assign_grafana_admin where it shall count")]
}

/// A role that hangs on the order of a list.
pub(in super::super) fn first_of_list(scene: &Scene<'_>) -> Vec<Advice> {
    let indexed = |node: &&Ast| {
        matches!(node, Ast::Subexpr { rhs, .. } if matches!(**rhs, Ast::Index { .. }))
            || matches!(node, Ast::Index { .. })
    };
    let several = |node: &Ast| {
        let Ast::Subexpr { lhs, .. } = node else { return false };
        let lists = scene.searched().into_iter().filter_map(|claims| search_node(lhs, claims));
        lists.into_iter().any(|value| value.as_array().is_some_and(|items| items.len() > 1))
    };
    let nodes = scene.nodes();
    if nodes.iter().find(|node| indexed(node)).is_none_or(|_| !nodes.iter().any(|node| several(node))) {
        return Vec::new();
    }
    let what = "an item is taken by its place in a list: the role depends on the list's order, which is nobody's promise";
    vec![Advice::new("list-order", what, "ask with `contains(list, 'name')`, the most powerful role first")]
}
