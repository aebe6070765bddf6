//! From the tree of one file to what it defines.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dynamic::{
    At, Dynamic, ForwardAuth, HeaderEdits, LoadBalancer, MiddlewareDefinition, MiddlewareType,
    RedirectScheme, RouterDefinition, Server, ServiceDefinition, ServiceType, Tls, TransportDefinition,
    Unmodelled,
};
use super::fields::Fields;
use super::profile::Profile;
use super::tree::{self, Node, Value};
use crate::source::{Located, Place, Problem, Source};

/// Middleware types that Traefik knows and that are not modelled.
const OTHER_MIDDLEWARES: [&str; 16] = [
    "basicAuth",
    "buffering",
    "circuitBreaker",
    "compress",
    "contentType",
    "digestAuth",
    "errors",
    "grpcWeb",
    "inFlightReq",
    "ipAllowList",
    "ipWhiteList",
    "passTLSClientCert",
    "plugin",
    "rateLimit",
    "retry",
    "stripPrefixRegex",
];

/// Fields of `headers` that are not modelled.
const OTHER_HEADERS: [&str; 31] = [
    "accessControlAllowCredentials",
    "accessControlAllowHeaders",
    "accessControlAllowMethods",
    "accessControlAllowOriginList",
    "accessControlAllowOriginListRegex",
    "accessControlExposeHeaders",
    "accessControlMaxAge",
    "addVaryHeader",
    "allowedHosts",
    "hostsProxyHeaders",
    "sslProxyHeaders",
    "stsSeconds",
    "stsIncludeSubdomains",
    "stsPreload",
    "forceSTSHeader",
    "frameDeny",
    "customFrameOptionsValue",
    "contentTypeNosniff",
    "browserXssFilter",
    "customBrowserXSSValue",
    "contentSecurityPolicy",
    "contentSecurityPolicyReportOnly",
    "publicKey",
    "referrerPolicy",
    "permissionsPolicy",
    "isDevelopment",
    "featurePolicy",
    "sslRedirect",
    "sslTemporaryRedirect",
    "sslHost",
    "sslForceHost",
];

const OTHER_TRANSPORT: [&str; 12] = [
    "serverName",
    "rootCAs",
    "certificates",
    "maxIdleConnsPerHost",
    "forwardingTimeouts",
    "disableHTTP2",
    "peerCertURI",
    "spiffe",
    "minVersion",
    "maxVersion",
    "cipherSuites",
    "certificatesSHA256",
];

/// Reads `source` for the version of `profile`.
///
/// # Errors
/// The first [`Problem`]; Traefik then takes nothing from any file.
pub(super) fn read(source: &Source, profile: &Profile) -> Result<Dynamic, Problem> {
    let root = tree::parse(source)?;
    let mut reader = Reader { source, profile, found: Dynamic::default() };
    if let Some(offset) = source.text.find("{{") {
        reader.unmodelled("Go template".to_owned(), tree::place(source, offset..offset + 2));
    }
    match &root.value {
        Value::Null => {}
        Value::Map(_) => reader.root(Fields::lenient(source, &root))?,
        other => {
            let kind = if matches!(other, Value::List(_)) { "!!seq" } else { "!!str" };
            let message = format!("cannot unmarshal {kind} into map[string]interface {{}}");
            return Err(source.problem(root.place, message));
        }
    }
    Ok(reader.found)
}

struct Reader<'a> {
    source: &'a Source,
    profile: &'a Profile,
    found: Dynamic,
}

impl Reader<'_> {
    fn at(&self, place: Place) -> At {
        At { source: self.source.clone(), place }
    }

    fn unmodelled(&mut self, what: String, place: Place) {
        let at = self.at(place);
        self.found.unmodelled.push(Unmodelled { what, at });
    }

    fn unmodelled_fields(&mut self, of: &str, fields: Vec<(&'static str, Place)>) {
        for (field, place) in fields {
            self.unmodelled(format!("{of}: {field}"), place);
        }
    }

    /// Fields at the top that Traefik does not know are no error: anchors stand there.
    fn root(&mut self, mut fields: Fields<'_>) -> Result<(), Problem> {
        if let Some(node) = fields.take("tls") {
            let mut tls = Fields::lenient(self.source, node);
            if let Some(options) = tls.take("options") {
                let names = Fields::lenient(self.source, options).rest().map(|(name, _)| name.value.clone());
                self.found.tls_options = names.collect();
            }
        }
        for (name, place) in fields.skip(&["tcp", "udp"]) {
            self.unmodelled(name.to_owned(), place);
        }
        let Some(node) = fields.take("http") else { return Ok(()) };
        let mut http = Fields::new(self.source, "http", "*dynamic.HTTPConfiguration", node)?;
        for (name, node) in self.section(&mut http, "routers", "Router")? {
            let router = self.router(name, node)?;
            self.found.routers.insert(name.value.clone(), Arc::new(router));
        }
        for (name, node) in self.section(&mut http, "services", "Service")? {
            let service = self.service(name, node)?;
            self.found.services.insert(name.value.clone(), Arc::new(service));
        }
        for (name, node) in self.section(&mut http, "middlewares", "Middleware")? {
            let middleware = self.middleware(name, node)?;
            self.found.middlewares.insert(name.value.clone(), Arc::new(middleware));
        }
        for (name, node) in self.section(&mut http, "serversTransports", "ServersTransport")? {
            let transport = self.transport(name, node)?;
            self.found.transports.insert(name.value.clone(), Arc::new(transport));
        }
        let models = http.skip(&["models"]);
        self.unmodelled_fields("http", models);
        http.finish()
    }

    fn section<'n>(
        &self,
        http: &mut Fields<'n>,
        name: &str,
        kind: &str,
    ) -> Result<Vec<(&'n Located<String>, &'n Node)>, Problem> {
        let Some(node) = http.take(name) else { return Ok(Vec::new()) };
        http.nested(name, &format!("map[string]*dynamic.{kind}"), node).map(|fields| fields.rest().collect())
    }

    fn router(&mut self, name: &Located<String>, node: &Node) -> Result<RouterDefinition, Problem> {
        let mut fields = Fields::lenient(self.source, node);
        let tls = match fields.take("tls") {
            None => None,
            Some(node) => {
                let mut tls = Fields::lenient(self.source, node);
                let options = tls.text("options")?;
                let cert_resolver = tls.text("certResolver")?;
                tls.skip(&["domains"]);
                tls.finish()?;
                Some(Tls { options, cert_resolver })
            }
        };
        let mut router = RouterDefinition {
            at: self.at(name.place),
            rule: fields.text("rule")?,
            service: fields.text("service")?,
            middlewares: fields.texts("middlewares")?,
            entry_points: fields.texts("entryPoints")?,
            priority: fields.number("priority")?.unwrap_or_default(),
            tls,
            parents: Vec::new(),
        };
        let of = format!("router `{}`", name.value);
        if fields.text("ruleSyntax")?.is_some_and(|syntax| syntax.as_str() == "v2") {
            self.unmodelled(format!("{of}: ruleSyntax"), name.place);
        }
        if self.profile.router_fields.contains(&"parentRefs") {
            router.parents = fields.texts("parentRefs")?.map(|parents| parents.value).unwrap_or_default();
        }
        let skipped = fields.skip(self.profile.router_fields);
        self.unmodelled_fields(
            &of,
            skipped.into_iter().filter(|(name, _)| *name != "observability").collect(),
        );
        fields.finish()?;
        Ok(router)
    }

    fn middleware(&mut self, name: &Located<String>, node: &Node) -> Result<MiddlewareDefinition, Problem> {
        let mut types = Vec::new();
        let mut settings = BTreeMap::new();
        let entries: Vec<_> = Fields::lenient(self.source, node).rest().collect();
        for (field, node) in entries {
            types.push(self.middleware_type(name, field, node)?);
            let names = Fields::lenient(self.source, node).rest();
            settings.extend(names.map(|(setting, _)| (setting.to_ascii_lowercase(), setting.place)));
        }
        Ok(MiddlewareDefinition { at: self.at(name.place), types, settings })
    }

    fn middleware_type(
        &mut self,
        name: &Located<String>,
        field: &Located<String>,
        node: &Node,
    ) -> Result<MiddlewareType, Problem> {
        let source = self.source;
        let of = format!("middleware `{}`", name.value);
        let open = |kind: &str| Fields::new(source, field, &format!("*dynamic.{kind}"), node);
        let (made, fields, skipped) = match field.to_ascii_lowercase().as_str() {
            "forwardauth" => return self.forward_auth(&of, open("ForwardAuth")?),
            "headers" => {
                let mut fields = open("Headers")?;
                let edits = HeaderEdits {
                    request: fields.pairs("customRequestHeaders")?,
                    response: fields.pairs("customResponseHeaders")?,
                };
                let skipped = fields.skip(&OTHER_HEADERS);
                (MiddlewareType::Headers(edits), fields, skipped)
            }
            "redirectscheme" => {
                let mut fields = open("RedirectScheme")?;
                let made = RedirectScheme {
                    scheme: fields.plain("scheme")?,
                    port: fields.plain("port")?,
                    permanent: fields.flag("permanent")?.unwrap_or_default(),
                };
                (MiddlewareType::RedirectScheme(made), fields, Vec::new())
            }
            "redirectregex" => {
                let mut fields = open("RedirectRegex")?;
                let made = MiddlewareType::RedirectRegex {
                    regex: fields.plain("regex")?,
                    replacement: fields.plain("replacement")?,
                    permanent: fields.flag("permanent")?.unwrap_or_default(),
                };
                (made, fields, Vec::new())
            }
            "stripprefix" => {
                let mut fields = open("StripPrefix")?;
                let prefixes = fields.plain_list("prefixes")?;
                let skipped = fields.skip(&["forceSlash"]);
                (MiddlewareType::StripPrefix(prefixes), fields, skipped)
            }
            "addprefix" => {
                let mut fields = open("AddPrefix")?;
                (MiddlewareType::AddPrefix(fields.plain("prefix")?), fields, Vec::new())
            }
            "replacepath" => {
                let mut fields = open("ReplacePath")?;
                (MiddlewareType::ReplacePath(fields.plain("path")?), fields, Vec::new())
            }
            "replacepathregex" => {
                let mut fields = open("ReplacePathRegex")?;
                let made = MiddlewareType::ReplacePathRegex {
                    regex: fields.plain("regex")?,
                    replacement: fields.plain("replacement")?,
                };
                (made, fields, Vec::new())
            }
            "chain" => {
                let mut fields = open("Chain")?;
                let names = fields.texts("middlewares")?.map(|texts| texts.value).unwrap_or_default();
                (MiddlewareType::Chain(names), fields, Vec::new())
            }
            _ => {
                let other = OTHER_MIDDLEWARES.iter().chain(self.profile.middleware_types);
                let Some(known) = other.into_iter().find(|known| field.eq_ignore_ascii_case(known)) else {
                    let message = format!("field not found, node: {}", field.value);
                    return Err(source.problem(field.place, message));
                };
                self.unmodelled(format!("{of} of type {known}"), name.place);
                return Ok(MiddlewareType::Unmodelled(known));
            }
        };
        fields.finish()?;
        self.unmodelled_fields(&of, skipped);
        Ok(made)
    }

    fn forward_auth(&mut self, of: &str, mut fields: Fields<'_>) -> Result<MiddlewareType, Problem> {
        let mut auth = ForwardAuth {
            address: fields.plain("address")?,
            trust_forward_header: fields.flag("trustForwardHeader")?,
            response_headers: fields.plain_list("authResponseHeaders")?,
            response_headers_pattern: fields.text("authResponseHeadersRegex")?.map(|text| text.value),
            request_headers: fields.plain_list("authRequestHeaders")?,
            cookies: fields.plain_list("addAuthCookiesToResponse")?,
            max_body: -1,
            max_response_body: -1,
            ..ForwardAuth::default()
        };
        auth.response_headers_pattern = auth.response_headers_pattern.filter(|pattern| !pattern.is_empty());
        if let Some(node) = fields.take("tls") {
            let mut tls = Fields::new(self.source, "tls", "*dynamic.ClientTLS", node)?;
            auth.insecure = tls.flag("insecureSkipVerify")?.unwrap_or_default();
            let skipped = tls.skip(&["ca", "cert", "key", "caOptional"]);
            tls.finish()?;
            self.unmodelled_fields(of, skipped);
        }
        for field in self.profile.forward_auth_fields {
            match *field {
                "forwardBody" => auth.forward_body = fields.flag(field)?.unwrap_or_default(),
                "maxBodySize" => auth.max_body = fields.number(field)?.unwrap_or(-1),
                "maxResponseBodySize" => auth.max_response_body = fields.number(field)?.unwrap_or(-1),
                "preserveLocationHeader" => {
                    auth.preserve_location = fields.flag(field)?.unwrap_or_default();
                }
                "preserveRequestMethod" => auth.preserve_method = fields.flag(field)?.unwrap_or_default(),
                // Only feeds the access log.
                "headerField" => drop(fields.text(field)?),
                other => {
                    let skipped = fields.skip(&[other]);
                    self.unmodelled_fields(of, skipped);
                }
            }
        }
        fields.finish()?;
        Ok(MiddlewareType::ForwardAuth(Box::new(auth)))
    }

    fn service(&mut self, name: &Located<String>, node: &Node) -> Result<ServiceDefinition, Problem> {
        let mut types = Vec::new();
        let mut fields = Fields::lenient(self.source, node);
        if let Some(node) = fields.take("loadBalancer") {
            types.push(ServiceType::LoadBalancer(self.load_balancer(name, node)?));
        }
        let mut others = fields.skip(&["weighted", "mirroring", "failover"]);
        others.extend(fields.skip(self.profile.service_types));
        fields.finish()?;
        for (other, place) in others {
            self.unmodelled(format!("service `{}` of type {other}", name.value), place);
            types.push(ServiceType::Unmodelled(other));
        }
        Ok(ServiceDefinition { at: self.at(name.place), types })
    }

    fn load_balancer(&mut self, name: &Located<String>, node: &Node) -> Result<LoadBalancer, Problem> {
        let kind = "*dynamic.ServersLoadBalancer";
        let mut fields = Fields::new(self.source, "loadBalancer", kind, node)?;
        let of = format!("service `{}`", name.value);
        let mut servers = Vec::new();
        for node in fields.items("servers") {
            let mut server = Fields::lenient(self.source, node);
            let nowhere = || Located { value: String::new(), place: node.place };
            servers.push(Server {
                url: server.text("url")?.unwrap_or_else(nowhere),
                weight: server.number("weight")?.unwrap_or(1),
                preserve_path: self.profile.server_fields.contains(&"preservePath")
                    && server.flag("preservePath")?.unwrap_or_default(),
            });
            // Labels of other providers; without effect in a file.
            server.skip(&["scheme", "port", "fenced"]);
            server.finish()?;
        }
        let balancer = LoadBalancer {
            servers,
            pass_host: fields.flag("passHostHeader")?.unwrap_or(true),
            transport: fields.text("serversTransport")?.map(|text| text.value),
        };
        fields.skip(&["responseForwarding"]);
        let mut skipped = fields.skip(&["sticky", "healthCheck"]);
        skipped.extend(fields.skip(self.profile.load_balancer_fields));
        fields.finish()?;
        self.unmodelled_fields(&of, skipped);
        Ok(balancer)
    }

    fn transport(&mut self, name: &Located<String>, node: &Node) -> Result<TransportDefinition, Problem> {
        let mut fields = Fields::lenient(self.source, node);
        let insecure = fields.flag("insecureSkipVerify")?.unwrap_or_default();
        let skipped = fields.skip(&OTHER_TRANSPORT);
        fields.finish()?;
        self.unmodelled_fields(&format!("servers transport `{}`", name.value), skipped);
        Ok(TransportDefinition { at: self.at(name.place), insecure })
    }
}
