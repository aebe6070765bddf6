//! The running configuration as Traefik's API shows it.

use serde_json::{Map, Value, json};

use super::config::{Middleware, Router, RuntimeConfig, Status, qualified, unqualified};
use super::dynamic::{ForwardAuth, HeaderEdits, MiddlewareType};
use super::profile::Profile;

impl RuntimeConfig {
    /// The list at `/api/http/routers`, without the routers Traefik adds itself.
    pub fn api_routers(&self, profile: &Profile) -> Value {
        self.routers.iter().map(|router| api_router(router, profile)).collect()
    }

    /// The list at `/api/http/middlewares`.
    pub fn api_middlewares(&self, profile: &Profile) -> Value {
        let shown = |middleware: &Middleware| {
            let name = unqualified(&middleware.name);
            let definition = self.dynamic.middlewares.get(name);
            let types = definition.map(|definition| definition.types.as_slice()).unwrap_or_default();
            api_middleware(middleware, types, profile)
        };
        self.middlewares.iter().map(shown).collect()
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
        let options = tls.and_then(|tls| tls.options.as_ref());
        settings.insert("options".to_owned(), json!(options.map_or("default", |options| options.as_str())));
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

fn api_middleware(middleware: &Middleware, types: &[MiddlewareType], profile: &Profile) -> Value {
    let mut shown = Map::new();
    for made in types {
        shown.insert(made.name().to_owned(), settings(made, profile));
    }
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

/// The settings of a middleware as the API shows them: those that are set, and the defaults of the version.
fn settings(made: &MiddlewareType, profile: &Profile) -> Value {
    let names = |names: &[String]| json!(names);
    set(match made {
        MiddlewareType::ForwardAuth(auth) => return forward_auth(auth, profile),
        MiddlewareType::Headers(HeaderEdits { request, response }) => {
            let lines = |lines: &[(String, String)]| {
                Value::Object(lines.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
            };
            vec![("customRequestHeaders", lines(request)), ("customResponseHeaders", lines(response))]
        }
        MiddlewareType::RedirectScheme(redirect) => vec![
            ("scheme", json!(redirect.scheme)),
            ("port", json!(redirect.port)),
            ("permanent", json!(redirect.permanent)),
        ],
        MiddlewareType::RedirectRegex { regex, replacement, permanent } => vec![
            ("regex", json!(regex)),
            ("replacement", json!(replacement)),
            ("permanent", json!(permanent)),
        ],
        MiddlewareType::StripPrefix(prefixes) => vec![("prefixes", names(prefixes))],
        MiddlewareType::AddPrefix(prefix) => vec![("prefix", json!(prefix))],
        MiddlewareType::ReplacePath(path) => vec![("path", json!(path))],
        MiddlewareType::ReplacePathRegex { regex, replacement } => {
            vec![("regex", json!(regex)), ("replacement", json!(replacement))]
        }
        MiddlewareType::Chain(chain) => {
            let chain: Vec<_> = chain.iter().map(|name| qualified(name)).collect();
            vec![("middlewares", names(&chain))]
        }
        MiddlewareType::Unmodelled(_) => Vec::new(),
    })
}

fn forward_auth(auth: &ForwardAuth, profile: &Profile) -> Value {
    let mut fields = vec![
        ("address", json!(auth.address)),
        ("trustForwardHeader", auth.trust_forward_header.map_or(Value::Null, |trust| json!(trust))),
        ("authResponseHeaders", json!(auth.response_headers)),
        ("authResponseHeadersRegex", json!(auth.response_headers_pattern.as_deref().unwrap_or_default())),
        ("authRequestHeaders", json!(auth.request_headers)),
        ("addAuthCookiesToResponse", json!(auth.cookies)),
        ("forwardBody", json!(auth.forward_body)),
    ];
    if profile.forward_auth_fields.contains(&"maxBodySize") {
        fields.push(("maxBodySize", json!(auth.max_body)));
    }
    if auth.max_response_body >= 0 {
        fields.push(("maxResponseBodySize", json!(auth.max_response_body)));
    }
    fields.push(("preserveLocationHeader", json!(auth.preserve_location)));
    fields.push(("preserveRequestMethod", json!(auth.preserve_method)));
    set(fields)
}

/// The fields that are not empty.
fn set(fields: Vec<(&str, Value)>) -> Value {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    let kept = fields.into_iter().filter(|(_, value)| !empty(value));
    Value::Object(kept.map(|(name, value)| (name.to_owned(), value)).collect())
}
