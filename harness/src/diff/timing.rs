//! How long answers take: told where people notice.

use std::collections::BTreeMap;

use super::align::{Pair, align};
use super::behaviour::Example;
use super::compare::{Difference, Kind};

/// How many times longer.
const FACTOR: u64 = 5;
/// And how much longer at least, in milliseconds: nobody notices less.
const NOTICEABLE: u64 = 500;
/// And in so many requests at least: one that had to wait says nothing.
const ENOUGH: usize = 3;

/// How long requests for one method, host and path take on both sides.
#[derive(Default)]
pub(super) struct Timings {
    places: BTreeMap<String, Vec<Timed>>,
}

/// A request that both sides have answered.
struct Timed {
    /// In milliseconds.
    took: (u64, u64),
    hops: (usize, usize),
    example: Example,
}

impl Timings {
    /// Takes a case that has run on both sides.
    pub(super) fn take(&mut self, example: &Example) {
        for pair in align(&example.from.hops, &example.to.hops) {
            let Pair::Both(at, of) = pair else { continue };
            let (ours, theirs) = (&example.from.hops[at], &example.to.hops[of]);
            let answered = ours.status.is_some() && theirs.status.is_some();
            let (Some(from), Some(to), true) = (ours.took, theirs.took, answered) else { continue };
            let timed = Timed { took: (from, to), hops: (at, of), example: example.clone() };
            self.places.entry(format!("{} {}{}", ours.method, ours.host, ours.path)).or_default().push(timed);
        }
    }

    /// Where the answers of one side take far longer than those of the other, by their medians.
    pub(super) fn differences(self) -> impl Iterator<Item = (Difference, Example)> {
        self.places.into_iter().filter(|(_, timed)| timed.len() >= ENOUGH).flat_map(|(place, timed)| {
            let from = median(timed.iter().map(|timed| timed.took.0));
            let to = median(timed.iter().map(|timed| timed.took.1));
            let shows = |took: (u64, u64)| far_apart((from, to)) && far_apart(took);
            let telling: Vec<Timed> = timed.into_iter().filter(|timed| shows(timed.took)).collect();
            telling.into_iter().map(move |Timed { hops, example, .. }| {
                let difference = Difference {
                    kind: Kind::Time,
                    place: place.clone(),
                    subject: String::new(),
                    from: Some(class(from)),
                    to: Some(class(to)),
                    renamed: None,
                    elsewhere: false,
                    hops: (Some(hops.0), Some(hops.1)),
                };
                (difference, example)
            })
        })
    }
}

fn far_apart((one, other): (u64, u64)) -> bool {
    let (less, more) = (one.min(other), one.max(other));
    more - less >= NOTICEABLE && more >= less.saturating_mul(FACTOR)
}

fn median(times: impl Iterator<Item = u64>) -> u64 {
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Milliseconds in words that are the same from run to run.
fn class(milliseconds: u64) -> String {
    match milliseconds {
        0..250 => "at once".to_owned(),
        250..1_000 => "under a second".to_owned(),
        _ => format!("about {} s", (milliseconds + 500) / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::record::{CaseRecord, HopRecord};
    use super::*;

    /// A case whose hops, all to one path, took so long.
    fn case(took: &[u64]) -> Arc<CaseRecord> {
        let hop = |took: &u64| HopRecord {
            method: "GET".into(),
            path: "/".into(),
            status: Some(200),
            took: Some(*took),
            ..HopRecord::default()
        };
        Arc::new(CaseRecord {
            id: "case".into(),
            hops: took.iter().map(hop).collect(),
            ..CaseRecord::default()
        })
    }

    fn between(from: &[u64], to: &[u64]) -> Vec<(Option<String>, Option<String>)> {
        let mut timings = Timings::default();
        timings.take(&Example { from: case(from), to: case(to) });
        let mut found: Vec<_> = timings.differences().map(|(found, _)| (found.from, found.to)).collect();
        found.dedup();
        found
    }

    #[test]
    fn what_takes_seconds_instead_of_nothing_is_told() {
        let words = |from: &str, to: &str| vec![(Some(from.to_owned()), Some(to.to_owned()))];
        assert_eq!(between(&[2, 3, 2], &[2_100, 1_900, 2_000]), words("at once", "about 2 s"));
        assert_eq!(between(&[5_000; 3], &[40; 3]), words("about 5 s", "at once"));
    }

    #[test]
    fn what_nobody_notices_or_happens_once_is_not() {
        assert_eq!(between(&[1; 3], &[450; 3]), [], "half a second");
        assert_eq!(between(&[2_000; 3], &[4_000; 3]), [], "twice as long");
        assert_eq!(between(&[2, 3, 2], &[2, 9_000, 3]), [], "one of three");
        assert_eq!(between(&[2, 3], &[9_000, 9_000]), [], "two alone");
    }
}
