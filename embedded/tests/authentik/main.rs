//! The embedded Authentik answers as `truth/authentik` records the real one.

mod api;
mod client;
mod health;
mod login;
mod logout;
