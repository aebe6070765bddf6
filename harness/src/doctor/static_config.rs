//! Traefik's static configuration, as far as it decides about entry points.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use ssoproof_deployment::traefik::Network;
use ssoproof_deployment::{Located, Problem, Source};
use ssoproof_embedded::gateway::Trusted;

/// The entry points of `traefik.yml`.
#[derive(Clone, Debug)]
pub(super) struct StaticConfig {
    /// The file.
    pub(super) source: Source,
    /// The entry points by name.
    pub(super) entry_points: BTreeMap<String, StaticEntryPoint>,
}

/// What the static configuration says of an entry point.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StaticEntryPoint {
    /// `:443`.
    pub(super) address: String,
    /// Whose `X-Forwarded-*` are believed.
    pub(super) forwarded_headers: ForwardedHeaders,
    /// The defaults of its routers.
    pub(super) http: EntryPointHttp,
}

/// `forwardedHeaders`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ForwardedHeaders {
    /// Everybody is believed.
    pub(super) insecure: Option<Located<bool>>,
    /// Who is believed.
    #[serde(rename = "trustedIPs")]
    pub(super) trusted_ips: Option<Located<Vec<String>>>,
}

/// `http` of an entry point.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct EntryPointHttp {
    /// Set, every router on the entry point answers TLS.
    pub(super) tls: Option<serde::de::IgnoredAny>,
    /// What becomes of names such as `X_authentik_username`; known from 3.7 on.
    pub(super) alias_headers_strategy: Option<Located<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    entry_points: BTreeMap<String, StaticEntryPoint>,
}

impl StaticConfig {
    /// Reads `traefik.yml`.
    ///
    /// # Errors
    /// A [`Problem`] when it cannot be read or its entry points are of another shape; TOML is not read.
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        if path.extension().is_some_and(|extension| extension == "toml") {
            let problem =
                Problem::new(format!("`{}`: a static configuration is read as YAML", path.display()));
            return Err(problem.with_help("write the entry points as YAML".to_owned()));
        }
        let source = Source::read(path)?;
        let file: File = source.yaml()?;
        Ok(Self { entry_points: file.entry_points, source })
    }

    /// The entry point that listens on `port`.
    pub(super) fn on_port(&self, port: u16) -> Option<&str> {
        let end = format!(":{port}");
        let found = self
            .entry_points
            .iter()
            .find(|(_, entry)| entry.address.trim_end_matches("/tcp").ends_with(&end));
        found.map(|(name, _)| name.as_str())
    }

    /// Whether routers on the entry point `name` answer TLS in any case.
    pub(super) fn is_tls(&self, name: &str) -> bool {
        self.entry_points.get(name).is_some_and(|entry| entry.http.tls.is_some())
    }

    /// Whom any entry point believes.
    pub(super) fn trusted(&self) -> Trusted {
        let headers = || self.entry_points.values().map(|entry| &entry.forwarded_headers);
        if headers().any(|headers| headers.insecure.as_ref().is_some_and(|insecure| **insecure)) {
            return Trusted::Everybody;
        }
        let networks: Vec<Network> = headers()
            .filter_map(|headers| headers.trusted_ips.as_ref())
            .flat_map(|list| list.iter().filter_map(|text| Network::parse(text)))
            .collect();
        if networks.is_empty() { Trusted::Nobody } else { Trusted::From(networks) }
    }
}
