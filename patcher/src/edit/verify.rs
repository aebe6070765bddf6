//! Whether a new text says the same as the old one but for the middlewares of the routers meant.

use ssoproof_deployment::traefik::{Node, Value, names};

use crate::name::MiddlewareName;

/// Whether `new` is `old` with `middleware` put first in the list of some of `routers`, and nothing else.
pub(super) fn differs_only_in(old: &Node, new: &Node, routers: &[&str], middleware: &MiddlewareName) -> bool {
    let routers_of = |http: &Node, other: &Node| {
        same_map(http, other, &|name, one, two| {
            if !name.eq_ignore_ascii_case("routers") {
                return same(one, two);
            }
            same_map(one, two, &|router, one, two| {
                if routers.contains(&router) { same_router(one, two, middleware) } else { same(one, two) }
            })
        })
    };
    same_map(old, new, &|name, one, two| {
        if name.eq_ignore_ascii_case("http") { routers_of(one, two) } else { same(one, two) }
    })
}

/// Whether `node` is something that Traefik reads as a list of names.
pub(super) fn is_names(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Text(_) => true,
        Value::List(items) => items.iter().all(|item| matches!(item.value, Value::Text(_) | Value::Null)),
        Value::Map(entries) => entries.is_empty(),
    }
}

fn same_router(old: &Node, new: &Node, middleware: &MiddlewareName) -> bool {
    let (Value::Map(old), Value::Map(new)) = (&old.value, &new.value) else { return false };
    type Entries = [(ssoproof_deployment::Located<String>, Node)];
    let is_list = |name: &str| name.eq_ignore_ascii_case("middlewares");
    fn rest<'a>(entries: &'a Entries, is_list: impl Fn(&str) -> bool) -> Vec<(&'a str, &'a Node)> {
        entries
            .iter()
            .filter(|(name, _)| !is_list(name))
            .map(|(name, value)| (name.as_str(), value))
            .collect()
    }
    let (old_rest, new_rest) = (rest(old, is_list), rest(new, is_list));
    if old_rest.len() != new_rest.len()
        || !old_rest.iter().all(|(name, value)| {
            new_rest.iter().any(|(other, new_value)| other == name && same(value, new_value))
        })
    {
        return false;
    }
    let list = |entries: &Entries| -> Option<Vec<Node>> {
        Some(entries.iter().filter(|(name, _)| is_list(name)).map(|(_, value)| value.clone()).collect())
    };
    let (Some(old), Some(new)) = (list(old), list(new)) else { return false };
    match (old.as_slice(), new.as_slice()) {
        (old, [new]) if old.len() <= 1 => {
            let before = old.first();
            if before.is_some_and(|before| same(before, new)) {
                return true;
            }
            let mut wanted = vec![middleware.as_str().to_owned()];
            wanted.extend(before.map(names).unwrap_or_default());
            before.is_none_or(is_names) && is_names(new) && names(new) == wanted
        }
        (old, new) => old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new)),
    }
}

/// Whether both are the same mapping, with `same` for the values of each name; or the same at all.
fn same_map(old: &Node, new: &Node, same_value: &dyn Fn(&str, &Node, &Node) -> bool) -> bool {
    match (&old.value, &new.value) {
        (Value::Map(old), Value::Map(new)) => {
            // Entries stand in the same order nearly always.
            old.len() == new.len()
                && old.iter().enumerate().all(|(index, (name, value))| {
                    let beside = new.get(index).filter(|(other, _)| other.value == name.value);
                    beside
                        .or_else(|| new.iter().find(|(other, _)| other.value == name.value))
                        .is_some_and(|(_, other)| same_value(name, value, other))
                })
        }
        _ => same(old, new),
    }
}

fn same(old: &Node, new: &Node) -> bool {
    match (&old.value, &new.value) {
        (Value::Null, Value::Null) => true,
        (Value::Text(old), Value::Text(new)) => old == new,
        (Value::List(old), Value::List(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
        }
        (Value::Map(_), Value::Map(_)) => same_map(old, new, &|_, old, new| same(old, new)),
        _ => false,
    }
}
