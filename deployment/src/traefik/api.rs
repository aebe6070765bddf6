//! The running configuration as Traefik's API shows it.

use serde_json::{Map, Value, json};

use super::config::{Middleware, Router, RuntimeConfig, Status};
use super::profile::Profile;

impl RuntimeConfig {
    /// The list at `/api/http/routers`, without the routers Traefik adds itself.
    pub fn api_routers(&self, profile: &Profile) -> Value {
        self.routers.iter().map(|router| api_router(router, profile)).collect()
    }

    /// The list at `/api/http/middlewares`, without their settings.
    pub fn api_middlewares(&self) -> Value {
        self.middlewares.iter().map(api_middleware).collect()
    }
}

fn api_router(router: &Router, profile: &Profile) -> Value {
    let mut shown = Map::new();
    let mut show = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    show("entryPoints", json!(router.entry_points));
    if !router.middlewares.is_empty() {
        show("middlewares", json!(router.middlewares));
    }
    if let Some(service) = &router.definition.service {
        show("service", json!(**service));
    }
    if !router.rule_text().is_empty() {
        show("rule", json!(router.rule_text()));
    }
    if let Some(priority) = router.priority {
        show("priority", json!(priority));
    }
    if router.tls {
        let tls = router.definition.tls.as_ref();
        let mut settings = Map::new();
        if let Some(options) = tls.and_then(|tls| tls.options.as_ref()) {
            settings.insert("options".to_owned(), json!(**options));
        }
        if let Some(resolver) = tls.and_then(|tls| tls.cert_resolver.as_ref()) {
            settings.insert("certResolver".to_owned(), json!(**resolver));
        }
        show("tls", Value::Object(settings));
    }
    if profile.shows_observability {
        show(
            "observability",
            json!({ "accessLogs": true, "metrics": true, "tracing": true, "traceVerbosity": "minimal" }),
        );
    }
    if !router.errors.is_empty() {
        show("error", json!(router.errors));
    }
    show("status", json!(router.status.word()));
    if !router.using.is_empty() {
        show("using", json!(router.using));
    }
    show("name", json!(router.name));
    show("provider", json!("file"));
    if profile.shows_priority_text {
        show("priorityStr", json!(router.priority.unwrap_or_default().to_string()));
    }
    Value::Object(shown)
}

fn api_middleware(middleware: &Middleware) -> Value {
    let mut shown = Map::new();
    if middleware.status != Status::Enabled {
        shown.insert("error".to_owned(), json!(middleware.errors));
    }
    shown.insert("status".to_owned(), json!(middleware.status.word()));
    if !middleware.used_by.is_empty() {
        shown.insert("usedBy".to_owned(), json!(middleware.used_by));
    }
    shown.insert("name".to_owned(), json!(middleware.name));
    shown.insert("provider".to_owned(), json!("file"));
    shown.insert("type".to_owned(), json!(middleware.kind));
    Value::Object(shown)
}
