//! How a stack that others have set up is reached.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

/// How a stack that others have set up is reached.
#[derive(Clone, Debug, Default)]
pub struct AttachOptions {
    /// Names that are not asked of DNS.
    pub resolve: Vec<Resolve>,
    /// CAs to trust beside the system's, PEM.
    pub ca: Option<PathBuf>,
    /// Secrets that are not in the environment; only its owner may read it.
    pub secrets: Option<PathBuf>,
    /// Whether the deployment is made in its Authentik, which is fresh.
    pub provision: bool,
    /// Where Traefik's API answers.
    pub traefik_api: Option<Url>,
    /// The folder of Traefik's file provider, where files in it may be rewritten.
    pub traefik_folder: Option<PathBuf>,
    /// Where probes stand in for the services.
    pub probe_listen: Option<SocketAddr>,
}

/// Where a host, or every host of a pattern, is reached: `HOST[:PORT]=ADDRESS:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// A host, `*.example.org`, or `*`.
    pub pattern: String,
    /// The port that is asked for; any without.
    pub port: Option<u16>,
    /// Where it is.
    pub address: SocketAddr,
}

impl FromStr for Resolve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write `HOST=ADDRESS:PORT`, for one port only `HOST:PORT=ADDRESS:PORT`".to_owned();
        let (asked, address) = text.split_once('=').ok_or_else(form)?;
        let address =
            address.parse().map_err(|_| format!("`{address}` is no address with a port; {}", form()))?;
        let (pattern, port) = match asked.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| format!("`{port}` is no port"))?)),
            None => (asked, None),
        };
        let host = pattern.strip_prefix("*.").unwrap_or(if pattern == "*" { "any" } else { pattern });
        if host.is_empty() || host.contains(['*', '/', ':', '[']) {
            return Err(format!("`{pattern}` is no host; {}", form()));
        }
        Ok(Self { pattern: pattern.to_owned(), port, address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let cases = [
            ("auth.test=127.0.0.1:8443", Some(("auth.test", None, "127.0.0.1:8443"))),
            ("*.test:80=[::1]:8080", Some(("*.test", Some(80), "[::1]:8080"))),
            ("*=10.0.0.1:443", Some(("*", None, "10.0.0.1:443"))),
            ("auth.test", None),
            ("auth.test=127.0.0.1", None),
            ("=127.0.0.1:1", None),
            ("a*b.test=127.0.0.1:1", None),
            ("auth.test:x=127.0.0.1:1", None),
        ];
        for (text, expected) in cases {
            let read = text.parse::<Resolve>().ok();
            let expected = expected.map(|(pattern, port, address)| Resolve {
                pattern: pattern.to_owned(),
                port,
                address: address.parse().unwrap(),
            });
            assert_eq!(read, expected, "{text}");
        }
    }
}
