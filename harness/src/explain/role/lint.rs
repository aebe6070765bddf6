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
