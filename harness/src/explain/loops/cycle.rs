//! Whether a trail goes round: first as the loop detector of a run sees it, then with nested URLs flattened, then by
//! host and path alone.

use serde::Serialize;

use super::urls::collapsed;
use crate::evidence::loops::LoopKind;
use crate::evidence::{Cause, Hop, detect, mask_url};

/// One round of a loop.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// What goes round, in one line.
    pub what: String,
    /// How many hops one round has.
    pub period: usize,
    /// The hop where it turns, from 0: the first of a round.
    pub turns_at: usize,
    /// The URLs of one round with what differs from round to round masked.
    pub round: Vec<String>,
    /// Whether a sign-out is undone, rather than redirects going round.
    pub sign_out_undone: bool,
}

/// How often a cycle must come before it counts, where only host and path are compared.
const ROUNDS: usize = 3;

/// The loop in `hops`, if there is one.
pub(super) fn find(hops: &[&Hop]) -> Option<Round> {
    if let Some(report) = detect(hops) {
        return Some(Round {
            what: report.description,
            period: report.length,
            turns_at: report.start,
            round: report
                .cycle
                .iter()
                .map(|step| format!("{} {} {}", step.method, step.url, step.status))
                .collect(),
            sign_out_undone: report.kind != LoopKind::Redirects,
        });
    }
    repeated(hops, |hop| mask_url(&collapsed(&hop.request.url)), "the same pages come again and again")
        .or_else(|| repeated(hops, place, "the same places come again and again, with other parameters"))
}

fn place(hop: &Hop) -> String {
    let url = &hop.request.url;
    format!("{}{}", url.host_str().unwrap_or_default(), url.path())
}

/// The shortest cycle that comes [`ROUNDS`] times in a row without anything typed.
fn repeated(hops: &[&Hop], key: impl Fn(&Hop) -> String, what: &str) -> Option<Round> {
    let keys: Vec<(String, u16)> =
        hops.iter().map(|hop| (key(hop), hop.status().unwrap_or_default())).collect();
    let typed: Vec<bool> = hops.iter().map(|hop| typed(hop)).collect();
    let longest = keys.len() / ROUNDS;
    for period in 1..=longest.min(64) {
        // One page alone that comes again is a reload.
        let rounds = if period == 1 { ROUNDS + 2 } else { ROUNDS };
        for start in 0..(keys.len() + 1).saturating_sub(period * rounds) {
            let all = start..start + period * rounds;
            let same = all.clone().skip(period).all(|at| keys.get(at) == keys.get(at - period));
            let by_itself = !all.clone().any(|at| typed.get(at).copied().unwrap_or_default());
            let moves = all.clone().any(|at| hops.get(at).is_some_and(|hop| hop.redirect_target().is_some()));
            if same && by_itself && moves {
                let round = hops.get(start..start + period)?;
                return Some(Round {
                    what: format!("{what}, every {period} hops"),
                    period,
                    turns_at: round.first().map_or(start, |hop| hop.index),
                    round: round
                        .iter()
                        .map(|hop| {
                            let status = hop.status().unwrap_or_default();
                            format!("{} {} {status}", hop.request.method, key(hop))
                        })
                        .collect(),
                    sign_out_undone: false,
                });
            }
        }
    }
    None
}

fn typed(hop: &Hop) -> bool {
    match hop.cause {
        Cause::Form => true,
        Cause::FlowExecutor => hop.request.method != "GET",
        _ => false,
    }
}
