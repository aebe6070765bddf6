//! What a case does on a stack without a fault.

use std::collections::BTreeSet;
use std::sync::Arc;

use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::{Exchange, Recorder};

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
    pub(super) start: Vec<Exchange>,
    /// What passes after that.
    pub(super) exchanges: Vec<Exchange>,
}

impl Trace {
    /// Runs `case` on a fork of `stack` of its own.
    pub(super) async fn take(
        case: Arc<Case>,
        stack: &Embedded,
        deployment: &Deployment,
    ) -> Result<(CaseOutcome, Self), StackError> {
        let recorder = Recorder::default();
        let fork = stack.recorded(case.reach(), recorder.clone()).await?;
        let start = recorder.take();
        let reads_files = case.says("route") || case.reach() == Reach::Files;
        let outcome = runner::run_case(case, 1, deployment, &fork).await;
        let requests = outcome.ledger.hops.iter().map(|hop| hop.request.clone()).collect();
        Ok((outcome, Self { reads_files, requests, start, exchanges: recorder.take() }))
    }

    /// Whether its browsers dial one of `hosts`.
    pub(super) fn dials(&self, hosts: &BTreeSet<String>) -> bool {
        self.requests.iter().filter_map(|request| request.url.host_str()).any(|host| hosts.contains(host))
    }
}
