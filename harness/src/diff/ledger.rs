//! Both ledgers of an example, side by side.

use super::align::{Pair, align};
use super::behaviour::{Behaviour, Example};

/// A hop of both ledgers.
pub(super) struct Row {
    /// Whether it is the hop in question.
    pub(super) turning: bool,
    /// The hop on the first side, numbered.
    pub(super) from: Option<String>,
    /// The hop on the second side, numbered.
    pub(super) to: Option<String>,
}

/// Both ledgers of `behaviour`'s example, hop beside hop.
pub(super) fn rows(behaviour: &Behaviour) -> Vec<Row> {
    let Example { from, to } = &behaviour.example;
    let ours = |at: usize| Some(format!("{} {}", at + 1, from.hops[at].line()));
    let theirs = |at: usize| Some(format!("{} {}", at + 1, to.hops[at].line()));
    let (turning_from, turning_to) = behaviour.difference.hops;
    align(&from.hops, &to.hops)
        .into_iter()
        .map(|pair| match pair {
            Pair::Both(one, other) => Row {
                turning: turning_from == Some(one) && turning_to == Some(other),
                from: ours(one),
                to: theirs(other),
            },
            Pair::From(at) => Row { turning: turning_from == Some(at), from: ours(at), to: None },
            Pair::To(at) => Row { turning: turning_to == Some(at), from: None, to: theirs(at) },
        })
        .collect()
}
