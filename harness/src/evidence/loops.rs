//! The loop detector: does an actor go round?
//!
//! A login passes the first URL twice, so a URL seen again proves nothing. Two things do: the same redirect for
//! the same request with the same cookies, or the same cycle twice in full. Across navigations there is a third
//! (authentik#2023): after a sign-out the next visit comes back signed in without anyone typing a password.

use std::cell::OnceCell;

use url::Url;

use super::ledger::{Cause, Hop};
use super::mask::{authority, mask_url};

/// A cycle was found.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopReport {
    /// What goes round.
    pub kind: LoopKind,
    /// The ledger index of the first hop of the cycle.
    pub start: usize,
    /// How many hops one round has.
    pub length: usize,
    /// One round, hop by hop.
    pub cycle: Vec<CycleStep>,
    /// Whether the cookies sent were the same, values included, from one round to the next.
    pub jar_steady: bool,
    /// The cycle in one line, for people.
    pub description: String,
}

/// What goes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoopKind {
    /// The browser by itself, without end.
    Redirects,
    /// The actor: a sign-out is undone by the next visit, which signs in silently.
    SignOutUndone,
    /// The actor: the same silent sign-in is needed again although nobody signed out.
    SilentSignInAgain,
}

/// One hop of a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleStep {
    /// The method.
    pub method: String,
    /// The URL with volatile values masked, see [`super::mask_url`].
    pub url: String,
    /// The status; 0 when there was no response.
    pub status: u16,
}

/// Finds redirect loops hop by hop, at little cost while there is none.
#[derive(Debug, Default)]
pub struct Detector {
    seen: Vec<Seen>,
}

/// What is kept of a hop.
#[derive(Debug)]
struct Seen {
    index: usize,
    method: String,
    url: Url,
    status: u16,
    target: Option<Url>,
    cookies: Vec<(String, String)>,
    masked: OnceCell<(String, Option<String>)>,
}

impl Seen {
    fn new(hop: &Hop) -> Self {
        let pairs = hop.request.cookies().into_iter();
        let mut cookies: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        cookies.sort();
        Self {
            index: hop.index,
            method: hop.request.method.clone(),
            url: hop.request.url.clone(),
            status: hop.status().unwrap_or_default(),
            target: hop.redirect_target(),
            cookies,
            masked: OnceCell::new(),
        }
    }

    fn masked(&self) -> &(String, Option<String>) {
        self.masked.get_or_init(|| (mask_url(&self.url), self.target.as_ref().map(mask_url)))
    }

    /// The same request with the same answer, cookies apart.
    fn same_place(&self, other: &Self) -> bool {
        self.status == other.status
            && self.method == other.method
            && self.url.path() == other.url.path()
            && self.url.host_str() == other.url.host_str()
            && self.masked() == other.masked()
    }

    fn same_cookie_names(&self, other: &Self) -> bool {
        let names = |seen: &Self| seen.cookies.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        self.cookies.len() == other.cookies.len() && names(self) == names(other)
    }

    fn step(&self) -> CycleStep {
        CycleStep { method: self.method.clone(), url: self.masked().0.clone(), status: self.status }
    }

    /// Host and path, as the description names a step.
    fn name(&self) -> String {
        format!("{}{}", authority(&self.url), self.url.path())
    }
}

impl Detector {
    /// Takes the next hop that led on by itself, and reports when a cycle is closed.
    pub fn push(&mut self, hop: &Hop) -> Option<LoopReport> {
        self.seen.push(Seen::new(hop));
        self.repeated_state().or_else(|| self.repeated_cycle())
    }

    /// The last hop is an earlier one once more, cookies and all: nothing can change from here on.
    fn repeated_state(&self) -> Option<LoopReport> {
        let (last, before) = self.seen.split_last()?;
        let twin = before.iter().rposition(|seen| seen.cookies == last.cookies && seen.same_place(last))?;
        let round = before.get(twin..)?;
        Some(report(LoopKind::Redirects, round, true))
    }

    /// The last hops are the same cycle twice in full. One hop alone must come four times: pages that set a
    /// cookie and redirect to themselves are common.
    fn repeated_cycle(&self) -> Option<LoopReport> {
        let count = self.seen.len();
        (1..=count / 2).find_map(|length| {
            let rounds = if length == 1 { 4 } else { 2 };
            let first = count.checked_sub(length * rounds)?;
            let tail = self.seen.get(first..)?;
            let (round, rest) = tail.split_at_checked(length)?;
            let again = rest.iter().zip(round.iter().cycle());
            if !again.clone().all(|(one, other)| one.same_place(other)) {
                return None;
            }
            let steady = again.clone().all(|(one, other)| one.cookies == other.cookies);
            Some(report(LoopKind::Redirects, round, steady))
        })
    }
}

fn report(kind: LoopKind, round: &[Seen], jar_steady: bool) -> LoopReport {
    let mut names: Vec<String> = round.iter().map(Seen::name).collect();
    names.extend(names.first().cloned());
    let path = names.join(" → ");
    let cookies = if jar_steady { "with the same cookies" } else { "with other cookies" };
    let description = match kind {
        LoopKind::Redirects if round.len() == 1 => format!("redirects go round every hop {cookies}: {path}"),
        LoopKind::Redirects => format!("redirects go round every {} hops {cookies}: {path}", round.len()),
        LoopKind::SignOutUndone => format!("the visit after the sign-out signs in silently: {path}"),
        LoopKind::SilentSignInAgain => format!("every visit signs in silently again: {path}"),
    };
    LoopReport {
        kind,
        start: round.first().map_or(0, |seen| seen.index),
        length: round.len(),
        cycle: round.iter().map(Seen::step).collect(),
        jar_steady,
        description,
    }
}

/// Looks for a loop in the hops of one actor, within each navigation and across them.
///
/// Hops by hand ([`Cause::Raw`]) and by programs ([`Cause::Api`]) do not count. What a person typed (a form, an
/// answer to the flow executor) ends a cycle: a login with a password is no loop however often it is done.
pub fn detect(hops: &[&Hop]) -> Option<LoopReport> {
    let visits = visits(hops);
    visits
        .iter()
        .find_map(Visit::redirect_loop)
        .or_else(|| sign_out_undone(&visits))
        .or_else(|| again(&visits))
}

/// What followed by itself from one act of the actor.
struct Visit<'a> {
    hops: Vec<&'a Hop>,
    /// Whether the act was typing: an answer to a stage, a form.
    typed: bool,
}

fn visits<'a>(hops: &[&'a Hop]) -> Vec<Visit<'a>> {
    let mut visits: Vec<Visit<'a>> = Vec::new();
    for hop in hops.iter().copied().filter(|hop| !matches!(hop.cause, Cause::Raw | Cause::Api)) {
        let typed = match hop.cause {
            Cause::Form => true,
            Cause::FlowExecutor => hop.request.method != "GET",
            _ => false,
        };
        match visits.last_mut() {
            Some(visit) if !typed && hop.cause != Cause::Start => visit.hops.push(hop),
            _ => visits.push(Visit { hops: vec![hop], typed }),
        }
    }
    visits
}

impl Visit<'_> {
    fn redirect_loop(&self) -> Option<LoopReport> {
        let mut detector = Detector::default();
        let led_on = self.hops.windows(2).filter_map(|pair| match pair {
            [hop, next] if leads_on(hop, next) => Some(*hop),
            _ => None,
        });
        // A browser that sees that it goes round stops before it follows once more.
        let last = self.hops.last().copied().filter(|hop| hop.redirect_target().is_some());
        led_on.chain(last).find_map(|hop| detector.push(hop))
    }

    /// The redirects of a visit that came back to its first URL by way of others, and what it came back to.
    fn round_trip(&self) -> Option<(Vec<Seen>, &Hop)> {
        let (last, way) = self.hops.split_last()?;
        let first = way.first()?;
        let plain = way.iter().all(|hop| hop.redirect_target().is_some());
        let home = plain
            && way.len() >= 2
            && last.redirect_target().is_none()
            && last.status().is_some_and(|status| status < 400);
        let back = home
            && first.request.method == last.request.method
            && mask_url(&first.request.url) == mask_url(&last.request.url);
        (back && !self.typed).then(|| (way.iter().map(|hop| Seen::new(hop)).collect(), *last))
    }

    fn signs_out(&self) -> bool {
        self.hops.iter().any(|hop| is_sign_out(&hop.request.url))
    }

    fn arrived_at(&self, host: Option<&str>) -> bool {
        self.hops.last().is_some_and(|hop| hop.status() == Some(200) && hop.request.url.host_str() == host)
    }
}

/// Whether the browser went on from `hop` to `next` by itself.
fn leads_on(hop: &Hop, next: &Hop) -> bool {
    match next.cause {
        Cause::Redirect(_) | Cause::MetaRefresh | Cause::Script => true,
        Cause::FlowExecutor => hop.cause != Cause::FlowExecutor && next.request.method == "GET",
        _ => false,
    }
}

/// A visit signs in silently at a host where the actor had been, after a sign-out, with nothing typed since.
fn sign_out_undone(visits: &[Visit<'_>]) -> Option<LoopReport> {
    let (mut been, mut signed_out): (Vec<Option<&str>>, bool) = (Vec::new(), false);
    for visit in visits {
        if visit.typed {
            signed_out = false;
        }
        if visit.signs_out() {
            signed_out = !been.is_empty();
            continue;
        }
        let host = visit.hops.first().and_then(|hop| hop.request.url.host_str());
        if signed_out
            && been.contains(&host)
            && let Some((round, home)) = visit.round_trip()
        {
            let steady = round.first().is_some_and(|first| first.cookies == Seen::new(home).cookies);
            return Some(report(LoopKind::SignOutUndone, &round, steady));
        }
        let end = visit.hops.last().and_then(|hop| hop.request.url.host_str());
        if visit.arrived_at(end) {
            been.push(end);
        }
    }
    None
}

/// The same silent sign-in twice, the second time with the cookies that the first one had brought.
fn again(visits: &[Visit<'_>]) -> Option<LoopReport> {
    let trips: Vec<(Vec<Seen>, Seen)> = visits
        .iter()
        .filter_map(|visit| visit.round_trip().map(|(round, home)| (round, Seen::new(home))))
        .collect();
    trips.iter().enumerate().find_map(|(place, (round, home))| {
        trips.get(place + 1..)?.iter().find_map(|(later, _)| {
            let first = later.first()?;
            let same = round.len() == later.len()
                && round.iter().zip(later).all(|(one, other)| one.same_place(other));
            (same && first.same_cookie_names(home))
                .then(|| report(LoopKind::SilentSignInAgain, later, first.cookies == home.cookies))
        })
    })
}

/// URLs that end a session somewhere: the outpost's sign_out and its query signature, end-session of a provider,
/// an invalidation flow, an app's own logout.
fn is_sign_out(url: &Url) -> bool {
    let path = url.path().trim_end_matches('/');
    path.ends_with("/outpost.goauthentik.io/sign_out")
        || path.ends_with("/end-session")
        || path.ends_with("/logout")
        || (path.starts_with("/if/flow/") && path.contains("invalidation"))
        || url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("X-authentik-logout"))
}

#[cfg(test)]
#[path = "loops_tests.rs"]
mod tests;
