//! PostgreSQL as the place where an Authentik keeps its state.

mod connection;
mod keep;
mod redis;

pub use connection::StoreError;
pub use keep::Store;
pub use redis::Redis;
