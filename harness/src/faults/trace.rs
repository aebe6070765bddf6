//! What a case does on a stack without a fault.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::{Exchange, Link, Recorder};

use crate::evidence::RequestRecord;
use crate::runner::{self, CaseOutcome};
use crate::scenario::Case;
use crate::stacks::{Embedded, Reach, StackError};

/// What a case does, and what passes between the parts of its stack meanwhile.
#[derive(Default)]
pub(super) struct Trace {
    /// Whether it looks at Traefik's files by itself.
    pub(super) reads_files: bool,
    /// What its browsers ask.
    pub(super) requests: Vec<RequestRecord>,
    /// What passes while the stack starts.
    pub(super) start: Arc<Passed>,
    /// What passes after that.
    pub(super) after: Passed,
}

/// What passes between the parts of a stack.
#[derive(Default)]
pub(super) struct Passed {
    pub(super) exchanges: Vec<Exchange>,
    asked: OnceLock<Asked>,
}

/// What Authentik is asked.
struct Asked {
    /// Every path, query, body and host, in lower case.
    said: String,
    /// Whether something may be about anything: the API, or a client whose name is encoded.
    vague: bool,
}

impl Passed {
    fn new(exchanges: Vec<Exchange>) -> Self {
        Self { exchanges, asked: OnceLock::new() }
    }

    /// Whether Authentik is asked with one of `words`, which are in lower case, or in a way that may be about anything.
    pub(super) fn says_one(&self, words: &BTreeSet<String>) -> bool {
        let asked = self.asked.get_or_init(|| Asked::of(&self.exchanges));
        asked.vague || words.iter().any(|word| asked.said.contains(word.as_str()))
    }
}

impl Asked {
    fn of(exchanges: &[Exchange]) -> Self {
        let mut asked = Self { said: String::new(), vague: false };
        for request in exchanges.iter().filter(|one| one.link == Link::Authentik).map(|one| &one.request) {
            let uri = request.uri().to_string();
            let headers = |name: &str| {
                let values = request.headers().get_all(name).into_iter();
                values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>()
            };
            let basic = headers("authorization").iter().any(|value| value.starts_with("Basic "));
            asked.vague |= basic || uri.contains("/api/v3/") && !uri.contains("/api/v3/flows/executor/");
            let places = ["host", "x-forwarded-host", "x-forwarded-uri"].map(headers).concat();
            let body = String::from_utf8_lossy(request.body());
            for said in [uri.as_str(), &body].into_iter().chain(places.iter().map(|place| &**place)) {
                asked.said.push_str(said);
                asked.said.push('\n');
            }
        }
        asked.said = asked.said.to_lowercase();
        asked
    }
}

/// Takes traces of cases on forks of one stack.
pub(super) struct Tracer {
    stack: Arc<Embedded>,
    deployment: Arc<Deployment>,
    /// Forks that no case is on, as good as new.
    free: Mutex<Vec<Recorded>>,
}

/// A fork whose wires keep what passes.
struct Recorded {
    fork: Embedded,
    recorder: Recorder,
    /// What passed while it started.
    start: Arc<Passed>,
}

impl Tracer {
    pub(super) fn new(stack: Arc<Embedded>, deployment: Arc<Deployment>) -> Self {
        Self { stack, deployment, free: Mutex::default() }
    }

    /// Runs `case` on a fork that it has for itself meanwhile.
    pub(super) async fn take(&self, case: Arc<Case>) -> Result<(CaseOutcome, Trace), StackError> {
        let reach = case.reach();
        let free = if reach > Reach::Setup { None } else { self.free().pop() };
        let on = match free {
            Some(on) => on,
            None => {
                let recorder = Recorder::default();
                let fork = self.stack.recorded(reach, recorder.clone()).await?;
                Recorded { fork, start: Arc::new(Passed::new(recorder.take())), recorder }
            }
        };
        let reads_files = case.says("route") || reach.files();
        let outcome = runner::run_case(case, 1, &self.deployment, &on.fork).await;
        let requests = outcome.ledger.hops.iter().map(|hop| hop.request.clone()).collect();
        let after = Passed::new(on.recorder.take());
        let trace = Trace { reads_files, requests, start: on.start.clone(), after };
        if reach <= Reach::Setup {
            on.fork.renew().await;
            on.recorder.take();
            self.free().push(on);
        }
        Ok((outcome, trace))
    }

    fn free(&self) -> MutexGuard<'_, Vec<Recorded>> {
        self.free.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Trace {
    /// Whether its browsers dial one of `hosts`.
    pub(super) fn dials(&self, hosts: &BTreeSet<String>) -> bool {
        self.requests.iter().filter_map(|request| request.url.host_str()).any(|host| hosts.contains(host))
    }
}
