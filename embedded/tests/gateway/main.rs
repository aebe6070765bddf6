//! The gateway when files change, and beside the real program where there is one. What was recorded of that is replayed
//! by the test `truth`.

mod client;
mod differential;
mod live;
#[path = "../truth/traefik/normal.rs"]
mod normal;
mod stub;
mod world;
