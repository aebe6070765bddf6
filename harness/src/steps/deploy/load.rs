//! Strangers who ask for a service all along, and what they got.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ssoproof_embedded::dial::Client;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use crate::agent::{Agent, Limits, Outgoing};
use crate::evidence::{Backends, Cause, Hop, Ledger};
use crate::steps::Figure;

/// How many strangers ask at once.
const STRANGERS: usize = 2;
/// What strangers met while a file was rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The service.
    pub service: String,
    /// How many requests were answered from the first rewrite on.
    pub requests: usize,
    /// How many of them a service has answered.
    pub let_in: usize,
    /// From when the first of these was sent until the last of them was answered.
    pub window: Duration,
    /// Whether a service answered even before the first rewrite.
    pub open_before: bool,
    /// Whether a service still answered once everything was loaded.
    pub open: bool,
    /// The first and the last hop that a service has answered.
    pub hops: Option<(usize, usize)>,
}

impl Exposure {
    /// How long, and how many.
    pub fn told(&self) -> String {
        if self.let_in == 0 {
            return format!("none of {} anonymous requests was let in", self.requests);
        }
        let still = if self.open { " and still open" } else { "" };
        let (millis, let_in, requests) = (self.window.as_millis(), self.let_in, self.requests);
        format!("{millis} ms{still}, {let_in} of {requests} anonymous requests let in")
    }

    /// The same as figures for reports.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let window = Figure {
            name: "exposure",
            of: self.service.clone(),
            value: (self.window.as_secs_f64() * 1e4).round() / 10.0,
            unit: "ms",
            at_least: self.open,
        };
        let let_in = Figure {
            name: "let_in",
            value: u32::try_from(self.let_in).map_or(f64::MAX, f64::from),
            unit: "requests",
            ..window.clone()
        };
        vec![window, let_in]
    }
}

/// When a request was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Before,
    During,
    After,
}

/// The requests of strangers.
pub(super) struct Load {
    client: Client,
    url: Url,
    /// The longest time that one of them waits for an answer.
    patience: Duration,
    backends: Arc<Backends>,
    stopped: AtomicBool,
    /// How many answers each stranger has got.
    answered: watch::Sender<[usize; STRANGERS]>,
    tally: Mutex<Tally>,
}

struct Tally {
    phase: Phase,
    requests: usize,
    let_in: usize,
    open_before: bool,
    open: bool,
    /// When the first request that was let in was sent, and the last one answered, with their hops.
    first: Option<(Instant, Hop)>,
    last: Option<(Instant, Hop)>,
}

impl Load {
    /// Strangers who ask for `url`, and wait for an answer no longer than `patience`.
    pub(super) fn of(client: Client, url: &Url, backends: Arc<Backends>, patience: Duration) -> Self {
        let tally = Tally {
            phase: Phase::Before,
            requests: 0,
            let_in: 0,
            open_before: false,
            open: false,
            first: None,
            last: None,
        };
        Self {
            client,
            url: url.clone(),
            patience,
            backends,
            stopped: AtomicBool::new(false),
            answered: watch::Sender::new([0; STRANGERS]),
            tally: Mutex::new(tally),
        }
    }

    /// Asks until it is stopped.
    pub(super) async fn run(&self) {
        let strangers: [usize; STRANGERS] = std::array::from_fn(|number| number);
        futures::future::join_all(strangers.map(|number| self.ask(number))).await;
    }

    async fn ask(&self, number: usize) {
        let limits = Limits { timeout: self.patience, ..Limits::default() };
        while !self.stopped.load(Ordering::Relaxed) {
            let (phase, sent) = (self.tally().phase, Instant::now());
            // A browser of its own each time, as strangers have.
            let mut agent = Agent::new("stranger", self.client.clone(), limits);
            let mut ledger = Ledger { backends: self.backends.clone(), ..Ledger::default() };
            agent.exchange(Outgoing::get(self.url.clone()), Cause::Load, &mut ledger).await;
            if let Some(hop) = ledger.hops.pop() {
                self.tally().note(phase, sent, hop, &self.backends);
            }
            self.answered.send_modify(|answered| answered[number] += 1);
        }
    }

    /// Waits until every stranger has got the answer to a request that is not sent yet.
    pub(super) async fn round(&self) {
        let mut answered = self.answered.subscribe();
        let then = *answered.borrow();
        // The sender is this load's own.
        let _ = answered.wait_for(|now| now.iter().zip(then).all(|(now, then)| *now >= then + 2)).await;
    }

    /// Says that the first rewrite comes now.
    pub(super) fn begin(&self) {
        self.tally().phase = Phase::During;
    }

    /// Says that everything is loaded.
    pub(super) fn close(&self) {
        self.tally().phase = Phase::After;
    }

    /// Lets the strangers go.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// What they got. The first and the last hop that a service has answered go into `ledger`.
    pub(super) fn exposure(&self, service: &str, ledger: &mut Ledger) -> Exposure {
        let mut tally = self.tally();
        let kept = tally.first.take().zip(tally.last.take());
        let window = kept.as_ref().map_or(Duration::ZERO, |((sent, _), (end, _))| *end - *sent);
        Exposure {
            service: service.to_owned(),
            requests: tally.requests,
            let_in: tally.let_in,
            window,
            open_before: tally.open_before,
            open: tally.open,
            hops: kept.map(|((_, first), (_, last))| (ledger.push(first), ledger.push(last))),
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Tally {
    /// Notes what came of a request that was sent in `phase`. One that was under way at the first rewrite may have met it.
    fn note(&mut self, phase: Phase, sent: Instant, hop: Hop, backends: &Backends) {
        let open = backends.arrived(&hop).is_some() || backends.answers_silently(&hop);
        if (phase, self.phase) == (Phase::Before, Phase::Before) {
            self.open_before |= open;
            return;
        }
        self.requests += 1;
        if !open {
            return;
        }
        self.let_in += 1;
        self.open |= phase == Phase::After;
        if self.first.as_ref().is_none_or(|(first, _)| sent < *first) {
            self.first = Some((sent, hop.clone()));
        }
        self.last = Some((Instant::now(), hop));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposure(let_in: usize, open: bool) -> Exposure {
        Exposure {
            service: "docs".to_owned(),
            requests: 900,
            let_in,
            window: Duration::from_micros(54_250),
            open_before: false,
            open,
            hops: None,
        }
    }

    #[test]
    fn an_exposure_is_told_with_its_length_and_its_requests() {
        assert_eq!(exposure(0, false).told(), "none of 900 anonymous requests was let in");
        assert_eq!(exposure(31, false).told(), "54 ms, 31 of 900 anonymous requests let in");
        assert_eq!(exposure(31, true).told(), "54 ms and still open, 31 of 900 anonymous requests let in");
        let [window, let_in] = exposure(31, true).figures().try_into().unwrap();
        assert_eq!((window.value, let_in.value, window.at_least), (54.3, 31.0, true));
    }
}
