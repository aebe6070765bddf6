//! Which arm and which source decides.

use jmespath::ast::Ast;
use ssoproof_embedded::grafana::role::{End, Sources, Subject, map_role};

use super::super::lexer::{cut, unwrapped};
use super::super::lint::Scene;
use super::results::{gives_no_text, is_role};
use crate::explain::Advice;

/// The arms of the whole expression with their nodes.
fn arms(scene: &Scene<'_>) -> Vec<(String, Ast)> {
    let last = cut(scene.path(), "|").pop().unwrap_or_default();
    let texts = cut(unwrapped(last), "||");
    let node = |text: &str| jmespath::compile(text).ok().map(|compiled| compiled.as_ast().clone());
    texts.into_iter().filter_map(|text| Some((text.to_owned(), node(text)?))).collect()
}

/// `a || b && 'X'`.
pub(in super::super) fn precedence(scene: &Scene<'_>) -> Vec<Advice> {
    let arms = arms(scene);
    let Some(((last, _), before)) = arms.split_last() else { return Vec::new() };
    if !last.contains("&&") && before.iter().all(|(text, _)| !text.contains("&&")) {
        return Vec::new();
    }
    let bare = |node: &Ast| match node {
        Ast::Comparison { .. } | Ast::Not { .. } => true,
        Ast::Function { name, .. } => gives_no_text(name),
        _ => false,
    };
    let advice = |(text, _): &(String, Ast)| {
        let what = format!("arm `{text}` gives true or false, never a role: `&&` binds tighter than `||`");
        Advice::new("precedence", what, "write `(a || b) && 'Role'`")
    };
    before.iter().filter(|(_, node)| bare(node)).map(advice).collect()
}

/// An arm that is always true before the last.
pub(in super::super) fn decides_always(scene: &Scene<'_>) -> Vec<Advice> {
    let arms = arms(scene);
    let before = arms.split_last().map_or(&[][..], |(_, before)| before);
    let constant = |node: &Ast| matches!(node, Ast::Literal { value, .. } if value.is_truthy());
    let found = before.iter().find(|(_, node)| constant(node));
    let advice = |(text, _): &(String, Ast)| {
        let what = format!("arm `{text}` always holds, so no arm behind it is ever reached");
        Advice::new("default-first", what, "put the default last")
    };
    found.map(advice).into_iter().collect()
}

/// The role that the last arm gives to everybody.
fn default_arm(scene: &Scene<'_>) -> Option<String> {
    let (_, node) = arms(scene).pop()?;
    match node {
        Ast::Literal { value, .. } => value.as_string().filter(|text| is_role(text)).cloned(),
        _ => None,
    }
}

/// A source decides by its default although a later one knows better.
pub(in super::super) fn masked_source(scene: &Scene<'_>) -> Vec<Advice> {
    let (Some(decider), Some(default)) = (scene.decider(), default_arm(scene)) else { return Vec::new() };
    let decided = decider.source;
    let retried = decider.searches.last().is_some_and(|search| search.on == Subject::EmptyGroups);
    let later = scene.sources.in_order().into_iter().skip_while(|(source, _)| *source != decided).skip(1);
    let better = later.filter_map(|(source, claims)| Some((source, claims?))).find_map(|(source, claims)| {
        let alone = Sources { id_token: Some(claims.clone()), ..Sources::default() };
        let mapping = map_role(scene.settings, &alone);
        let role = mapping.role()?;
        (matches!(mapping.trace.first()?.end, End::Role(..)) && Some(role) != scene.mapping.role())
            .then_some((source, role))
    });
    let help = "put the groups into the id token, or drop the default arm and use auto_assign_org_role";
    if let Some((source, role)) = better {
        let what = format!(
            "the default arm '{default}' in role_attribute_path masks {source}, which would give {role}: {decided} \
             is asked first and the default makes a role of it"
        );
        return vec![Advice::new("masks-userinfo", what, help)];
    }
    if retried {
        let what = format!(
            "the search in {decided} failed and the retry on {{\"groups\":[]}} met the default arm '{default}': \
             no later source is asked, whoever signs in"
        );
        return vec![Advice::new("default-after-error", what, help)];
    }
    Vec::new()
}

/// Strict with an expression that always gives a role.
pub(in super::super) fn strict_in_vain(scene: &Scene<'_>) -> Vec<Advice> {
    let Some(default) = default_arm(scene).filter(|_| scene.settings.strict) else { return Vec::new() };
    let what =
        format!("role_attribute_strict is in vain: the default arm '{default}' gives everybody a role");
    // With 'None' people get in without any access, which is one way to refuse them.
    if default.eq_ignore_ascii_case("None") {
        return Vec::new();
    }
    vec![Advice::new("strict-in-vain", what, "drop the default arm, or end with 'None'")]
}
