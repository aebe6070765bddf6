//! The faults, a file for each group. One more is one more row.

mod bridge;
mod claims;
mod cookies;
mod devpush;
mod forwarded;
mod grafana;
mod headers;
mod infrastructure;
mod keys;
mod logout;
mod minio;
mod oidc;
mod outpost;
mod redirects;
mod traefik;

use super::fault::Fault;

/// Every group.
pub(super) const ALL: &[&[Fault]] = &[
    redirects::FAULTS,
    cookies::FAULTS,
    headers::FAULTS,
    forwarded::FAULTS,
    outpost::FAULTS,
    oidc::FAULTS,
    keys::FAULTS,
    claims::FAULTS,
    grafana::FAULTS,
    minio::FAULTS,
    traefik::FAULTS,
    logout::FAULTS,
    bridge::FAULTS,
    infrastructure::FAULTS,
    devpush::FAULTS,
];
