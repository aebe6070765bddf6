//! One running Authentik: server, worker and embedded outpost on one port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract;
use axum::middleware::{Next, from_fn_with_state, map_response};
use http::{Request, Response, StatusCode};
use http_body_util::Limited;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower_service::Service as _;

use super::flows::answer;
use super::shared::{Settings, Shared};
use super::state::State;
use super::store::{Store, StoreError};
use super::writer::Writer;
use super::{api, bootstrap, flows, health, oauth2, outpost};
use crate::listen::{self, Connection, LOOPBACK};

/// The longest request body taken, in bytes.
const MAX_BODY: usize = 1 << 20;
/// The longest time a request's header may take.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest time a request may wait for the database.
const PATIENCE: Duration = Duration::from_millis(4_500);

/// An Authentik, plain HTTP: port 9000 of a real one. Dropping it closes every connection.
pub struct Authentik {
    shared: Arc<Shared>,
    address: SocketAddr,
    _stop: DropGuard,
}

impl Authentik {
    /// Starts on a free loopback port, with the state of `settings` or a fresh database.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        Self::start_at(LOOPBACK, settings).await
    }

    /// Starts at `address` (port 0 means a free one), with the state of `settings` or a fresh database.
    ///
    /// # Errors
    /// When it cannot be bound.
    pub async fn start_at(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = match (&settings.state, &settings.store) {
            (Some(state), _) => state.clone(),
            // It is read with the first request.
            (None, Some(_)) => State { secret_key: settings.secret_key(), ..State::default() },
            (None, None) => bootstrap::fresh(&settings),
        };
        let shared = Arc::new(Shared::new(state, settings.profile, settings.logs, address.to_string()));
        let stop = CancellationToken::new();
        let router = match settings.store {
            Some(store) => router(shared.clone()).layer(from_fn_with_state((store, shared.clone()), kept)),
            None => router(shared.clone()),
        };
        let serve = move |stream, _| serve(stream, router.clone());
        tokio::spawn(listen::accept(listener, stop.clone(), serve));
        Ok(Self { shared, address, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops its worker, as `SIGSTOP` would: the outpost does not learn of core sessions that end, and lets their
    /// users in (`60-slo-latency`). It has no effect on what a [`Store`](super::Store) keeps for others.
    pub fn stop_worker(&self) {
        self.shared.state_mut().worker_stopped = true;
    }

    /// Lets the worker go on: what it has missed is done at once.
    pub fn continue_worker(&self) {
        let mut state = self.shared.state_mut();
        state.worker_stopped = false;
        state.drop_ended();
    }

    /// Lets `change` edit all it knows, as a hand in its database would.
    pub fn edit<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.shared.state_mut())
    }

    /// A copy of all it knows, with which another can start: sessions and tokens stay valid there.
    pub fn state(&self) -> State {
        self.shared.state().clone()
    }
}

/// Everything the port answers: the outpost below `/outpost.goauthentik.io/`, the core elsewhere.
fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .merge(oauth2::routes())
        .merge(api::routes())
        .merge(flows::routes())
        .merge(health::core_routes())
        .layer(map_response(async |response| answer::core_headers(response)))
        .merge(health::front_routes())
        .merge(outpost::routes())
        .fallback(async || answer::not_found())
        .with_state(shared)
}

/// Answers a request from what the database holds, and only once what it changed is kept there.
async fn kept(
    extract::State((store, shared)): extract::State<(Store, Arc<Shared>)>,
    request: Request<Body>,
    next: Next,
) -> Response<Body> {
    let path = request.uri().path();
    if health::needs_no_database(path) {
        return next.run(request).await;
    }
    let (refused, readiness) = (path.to_owned(), health::is_readiness(path));
    let failed = |error: StoreError| {
        shared.logs.write("authentik", format!("failed to answer {refused}: {error}"));
        answer::blank(if readiness {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        })
    };
    let deadline = Instant::now() + PATIENCE;
    let prepared = async {
        if readiness {
            store.ready().await?;
        }
        store.refresh(&shared).await
    };
    if let Err(error) = in_time(deadline, prepared).await {
        return failed(error);
    }
    let writer = Writer::default();
    let response = writer.at(next.run(request)).await;
    match in_time(deadline, store.flush(&shared, &writer)).await {
        Ok(()) => response,
        Err(error) => failed(error),
    }
}

async fn in_time(
    deadline: Instant,
    outcome: impl Future<Output = Result<(), StoreError>>,
) -> Result<(), StoreError> {
    timeout_at(deadline, outcome).await.unwrap_or_else(|_| Err(StoreError::silent()))
}

/// Answers the requests of one connection.
pub(super) async fn serve(stream: Connection, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| {
        let request = request.map(|body| Body::new(Limited::new(body, MAX_BODY)));
        let answer = router.clone().call(request);
        async { answer.await.map_or_else(|never| match never {}, outpost::answer::unless_dropped) }
    });
    // A broken connection concerns the client alone.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
