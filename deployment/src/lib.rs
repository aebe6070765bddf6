//! What a single sign-on deployment promises: `deployment.yaml` and the Traefik dynamic files beside it.
//!
//! This crate reads files and nothing else: no sockets, no clocks, no globals.

mod load;
mod model;
mod period;
mod source;
pub mod traefik;

pub use model::{
    Apps, Auth, Bridge, Deployment, Deploys, Domain, EntryPoints, Grafana, Headers, Minio, Persona, Provider,
    Service, SigningKey, Statement, Traefik, Versions, is_within,
};
pub use period::{BadPeriod, Period};
pub use source::{Drawn, Located, Place, Problem, Source, suggestion};
