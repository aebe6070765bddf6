//! How the expression and the claims fit together.

use jmespath::ast::Ast;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::super::lint::Scene;
use super::super::values::search_node;
use crate::explain::Advice;

/// Every `contains(list, 'text')` with the value of its first argument on each source searched.
fn memberships(scene: &Scene<'_>) -> Vec<(String, Option<String>, Value)> {
    let claims = scene.searched();
    let nodes = scene.nodes();
    let mut found = Vec::new();
    for node in nodes {
        let Ast::Function { name, args, .. } = node else { continue };
        let ([list, wanted], "contains") = (&args[..], name.as_str()) else { continue };
        let wanted = match wanted {
            Ast::Literal { value, .. } => value.as_string().cloned(),
            _ => None,
        };
        for claims in &claims {
            let value = search_node(list, claims).unwrap_or_default();
            found.push((path(list).unwrap_or_else(|| "the value".to_owned()), wanted.clone(), value));
        }
    }
    found
}

/// The claim that a node reads: `groups`, `info.groups`.
fn path(node: &Ast) -> Option<String> {
    match node {
        Ast::Field { name, .. } => Some(name.clone()),
        Ast::Subexpr { lhs, rhs, .. } => match path(rhs) {
            Some(inner) => Some(format!("{}.{inner}", path(lhs)?)),
            None => path(lhs),
        },
        Ast::Projection { lhs, .. } => path(lhs),
        Ast::Flatten { node, .. } | Ast::ObjectValues { node, .. } => path(node),
        Ast::Function { args, .. } => args.first().and_then(path),
        _ => None,
    }
}

/// `contains` on a text.
pub(in super::super) fn substring(scene: &Scene<'_>) -> Vec<Advice> {
    let of_text = |(claim, wanted, value): (String, Option<String>, Value)| {
        let text = value.as_str()?.to_owned();
        let wanted = wanted?;
        if text.starts_with(['[', '{']) {
            return None;
        }
        let held = if text.contains(&wanted) { "matches" } else { "would match" };
        let what = format!(
            "`{claim}` is a string, and contains() on a string looks for a part of it: '{wanted}' {held} any name that holds it"
        );
        Some(Advice::new(
            "substring",
            what,
            "send a list, or ask with contains(groups[*], …), which a string never meets",
        ))
    };
    memberships(scene).into_iter().filter_map(of_text).collect()
}

/// `contains(to_string(list), …)`.
pub(in super::super) fn to_string(scene: &Scene<'_>) -> Vec<Advice> {
    let within = |node: &&Ast| {
        let Ast::Function { name, args, .. } = node else { return false };
        let inner = args.first();
        name == "contains"
            && matches!(inner, Some(Ast::Function { name, .. }) if name == "to_string" || name == "join")
    };
    if !scene.nodes().iter().any(within) {
        return Vec::new();
    }
    let what = "contains() on a list made text looks for a part of that text: a longer name that holds the group's matches too";
    vec![Advice::new("to-string", what, "ask the list itself: contains(groups[*], 'name')")]
}

/// `[*]` on what is no list.
pub(in super::super) fn not_a_list(scene: &Scene<'_>) -> Vec<Advice> {
    let claims = scene.searched();
    let nodes = scene.nodes();
    let projected = nodes.iter().filter_map(|node| match node {
        Ast::Projection { lhs, .. } => Some(&**lhs),
        _ => None,
    });
    let mut found = Vec::new();
    for list in projected {
        let Some(claim) = path(list) else { continue };
        for value in claims.iter().filter_map(|claims| search_node(list, claims)) {
            let (kind, help) = match &value {
                Value::String(text) if text.contains(['|', ',', ';']) => {
                    ("a string of several names", "send a list; the separated form belongs to headers")
                }
                Value::String(_) => ("a string", "send a list, even of one"),
                Value::Object(_) => ("an object", "send a list of names"),
                Value::Bool(_) | Value::Number(_) => ("no list", "send a list of names"),
                Value::Null | Value::Array(_) => continue,
            };
            found.push(Advice::new("not-a-list", format!("`{claim}` is {kind}: `{claim}[*]` is null"), help));
        }
    }
    found
}

/// A claim that is not there.
pub(in super::super) fn missing(scene: &Scene<'_>) -> Vec<Advice> {
    let mut wanted: Vec<String> = Vec::new();
    scene.ast.iter().for_each(|ast| read(ast, &mut wanted));
    let quoted = super::super::lexer::quoted(scene.path());
    let of_rule = |claim: &str| quoted.iter().any(|quoted| quoted.quote == '"' && quoted.inside == claim);
    let mut found = Vec::new();
    for claims in scene.searched() {
        for claim in &wanted {
            if at(claims, claim).is_some() || of_rule(claim) {
                continue;
            }
            let help = near_claim(claims, claim).map_or_else(
                || "see that the provider's scopes bring it".to_owned(),
                |near| format!("did you mean `{near}`, which is there?"),
            );
            found.push(Advice::new("claim-missing", format!("there is no claim `{claim}`"), help));
        }
    }
    found
}

/// The claims that `node` reads from the top; what is read of the items of a list is left out.
fn read(node: &Ast, found: &mut Vec<String>) {
    match node {
        Ast::Field { .. } => found.extend(path(node)),
        Ast::Subexpr { lhs, .. } => match path(lhs) {
            Some(_) => found.extend(path(node)),
            None => read(lhs, found),
        },
        Ast::Projection { lhs, .. } => read(lhs, found),
        Ast::Flatten { node, .. } | Ast::ObjectValues { node, .. } | Ast::Not { node, .. } => {
            read(node, found)
        }
        Ast::And { lhs, rhs, .. } | Ast::Or { lhs, rhs, .. } | Ast::Comparison { lhs, rhs, .. } => {
            read(lhs, found);
            read(rhs, found);
        }
        Ast::Function { args: nodes, .. } | Ast::MultiList { elements: nodes, .. } => {
            nodes.iter().for_each(|node| read(node, found));
        }
        _ => {}
    }
}

/// The claim at a dotted path; `null` counts as none.
fn at<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(claims, |value, name| value.get(name)).filter(|value| !value.is_null())
}

/// A claim that is there and may be meant.
fn near_claim(claims: &Value, wanted: &str) -> Option<String> {
    let last = wanted.rsplit('.').next().unwrap_or(wanted);
    let mut there = Vec::new();
    paths(claims, "", 0, &mut there);
    let named = |path: &&String| path.rsplit('.').next().is_some_and(|name| name.eq_ignore_ascii_case(last));
    let known: Vec<&str> = there.iter().map(String::as_str).collect();
    there.iter().find(named).cloned().or_else(|| {
        let said = ssoproof_deployment::suggestion(wanted, &known)?;
        said.strip_prefix("did you mean `").map(|rest| rest.trim_end_matches("`?").to_owned())
    })
}

/// The paths of all claims, three levels deep.
fn paths(value: &Value, prefix: &str, depth: usize, found: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        found.push(path.clone());
        if depth < 2 {
            paths(value, &path, depth + 1, found);
        }
    }
}

/// A name that is in the list but for its spelling.
pub(in super::super) fn near_miss(scene: &Scene<'_>) -> Vec<Advice> {
    let near = |(claim, wanted, value): (String, Option<String>, Value)| {
        let wanted = wanted?;
        let items = value.as_array()?;
        if items.iter().any(|item| item == &Value::from(wanted.as_str())) {
            return None;
        }
        items.iter().find_map(|item| {
            let how = difference(item, &wanted)?;
            let what = format!("`{claim}` holds {item}, and '{wanted}' is asked for: {how}");
            Some(Advice::new(
                "near-miss",
                what,
                "names are compared letter for letter: write it as the token has it",
            ))
        })
    };
    memberships(scene).into_iter().filter_map(near).collect()
}

/// How `item` misses `wanted`, when it is near.
fn difference(item: &Value, wanted: &str) -> Option<&'static str> {
    let text = match item {
        Value::Number(number) => {
            return (number.to_string() == wanted).then_some("a number is no string");
        }
        Value::Object(fields) => {
            let inside = fields.values().any(|value| value == &Value::from(wanted));
            return inside.then_some("the list holds objects, not names");
        }
        Value::String(text) => text,
        _ => return None,
    };
    if text.nfc().eq(wanted.nfc()) {
        Some("the same letters in another Unicode form (NFC, NFD): nothing normalises them")
    } else if text.trim() == wanted.trim() {
        Some("spaces differ")
    } else if text.to_lowercase() == wanted.to_lowercase() {
        Some("upper and lower case differ")
    } else if text.trim_start_matches('/') == wanted.trim_start_matches('/') {
        Some("a leading slash differs")
    } else if text.split(['|', ',', ';']).any(|part| part.trim() == wanted) {
        Some("several names in one string")
    } else {
        None
    }
}

/// `"false"` as a condition.
pub(in super::super) fn true_text(scene: &Scene<'_>) -> Vec<Advice> {
    let claims = scene.searched();
    let mut found = Vec::new();
    for node in scene.nodes() {
        let Ast::And { lhs, .. } = node else { continue };
        let Some(claim) = path(lhs).filter(|_| !matches!(**lhs, Ast::Function { .. })) else { continue };
        for value in claims.iter().filter_map(|claims| search_node(lhs, claims)) {
            let odd = match &value {
                Value::String(text) => {
                    ["false", "no", "off", "0", "null", "none"].contains(&text.to_lowercase().as_str())
                }
                Value::Number(number) => number.as_f64() == Some(0.0),
                _ => false,
            };
            if odd {
                let what = format!(
                    "`{claim}` is {value}, which holds as a condition: only false, null and what is empty do not"
                );
                let help = format!("compare: `{claim} == 'true'`, or send a boolean");
                found.push(Advice::new("true-text", what, help));
            }
        }
    }
    found
}
