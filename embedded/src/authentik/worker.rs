//! Authentik's worker: it applies the default blueprints, says that it is alive, and answers for its health.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::server::serve;
use super::shared::Settings;
use super::store::Store;
use crate::listen;

/// How often it says that it is alive.
const BEAT: Duration = Duration::from_secs(5);

/// A running worker; it ends when this is dropped.
pub struct Worker {
    address: Option<SocketAddr>,
    _stop: DropGuard,
}

impl Worker {
    /// Starts one on `store`. Like the real one it answers `GET` and `HEAD` of any path at `address` for its health,
    /// and works on without where that address is taken.
    pub async fn start_at(address: SocketAddr, settings: Settings, store: Store) -> Self {
        let stop = CancellationToken::new();
        let bound = async {
            let listener = TcpListener::bind(address).await?;
            Ok::<_, std::io::Error>((listener.local_addr()?, listener))
        };
        let address = match bound.await {
            Ok((address, listener)) => {
                let router = router(store.clone());
                let serve = move |stream, _| serve(stream, router.clone());
                tokio::spawn(listen::accept(listener, stop.clone(), serve));
                Some(address)
            }
            Err(error) => {
                settings.logs.write("authentik", format!("no health at {address}: {error}"));
                None
            }
        };
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(work(&settings, &store)).await });
        Self { address, _stop: stop.drop_guard() }
    }

    /// Where it answers for its health; none when the address was taken.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }
}

async fn work(settings: &Settings, store: &Store) {
    let mut beat = tokio::time::interval(BEAT);
    let mut told = String::new();
    loop {
        store.wait().await;
        let done = async {
            store.apply_defaults(settings).await?;
            store.beat().await
        };
        let problem = done.await.map_or_else(|error| error.to_string(), |()| String::new());
        if problem != told && !problem.is_empty() {
            settings.logs.write("authentik", format!("worker failed: {problem}"));
        }
        told = problem;
        beat.tick().await;
    }
}

fn router(store: Store) -> Router {
    let health = async move || {
        let status =
            if store.ready().await.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    };
    Router::new().fallback(get(health))
}
