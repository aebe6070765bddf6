//! What is set up in Authentik: a blueprint, or what its API says. Blueprint tags are read by what stands behind them:
//! `!Find [model, [name, x]]` as `x`, `!KeyOf x` as `x`.

use std::path::Path;

use ssoproof_deployment::traefik::{At, Node, NodeValue, parse_tree};
use ssoproof_deployment::{Deployment, Domain, Located, Place, Problem, Service, SigningKey, Source};
use url::Url;

use super::finding::at;
use super::providers::{Match, RedirectUri};
use super::settings::Said;

/// The deepest nesting that is looked into.
const DEEPEST: usize = 32;

/// What is set up in Authentik.
#[derive(Clone, Debug)]
pub(super) struct Blueprint {
    pub(super) source: Source,
    /// The providers for forward auth.
    pub(super) proxies: Vec<Proxy>,
    /// The providers of OpenID Connect.
    pub(super) clients: Vec<ClientProvider>,
    pub(super) applications: Vec<Application>,
    pub(super) outposts: Vec<Outpost>,
}

/// A provider for forward auth.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    /// What others call it: its name, its id in the blueprint, its pk.
    pub(super) names: Vec<String>,
    pub(super) external_host: Said,
    pub(super) mode: String,
    pub(super) cookie_domain: Option<Said>,
    pub(super) at: At,
}

/// A provider of OpenID Connect.
#[derive(Clone, Debug)]
pub(super) struct ClientProvider {
    pub(super) client_id: String,
    pub(super) redirect_uris: Vec<RedirectUri>,
    /// Where its keys stand, when there are any.
    pub(super) signing_key: Option<At>,
    pub(super) encryption_key: Option<At>,
    pub(super) claims_in_id_token: bool,
    pub(super) at: At,
}

/// An application.
#[derive(Clone, Debug)]
pub(super) struct Application {
    /// What it calls its provider.
    pub(super) provider: Option<String>,
    pub(super) launch_url: Option<Said>,
}

/// An outpost.
#[derive(Clone, Debug)]
pub(super) struct Outpost {
    /// What it calls its providers; none where the file does not say.
    pub(super) providers: Option<Vec<String>>,
    /// `authentik_host`, where it sends browsers.
    pub(super) authentik_host: Option<Said>,
}

/// The fields of one object, whatever form it has.
struct Fields<'n> {
    source: &'n Source,
    place: Place,
    maps: Vec<&'n [(Located<String>, Node)]>,
}

impl Blueprint {
    /// Reads a blueprint in YAML, or lists and objects of the API in JSON.
    ///
    /// # Errors
    /// A [`Problem`] when it cannot be read or is neither, or holds no object that is known here.
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        Self::parse(Source::read(path)?)
    }

    /// The same from what was read already.
    ///
    /// # Errors
    /// As [`Blueprint::read`].
    pub(super) fn parse(source: Source) -> Result<Self, Problem> {
        let root = parse_tree(&source)?;
        let mut found = Self {
            source: source.clone(),
            proxies: Vec::new(),
            clients: Vec::new(),
            applications: Vec::new(),
            outposts: Vec::new(),
        };
        found.collect(&source, &root, DEEPEST);
        let empty = found.proxies.is_empty() && found.clients.is_empty() && found.outposts.is_empty();
        if empty && found.applications.is_empty() {
            let problem =
                Problem::new(format!("`{}` holds nothing that is known of Authentik", source.path.display()));
            return Err(problem.with_help(
                "give a blueprint with `entries`, or what `/api/v3/providers/proxy/` and the like say"
                    .to_owned(),
            ));
        }
        Ok(found)
    }

    fn collect(&mut self, source: &Source, node: &Node, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match &node.value {
            NodeValue::List(items) => items.iter().for_each(|item| self.collect(source, item, depth)),
            NodeValue::Map(entries) => {
                let nested = ["attrs", "identifiers"].map(|name| map(entries, name));
                let maps = std::iter::once(entries.as_slice()).chain(nested.into_iter().flatten()).collect();
                let fields = Fields { source, place: node.place, maps };
                if self.object(&fields) {
                    return;
                }
                entries.iter().for_each(|(_, value)| self.collect(source, value, depth));
            }
            NodeValue::Text(_) | NodeValue::Null => {}
        }
    }

    /// Takes an object of a known kind.
    fn object(&mut self, fields: &Fields<'_>) -> bool {
        let names =
            || ["name", "id", "pk"].into_iter().filter_map(|name| fields.text(name)).map(|said| said.value);
        let model = fields.text("model").map(|said| said.value).unwrap_or_default();
        if let Some(external_host) = fields.text("external_host") {
            self.proxies.push(Proxy {
                names: names().collect(),
                external_host,
                mode: fields.text("mode").map_or_else(|| "proxy".to_owned(), |said| said.value),
                cookie_domain: fields.text("cookie_domain").filter(|said| !said.value.is_empty()),
                at: fields.at(),
            });
            return true;
        }
        if let (Some(client_id), Some(uris)) = (fields.text("client_id"), fields.list("redirect_uris")) {
            self.clients.push(ClientProvider {
                client_id: client_id.value,
                redirect_uris: uris.iter().filter_map(|uri| fields.redirect_uri(uri)).collect(),
                signing_key: fields.set("signing_key"),
                encryption_key: fields.set("encryption_key"),
                claims_in_id_token: fields
                    .text("include_claims_in_id_token")
                    .is_none_or(|said| said.value == "true"),
                at: fields.at(),
            });
            return true;
        }
        if model.ends_with(".outpost") || fields.list("providers").is_some() && fields.text("type").is_some()
        {
            let list = fields.list("providers");
            let config = fields.maps.iter().find_map(|entries| map(entries, "config"));
            let config = config.map(|entries| Fields { maps: vec![entries], ..*fields });
            self.outposts.push(Outpost {
                providers: list.map(|list| list.iter().filter_map(named).collect()),
                authentik_host: config
                    .and_then(|config| config.text("authentik_host"))
                    .filter(|said| !said.value.is_empty()),
            });
            return true;
        }
        if let (true, Some(_)) = (model.is_empty() || model.ends_with(".application"), fields.text("slug"))
            && fields.has("meta_launch_url")
        {
            self.applications.push(Application {
                provider: fields.node("provider").and_then(named),
                launch_url: fields.text("meta_launch_url").filter(|said| !said.value.is_empty()),
            });
            return true;
        }
        false
    }

    /// The provider with the client id.
    pub(super) fn provider_of(&self, client_id: &str) -> Option<&ClientProvider> {
        self.clients.iter().find(|provider| provider.client_id == client_id)
    }

    /// Whether the client's id token has the user's claims; it has unless something says otherwise.
    pub(super) fn tells_in_id_token(&self, client_id: &str) -> bool {
        self.provider_of(client_id).is_none_or(|provider| provider.claims_in_id_token)
    }

    /// The proxy provider that the outpost finds for `host`: by its exact authority, or by the domain of its cookie.
    pub(super) fn proxy_for(&self, host: &str) -> Option<&Proxy> {
        // Authentik takes web addresses alone.
        let web = |proxy: &&Proxy| proxy.external_host.value.starts_with("http");
        let direct = self.proxies.iter().filter(web).find(|proxy| proxy.authority() == host);
        direct.or_else(|| {
            self.proxies.iter().find(|proxy| {
                let domain = proxy.cookie_domain.as_ref().map(|said| said.value.trim_start_matches('.'));
                proxy.mode == "forward_domain" && domain.is_some_and(|domain| host.ends_with(domain))
            })
        })
    }

    /// Whether an outpost lists the provider; nobody knows where the file tells of no outpost.
    pub(super) fn is_served(&self, proxy: &Proxy) -> bool {
        let lists: Vec<&Vec<String>> =
            self.outposts.iter().filter_map(|one| one.providers.as_ref()).collect();
        lists.is_empty() || lists.iter().any(|list| list.iter().any(|name| proxy.names.contains(name)))
    }

    /// Makes `deployment` what is set up here, for the Authentik on which findings are tried.
    pub(super) fn set_up(&self, deployment: &mut Deployment) {
        if !self.proxies.is_empty() {
            let own = std::mem::take(&mut deployment.services);
            deployment.domains.clear();
            for (index, proxy) in self.proxies.iter().enumerate() {
                let url = proxy.external_host.value.trim_end_matches('/').to_owned();
                if Url::parse(&url).is_err() {
                    continue;
                }
                let known = own.values().find(|service| service.url.eq_ignore_ascii_case(&url));
                let service = Service {
                    title: format!("proxy {index}"),
                    url: Located::nowhere(url),
                    upstream: Located::nowhere("http://service.invalid".to_owned()),
                    allow: known.map(|service| service.allow.clone()).unwrap_or_default(),
                    domain: proxy.domain().map(|_| Located::nowhere(format!("domain-{index}"))),
                    bridge: None,
                    in_outpost: self.is_served(proxy),
                    echo: false,
                };
                if let Some(cookie_domain) = proxy.domain() {
                    let domain = Domain {
                        title: format!("domain {index}"),
                        external_host: service.url.clone(),
                        cookie_domain: Located::nowhere(cookie_domain.to_owned()),
                        allow: service.allow.clone(),
                        in_outpost: service.in_outpost,
                    };
                    deployment.domains.insert(format!("domain-{index}"), domain);
                }
                deployment.services.insert(format!("proxy-{index}"), service);
            }
        }
        let grafana = deployment.apps.grafana.iter_mut().map(|app| &mut app.provider);
        let minio = deployment.apps.minio.iter_mut().map(|app| &mut app.provider);
        for promised in grafana.chain(minio) {
            let Some(found) = self.provider_of(&promised.client_id) else { continue };
            let strict = found.redirect_uris.iter().filter(|uri| uri.matching == Match::Strict);
            promised.redirect_uris = strict.map(|uri| Located::nowhere(uri.said.value.clone())).collect();
            let key = if found.signing_key.is_some() { SigningKey::DedicatedRsa } else { SigningKey::None };
            promised.signing_key = Located::nowhere(key);
        }
        let host = self.outposts.iter().find_map(|outpost| outpost.authentik_host.as_ref());
        if let Some(host) = host.filter(|host| Url::parse(&host.value).is_ok_and(|url| url.has_host())) {
            deployment.auth.url = Located::nowhere(host.value.trim_end_matches('/').to_owned());
        }
    }
}

impl Proxy {
    /// The domain that it serves, where it serves a whole one.
    fn domain(&self) -> Option<&str> {
        let domain = self.cookie_domain.as_ref().filter(|_| self.mode == "forward_domain")?;
        Some(domain.value.as_str())
    }

    /// Host and port of the external host, as it is written.
    pub(super) fn authority(&self) -> &str {
        let url = self.external_host.value.as_str();
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    }
}

impl<'n> Fields<'n> {
    fn at(&self) -> At {
        at(self.source, self.place)
    }

    fn node(&self, name: &str) -> Option<&'n Node> {
        self.maps
            .iter()
            .find_map(|entries| entries.iter().find(|(key, _)| key.value == name).map(|(_, value)| value))
    }

    fn has(&self, name: &str) -> bool {
        self.node(name).is_some()
    }

    fn text(&self, name: &str) -> Option<Said> {
        let node = self.node(name)?;
        match &node.value {
            NodeValue::Text(text) => Some(Said::new(text.clone(), Some(at(self.source, node.place)))),
            _ => None,
        }
    }

    fn list(&self, name: &str) -> Option<&'n [Node]> {
        match &self.node(name)?.value {
            NodeValue::List(items) => Some(items),
            _ => None,
        }
    }

    /// Where the field stands, when it holds something.
    fn set(&self, name: &str) -> Option<At> {
        let node = self.node(name)?;
        let empty = matches!(&node.value, NodeValue::Null)
            || matches!(&node.value, NodeValue::Text(text) if text.is_empty());
        (!empty).then(|| at(self.source, node.place))
    }

    /// A redirect URI: a mapping with `url` and `matching_mode`.
    fn redirect_uri(&self, node: &'n Node) -> Option<RedirectUri> {
        let NodeValue::Map(entries) = &node.value else { return None };
        let fields = Fields { maps: vec![entries], ..*self };
        let regex = fields.text("matching_mode").is_some_and(|mode| mode.value == "regex");
        Some(RedirectUri {
            said: fields.text("url")?,
            matching: if regex { Match::Regex } else { Match::Strict },
        })
    }
}

fn map<'n>(entries: &'n [(Located<String>, Node)], name: &str) -> Option<&'n [(Located<String>, Node)]> {
    entries.iter().find(|(key, _)| key.value == name).and_then(|(_, node)| match &node.value {
        NodeValue::Map(inner) => Some(inner.as_slice()),
        _ => None,
    })
}

/// What a reference names: its text, or the last text of a `!Find`.
fn named(node: &Node) -> Option<String> {
    match &node.value {
        NodeValue::Text(text) => Some(text.clone()),
        NodeValue::List(items) => items.last().and_then(named),
        NodeValue::Map(_) | NodeValue::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Blueprint, Problem> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Blueprint::read(&path)
    }

    #[test]
    fn tags_of_blueprints_are_read_by_what_stands_behind_them() {
        let text = "version: 1
entries:
  - model: authentik_providers_proxy.proxyprovider
    id: docs
    identifiers: { name: docs proxy }
    attrs: { external_host: https://docs.test, mode: forward_single, invalidation_flow: !Find [authentik_flows.flow, [slug, x]] }
  - model: authentik_outposts.outpost
    identifiers: { managed: goauthentik.io/outposts/embedded }
    attrs:
      providers: [!KeyOf docs, !Find [authentik_providers_proxy.proxyprovider, [name, other]]]
      config: { authentik_host: https://auth.test }
";
        let found = read("x.yaml", text).unwrap();
        assert_eq!(found.proxies[0].authority(), "docs.test");
        assert!(found.is_served(&found.proxies[0]));
        assert_eq!(
            found.outposts[0].providers.as_deref(),
            Some(&["docs".to_owned(), "other".to_owned()][..])
        );
        assert_eq!(found.outposts[0].authentik_host.as_ref().unwrap().value, "https://auth.test");
    }

    #[test]
    fn lists_of_the_api_are_read_as_well() {
        let text =
            r#"{"results": [{"pk": 7, "name": "d", "external_host": "https://d.test", "mode": "proxy"}]}"#;
        let found = read("x.json", text).unwrap();
        assert_eq!(found.proxies[0].names, ["d", "7"]);
        assert!(read("x.json", "{\"a\": 1}").is_err());
    }
}
