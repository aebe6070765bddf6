//! Whether a new text says the same as the old one but for the middlewares of the routers meant.

use std::collections::HashSet;

use ssoproof_deployment::Located;
use ssoproof_deployment::traefik::{Node, NodeValue, names};

use crate::name::MiddlewareName;

/// Whether `new` is `old` with `middleware` put first in the list of some of `routers`, and nothing else.
pub(super) fn differs_only_in(
    old: &Node,
    new: &Node,
    routers: &HashSet<&str>,
    middleware: &MiddlewareName,
) -> bool {
    let routers_of = |http: &Node, other: &Node| {
        same_map(http, other, &|name, one, two| {
            if !name.eq_ignore_ascii_case("routers") {
                return same(one, two);
            }
            same_map(one, two, &|router, one, two| {
                if routers.contains(router) { same_router(one, two, middleware) } else { same(one, two) }
            })
        })
    };
    same_map(old, new, &|name, one, two| {
        if name.eq_ignore_ascii_case("http") { routers_of(one, two) } else { same(one, two) }
    })
}

/// Whether `node` is something that Traefik reads as a list of names.
fn is_names(node: &Node) -> bool {
    match &node.value {
        NodeValue::Null | NodeValue::Text(_) => true,
        NodeValue::List(items) => {
            items.iter().all(|item| matches!(item.value, NodeValue::Text(_) | NodeValue::Null))
        }
        NodeValue::Map(entries) => entries.is_empty(),
    }
}

/// Whether the fields of a router are the same but for its list, and the list is the same or has `middleware` first.
fn same_router(old: &Node, new: &Node, middleware: &MiddlewareName) -> bool {
    let (NodeValue::Map(old), NodeValue::Map(new)) = (&old.value, &new.value) else { return false };
    let (old, old_lists) = parted(old);
    let (new, new_lists) = parted(new);
    let rest_is_same = old.len() == new.len()
        && old.iter().all(|(name, value)| new.iter().any(|(other, new)| other == name && same(value, new)));
    rest_is_same
        && match (old_lists.as_slice(), new_lists.as_slice()) {
            ([], [new]) => is_put_first(&[], new, middleware),
            ([old], [new]) => same(old, new) || is_names(old) && is_put_first(&names(old), new, middleware),
            (old, new) => old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new)),
        }
}

/// The fields of a router, and its lists of middlewares: one, or several in different cases.
fn parted(entries: &[(Located<String>, Node)]) -> (Vec<(&str, &Node)>, Vec<&Node>) {
    let (mut rest, mut lists) = (Vec::new(), Vec::new());
    for (name, value) in entries {
        if name.eq_ignore_ascii_case("middlewares") {
            lists.push(value);
        } else {
            rest.push((name.as_str(), value));
        }
    }
    (rest, lists)
}

fn is_put_first(old: &[String], new: &Node, middleware: &MiddlewareName) -> bool {
    let new_names = names(new);
    is_names(new)
        && new_names.split_first().is_some_and(|(first, rest)| first == middleware.as_str() && rest == old)
}

/// Whether both are the same mapping, with `same` for the values of each name; or the same at all.
fn same_map(old: &Node, new: &Node, same_value: &dyn Fn(&str, &Node, &Node) -> bool) -> bool {
    match (&old.value, &new.value) {
        (NodeValue::Map(old), NodeValue::Map(new)) => {
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
        (NodeValue::Null, NodeValue::Null) => true,
        (NodeValue::Text(old), NodeValue::Text(new)) => old == new,
        (NodeValue::List(old), NodeValue::List(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
        }
        (NodeValue::Map(_), NodeValue::Map(_)) => same_map(old, new, &|_, old, new| same(old, new)),
        _ => false,
    }
}
