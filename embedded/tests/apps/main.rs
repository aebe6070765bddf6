//! Grafana and the probe services, by themselves.

mod browser;
mod grafana;
mod idp;
mod probe;
mod roles;
mod signout;
