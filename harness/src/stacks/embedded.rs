//! The in-process stack.

use std::path::Path;
use std::sync::Arc;

use ssoproof_deployment::Deployment;
use ssoproof_embedded::dial::Client;

use super::{Need, Secrets, Stack, StackError, StackFuture};

/// The in-process stack.
pub struct Embedded;
impl Embedded {
    /// x
    pub async fn start(_: Arc<Deployment>) -> Result<Self, StackError> {
        Err(StackError::Start { part: "x", reason: String::new() })
    }
}
impl Stack for Embedded {
    fn kind(&self) -> &'static str {
        "embedded"
    }
    fn client(&self) -> Client {
        unreachable!()
    }
    fn secrets(&self) -> &Secrets {
        unreachable!()
    }
    fn offers(&self, _: Need) -> bool {
        true
    }
    fn traefik_files(&self) -> &Path {
        Path::new("")
    }
    fn logs(&self, _: usize) -> Vec<(String, Vec<String>)> {
        Vec::new()
    }
    fn fork(&self) -> StackFuture<'_, Arc<dyn Stack>> {
        unreachable!()
    }
}
