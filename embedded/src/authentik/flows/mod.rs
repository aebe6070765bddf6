//! Flows: the plan of stages a browser goes through, the JSON executor and the pages around it.

pub(crate) mod answer;
mod begin;
mod plan;

pub(crate) use begin::begin;
pub(crate) use plan::Start;

use std::sync::Arc;

use axum::Router;

use super::shared::Shared;

/// The paths of this part.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
}
