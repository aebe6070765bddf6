//! Which hop of one run is which hop of the other.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::record::HopRecord;

/// A hop of both runs, or of one of them, by its place in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    /// The same hop.
    Both(usize, usize),
    /// Only the first run made it.
    From(usize),
    /// Only the second run made it.
    To(usize),
}

/// Pairs hops by who made them, method, host and path.
pub(super) fn align(from: &[HopRecord], to: &[HopRecord]) -> Vec<Pair> {
    let key = |hop: &HopRecord| (hop.actor.clone(), hop.method.clone(), hop.host.clone(), hop.path.clone());
    let (ours, theirs): (Vec<_>, Vec<_>) = (from.iter().map(key).collect(), to.iter().map(key).collect());
    let mut pairs = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &ours, &theirs) {
        match op {
            DiffOp::Equal { old_index, new_index, len } => {
                pairs.extend((0..len).map(|at| Pair::Both(old_index + at, new_index + at)));
            }
            DiffOp::Delete { old_index, old_len, .. } => {
                pairs.extend((old_index..old_index + old_len).map(Pair::From));
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                pairs.extend((new_index..new_index + new_len).map(Pair::To));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                pairs.extend((old_index..old_index + old_len).map(Pair::From));
                pairs.extend((new_index..new_index + new_len).map(Pair::To));
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inserted_hop_moves_no_other() {
        let hop = |path: &str| HopRecord { path: path.into(), ..HopRecord::default() };
        let (from, to) = ([hop("/a"), hop("/b")], [hop("/a"), hop("/x"), hop("/b")]);
        assert_eq!(align(&from, &to), [Pair::Both(0, 0), Pair::To(1), Pair::Both(1, 2)]);
        assert_eq!(align(&to, &from), [Pair::Both(0, 0), Pair::From(1), Pair::Both(2, 1)]);
    }
}
