//! The gateway against Traefik: what was recorded of it, and the program itself where there is one.

mod client;
mod differential;
mod live;
mod recorded;
mod replay;
mod stub;
mod world;
