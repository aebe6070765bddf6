//! Grafana and the probe services, by themselves.

mod roles;
