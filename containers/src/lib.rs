//! The stack in Docker containers: one file per component, each with its image, command, environment, mounts and
//! what it must answer before it counts as ready.
//!
//! Every container and network carries the labels of a [`Lab`], by which another process finds and removes what a
//! dead one left.

mod authentik;
mod component;
mod control;
mod docker;
mod grafana;
mod images;
mod lab;
mod minio;
mod postgres;
mod ready;
mod redis;
mod sigv4;
mod snapshot;
mod traefik;

pub use authentik::{
    AuthentikServer, AuthentikSettings, Defaults, defaults_applied, worker as authentik_worker,
};
pub use component::{Component, Planned};
pub use control::Control;
pub use docker::{Docker, Error};
pub use grafana::{GrafanaSettings, start as start_grafana};
pub use images::{Image, Images, repository};
pub use lab::{Lab, Labels};
pub use minio::{MinioSettings, start as start_minio};
pub use postgres::{Postgres, PostgresSettings};
pub use redis::{host as redis_host, plan as redis, ready as redis_ready};
pub use snapshot::Snapshot;
pub use traefik::{Traefik, TraefikSettings, upstreams_at};
