//! ssoproof: a compliance and end-to-end test harness for single sign-on with Traefik and Authentik.

pub mod agent;
pub mod evidence;
