//! What a dynamic file says of routers, whatever else stands in it: fields that no version knows are passed over.

use std::collections::BTreeMap;

use super::config::qualified;
use super::fields::Fields;
use super::tree::{Node, Value, parse};
use crate::source::{Located, Problem, Source};

/// The routers of one file, and what tells what they do.
///
/// Unlike [`Dynamic`](super::Dynamic) it can be read of a file that Traefik refuses for an unknown field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// The routers, in the order of the file.
    pub routers: Vec<OutlinedRouter>,
    /// The names that each chain middleware lists, by its name without provider.
    pub chains: BTreeMap<String, Vec<String>>,
    /// The address that each forward auth middleware asks, by its name without provider.
    pub auths: BTreeMap<String, String>,
    /// The URLs of the servers of each service, by its name without provider.
    pub servers: BTreeMap<String, Vec<String>>,
}

/// A router of an [`Outline`].
#[derive(Clone, Debug, PartialEq)]
pub struct OutlinedRouter {
    /// Its name, without provider.
    pub name: Located<String>,
    /// The rule's text.
    pub rule: Option<Located<String>>,
    /// The service's name, as written.
    pub service: Option<String>,
    /// The names of its middlewares, as written.
    pub middlewares: Vec<String>,
}

impl Outline {
    /// Reads `source`.
    ///
    /// # Errors
    /// A [`Problem`] at the first place that is no YAML or TOML.
    pub fn read(source: &Source) -> Result<Self, Problem> {
        Ok(Self::of(source, &parse(source)?))
    }

    /// The outline of the tree that [`parse`] has made of `source`.
    pub fn of(source: &Source, root: &Node) -> Self {
        let mut outline = Self::default();
        let Some(http) = Fields::lenient(source, root).take("http") else { return outline };
        let section = |name| {
            let node = Fields::lenient(source, http).take(name);
            node.into_iter().flat_map(|node| Fields::lenient(source, node).rest())
        };
        for (name, node) in section("routers") {
            let mut fields = Fields::lenient(source, node);
            outline.routers.push(OutlinedRouter {
                name: name.clone(),
                rule: fields.text("rule").ok().flatten(),
                service: fields.text("service").ok().flatten().map(|service| service.value),
                middlewares: fields.take("middlewares").map(names).unwrap_or_default(),
            });
        }
        for (name, node) in section("middlewares") {
            let mut fields = Fields::lenient(source, node);
            if let Some(chain) = fields.take("chain") {
                let listed = Fields::lenient(source, chain).take("middlewares").map(names);
                outline.chains.insert(name.value.clone(), listed.unwrap_or_default());
            }
            if let Some(auth) = fields.take("forwardAuth")
                && let Ok(Some(address)) = Fields::lenient(source, auth).text("address")
            {
                outline.auths.insert(name.value.clone(), address.value);
            }
        }
        for (name, node) in section("services") {
            let mut fields = Fields::lenient(source, node);
            let Some(balancer) = fields.take("loadBalancer") else { continue };
            let urls = Fields::lenient(source, balancer)
                .items("servers")
                .into_iter()
                .filter_map(|server| Some(Fields::lenient(source, server).text("url").ok()??.value));
            outline.servers.insert(name.value.clone(), urls.collect());
        }
        outline
    }

    /// Adds what `other`, a later file, defines; the first definition of a name counts.
    pub fn add(&mut self, other: Self) {
        self.routers.extend(other.routers);
        for (name, chain) in other.chains {
            self.chains.entry(name).or_insert(chain);
        }
        for (name, address) in other.auths {
            self.auths.entry(name).or_insert(address);
        }
        for (name, urls) in other.servers {
            self.servers.entry(name).or_insert(urls);
        }
    }

    /// Whether requests that pass `listed` in order pass the middleware `wanted`, alone or in a chain. Names without
    /// a provider are the file provider's.
    pub fn passes(&self, listed: &[String], wanted: &str) -> bool {
        let wanted = qualified(wanted);
        let mut waiting: Vec<&String> = listed.iter().collect();
        let mut seen = Vec::new();
        while let Some(name) = waiting.pop() {
            let name = qualified(name);
            if name == wanted {
                return true;
            }
            if let Some(chain) = name.strip_suffix("@file").and_then(|bare| self.chains.get(bare))
                && !seen.contains(&name)
            {
                waiting.extend(chain);
                seen.push(name);
            }
        }
        false
    }
}

/// The names of a list of middlewares: a list, or one text that is split at its commas.
pub fn names(node: &Node) -> Vec<String> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .filter_map(|item| match &item.value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect(),
        Value::Text(text) if text.is_empty() => Vec::new(),
        Value::Text(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        Value::Map(_) | Value::Null => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Outline;
    use crate::source::Source;

    #[test]
    fn routers_are_read_beside_fields_that_nobody_knows() {
        let text = "http:\n  routers:\n    a: {rule: x, service: s, news: 1, middlewares: 'm, n'}\n  middlewares:\n    \
                    c: {chain: {middlewares: [authentik]}}\n  novelty: {}\n";
        let outline = Outline::read(&Source::inline("a.yml", text)).unwrap();
        assert_eq!(outline.routers[0].middlewares, ["m", "n"]);
        assert_eq!(outline.routers[0].service.as_deref(), Some("s"));
        for (listed, passes) in
            [("c", true), ("c@file", true), ("authentik", true), ("c@docker", false), ("m", false)]
        {
            assert_eq!(outline.passes(&[listed.to_owned()], "authentik@file"), passes, "{listed}");
        }
    }

    #[test]
    fn chains_that_hold_each_other_end() {
        let text = "http:\n  middlewares:\n    a: {chain: {middlewares: [b]}}\n    b: {chain: {middlewares: [a, b]}}\n";
        let outline = Outline::read(&Source::inline("a.yml", text)).unwrap();
        assert!(!outline.passes(&["a".to_owned()], "authentik@file"));
    }
}
