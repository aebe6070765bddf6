//! The embedded grafana.
