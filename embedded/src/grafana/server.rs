//! One running Grafana.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::{Method, Request, Response};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::call::{Call, Reply};
use super::settings::Settings;
use super::shared::{Shared, SignIn};
use super::{api, login, pages};
use crate::listen::{self, Connection, LOOPBACK};

/// A Grafana. Dropping it stops it.
pub struct Grafana {
    shared: Arc<Shared>,
    address: SocketAddr,
    _stop: DropGuard,
}

impl Grafana {
    /// Starts on a free loopback port; the provider need not be up.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        Self::start_at(LOOPBACK, settings).await
    }

    /// Starts at `address`; port 0 means a free one. The provider need not be up.
    ///
    /// # Errors
    /// When it cannot be bound.
    pub async fn start_at(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(settings));
        let stop = CancellationToken::new();
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let serve = move |stream, _| serve(stream, app.clone());
        tokio::spawn(listen::accept(listener, stop.clone(), serve));
        Ok(Self { shared, address, _stop: stop.drop_guard() })
    }

    /// Where it answers: port 3000 of a real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Goes on with other settings, as after a restart: users and sessions stay.
    pub fn reconfigure(&self, settings: Settings) {
        self.shared.replace(settings);
    }

    /// Behaves as a new process with a fresh database: users, sessions and sign-ins are forgotten.
    pub fn forget(&self) {
        self.shared.forget();
    }

    /// The last 500 sign-ins that got as far as a role, oldest first, each with the trace of its mapping.
    pub fn mappings(&self) -> Vec<SignIn> {
        self.shared.state().sign_ins()
    }
}

async fn serve(stream: Connection, app: Router) {
    // A broken connection concerns the client alone.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).await;
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let current = shared.current();
    let call = Call::new(request, &current.sub_path);
    let get = matches!(call.method, Method::GET | Method::HEAD);
    let reply = match call.path.as_str() {
        path if path == "/api" || path.starts_with("/api/") => api::handle(&shared, &current, &call),
        "/login" if call.method == Method::POST => api::password_refused(),
        _ if !get => api::not_found(),
        "/login" => login::page(&shared, &current, &call),
        "/login/generic_oauth" => login::generic_oauth(&shared, &current, &call).await,
        "/logout" => login::logout(&shared, &current, &call),
        path if path.starts_with("/public/") => api::not_found(),
        _ => match shared.signed_in(&call.headers) {
            Some(user) => Reply::page(pages::home(&user, &current.path("/logout"))),
            None => login::to_login(&current, &call),
        },
    };
    reply.into_response()
}
