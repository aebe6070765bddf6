//! The OpenID provider seen from MinIO: discovery, keys, userinfo and the code exchange, dialled when needed.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::go;
use super::keys::{Jwks, KeyError, Keys};
use super::settings::OpenId;
use crate::dial::{Client, Names};

/// The longest document read from a provider, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;

/// Why the provider gave nothing usable. The words are MinIO's.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenIdError {
    /// A role policy and a claim are both configured.
    #[error("Role Policy (=`{role}`) and Claim Name (=`{claim}`) cannot both be set")]
    RoleAndClaim {
        /// The role policy.
        role: String,
        /// The claim name.
        claim: String,
    },
    /// The scopes hold an empty one, as after a trailing comma.
    #[error("empty scope value is not allowed '{0}', please refer to our documentation")]
    EmptyScope(String),
    /// A URL without `http` or `https`.
    #[error("unexpected scheme found {0}")]
    Scheme(String),
    /// No answer; worded as Go's `net/http` does.
    #[error("{0}")]
    Unreachable(String),
    /// The discovery document came with another status than 200.
    #[error("unexpected error returned by {url} : status({status})")]
    Discovery {
        /// The URL asked.
        url: String,
        /// Code and reason.
        status: String,
    },
    /// The discovery document names no keys.
    #[error("no JWKS URI found in your provider's discovery doc (config_url={0})")]
    NoJwksUri(String),
    /// Keys or userinfo came with another status than 200.
    #[error("{0}")]
    Status(String),
    /// The answer is not the JSON it should be.
    #[error("{0}")]
    Json(String),
    /// A key MinIO cannot use.
    #[error("{0}")]
    Key(#[from] KeyError),
}

/// What MinIO reads in a discovery document; the issuer is not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Discovery {
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) userinfo_endpoint: String,
    pub(super) jwks_uri: String,
}

/// The way to the provider.
#[derive(Clone)]
pub(super) struct Fetcher {
    client: Client,
    names: Names,
}

impl Fetcher {
    pub(super) fn new(names: Names, tls: Arc<rustls::ClientConfig>) -> Self {
        let client = Client::new(names.clone(), tls).with_bounds(MAX_DOCUMENT, Duration::from_secs(10));
        Self { client, names }
    }

    /// One exchange with an absolute `url`.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Bytes>, OpenIdError> {
        let scheme = url::Url::parse(url).map(|url| url.scheme().to_owned()).unwrap_or_default();
        if scheme != "http" && scheme != "https" {
            return Err(OpenIdError::Scheme(scheme));
        }
        let mut request = Request::new(Full::new(body));
        *request.uri_mut() = url.parse().map_err(|_| OpenIdError::Scheme(scheme))?;
        *request.method_mut() = method.clone();
        *request.headers_mut() = headers;
        let verb = if method == Method::GET { "Get" } else { "Post" };
        self.client
            .send(request)
            .await
            .map_err(|error| OpenIdError::Unreachable(go::dial_error(verb, url, &self.names, &error)))
    }

    /// The discovery document at `url`.
    pub(super) async fn discovery(&self, url: &str) -> Result<Discovery, OpenIdError> {
        let response = self.send(Method::GET, url, HeaderMap::new(), Bytes::new()).await?;
        if response.status() != 200 {
            let status = response.status().to_string();
            return Err(OpenIdError::Discovery { url: url.to_owned(), status });
        }
        json(response.body())
    }

    async fn jwks(&self, url: &str) -> Result<Jwks, OpenIdError> {
        let response = self.send(Method::GET, url, HeaderMap::new(), Bytes::new()).await?;
        if response.status() != 200 {
            return Err(OpenIdError::Status(response.status().to_string()));
        }
        json(response.body())
    }
}

/// A provider whose discovery document and keys were read.
pub(super) struct Provider {
    discovery: Discovery,
    /// The keys that were read first.
    first: Keys,
    keys: RwLock<Keys>,
    fetcher: Fetcher,
}

impl Provider {
    /// Reads discovery and keys; anything wrong with either blocks the whole of IAM
    /// (`truth/minio/12-jwk-shapes`, `22-startup`). Without a provider there is nothing to read.
    pub(super) async fn discover(openid: &OpenId, fetcher: &Fetcher) -> Result<Self, OpenIdError> {
        if !openid.configured() {
            return Ok(Self::of(Discovery::default(), Keys::default(), fetcher));
        }
        openid.check()?;
        let discovery = fetcher.discovery(&openid.config_url).await?;
        if discovery.jwks_uri.is_empty() {
            return Err(OpenIdError::NoJwksUri(openid.config_url.clone()));
        }
        let mut keys = Keys::with_secret(&openid.client_id, &openid.client_secret);
        keys.add(&fetcher.jwks(&discovery.jwks_uri).await?)?;
        Ok(Self::of(discovery, keys, fetcher))
    }

    fn of(discovery: Discovery, keys: Keys, fetcher: &Fetcher) -> Self {
        Self { discovery, keys: RwLock::new(keys.clone()), first: keys, fetcher: fetcher.clone() }
    }

    /// The same with the keys that were read first.
    pub(super) fn as_read(&self) -> Self {
        Self::of(self.discovery.clone(), self.first.clone(), &self.fetcher)
    }

    /// The keys known now.
    pub(super) fn keys(&self) -> Keys {
        self.keys.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Reads the JWKS again and adds its keys to those known.
    pub(super) async fn refresh(&self) -> Result<(), OpenIdError> {
        let set = self.fetcher.jwks(&self.discovery.jwks_uri).await?;
        let mut keys = self.keys.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        Ok(keys.add(&set)?)
    }

    /// The claims of the userinfo endpoint for `access_token` (`truth/minio/20-claim-userinfo`).
    pub(super) async fn userinfo(&self, access_token: &str) -> Result<Map<String, Value>, OpenIdError> {
        let mut headers = HeaderMap::new();
        let bearer = HeaderValue::from_str(&format!("Bearer {access_token}"))
            .map_err(|_| OpenIdError::Status("net/http: invalid header field value".to_owned()))?;
        headers.insert(header::AUTHORIZATION, bearer);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let url = &self.discovery.userinfo_endpoint;
        let response = self.fetcher.send(Method::POST, url, headers, Bytes::new()).await?;
        if response.status() != 200 {
            return Err(OpenIdError::Status(response.status().to_string()));
        }
        json(response.body())
    }
}

fn json<T: for<'de> Deserialize<'de>>(body: &Bytes) -> Result<T, OpenIdError> {
    serde_json::from_slice(body).map_err(|error| OpenIdError::Json(go::json_error(body, &error)))
}
