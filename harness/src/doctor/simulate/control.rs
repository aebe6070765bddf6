//! The control: files as they should be, through which users sign in.

use serde_json::json;
use ssoproof_deployment::Deployment;
use tempfile::TempDir;

use super::upstreams::{AUTHENTIK, CONTROL};
use crate::infer;
use crate::stacks::host_of;

/// Files as they should be: the control, through which users sign in.
pub(super) fn files(deployment: &Deployment) -> std::io::Result<TempDir> {
    let upstream = format!("http://{AUTHENTIK}");
    let headers: Vec<&str> = infer::IDENTITY.to_vec();
    let mut routers = serde_json::Map::new();
    let mut add = |name: String, rule: String, service: &str, guarded: bool| {
        let middlewares: &[&str] = if guarded { &["authentik"] } else { &[] };
        for (entry, tls) in [("web", None), ("websecure", Some(json!({})))] {
            let mut router = json!({ "rule": rule, "service": service, "entryPoints": [entry], "middlewares": middlewares });
            if let Some(tls) = tls {
                router["tls"] = tls;
            }
            routers.insert(format!("{name}-{entry}"), router);
        }
    };
    if let Some(host) = host_of(&deployment.auth.url) {
        add("auth".to_owned(), format!("Host(`{host}`)"), "authentik", false);
    }
    for (slug, service) in &deployment.services {
        let Some(host) = host_of(&service.url) else { continue };
        add(slug.clone(), format!("Host(`{host}`)"), "control", true);
        let outpost = format!("Host(`{host}`) && PathPrefix(`/outpost.goauthentik.io/`)");
        add(format!("{slug}-outpost"), outpost, "authentik", false);
    }
    let server = |url: &str| json!({ "loadBalancer": { "servers": [{ "url": url }] } });
    let address = format!("{upstream}/outpost.goauthentik.io/auth/traefik");
    let files = json!({ "http": {
        "routers": routers,
        "middlewares": { "authentik": { "forwardAuth": { "address": address, "authResponseHeaders": headers } } },
        "services": { "authentik": server(&upstream), "control": server(&format!("http://{CONTROL}")) },
    } });
    let folder = tempfile::Builder::new().prefix("doctor-control-").tempdir()?;
    std::fs::write(folder.path().join("control.yml"), files.to_string())?;
    Ok(folder)
}
