//! Flows: the plan of stages a browser goes through, the JSON executor and the pages around it.

pub(crate) mod answer;
pub(crate) mod avatar;
mod begin;
mod challenge;
mod csrf;
mod executor;
mod navigation;
mod page;
mod plan;
mod sign_in;
mod stage;
#[cfg(test)]
mod tests;

pub(crate) use begin::begin;
pub(crate) use challenge::BACKGROUND;
pub(crate) use csrf::forged;
pub(crate) use plan::Start;
pub(crate) use sign_in::csrf_cookie;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::shared::Shared;

/// The paths of this part.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(navigation::root))
        .route("/if/flow/{slug}/", get(page::flow))
        .route("/if/user/", get(page::user))
        .route("/if/admin/", get(page::admin))
        .route("/flows/-/default/{designation}/", get(navigation::default_flow))
        .route("/flows/-/cancel/", get(navigation::cancel))
        .route("/api/v3/flows/executor/{slug}/", get(executor::get).post(executor::post))
}
