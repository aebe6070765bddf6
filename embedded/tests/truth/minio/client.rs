//! A client of MinIO: the STS by form or query, S3 by presigned URLs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::Value;
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::logs::Logs;
use ssoproof_embedded::minio::{ConsoleVariant, Minio, OpenId, Settings};

use super::idp::{HOST, SECRET};

/// Trusts nobody: the tests speak plain HTTP.
pub(crate) fn tls() -> Arc<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.unwrap().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

/// MinIO with the provider of the tests and no buckets.
pub(crate) fn settings(names: &Names) -> Settings {
    Settings {
        openid: OpenId {
            config_url: format!("http://{HOST}/application/o/minio/.well-known/openid-configuration"),
            client_id: "minio-client".to_owned(),
            client_secret: SECRET.to_owned(),
            claim_name: "groups".to_owned(),
            scopes: "openid,profile,email".to_owned(),
            ..OpenId::default()
        },
        policies: BTreeMap::new(),
        root_user: "rootuser".to_owned(),
        root_password: "rootpass123".to_owned(),
        buckets: Vec::new(),
        console: ConsoleVariant::Sso,
        names: names.clone(),
        tls: tls(),
        logs: Logs::default(),
    }
}

/// One exchange with `url`.
pub(crate) async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
    Client::new(Names::default(), tls()).send(request).await.unwrap()
}

/// The text of the first element `name` in `xml`, unescaped; empty when there is none.
pub(crate) fn element(xml: &str, name: &str) -> String {
    let inner =
        xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    let text = inner.map_or("", |(text, _)| text);
    [("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&#34;", "\""), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Status and body of an exchange.
#[derive(Debug)]
pub(crate) struct Told {
    pub status: u16,
    pub body: String,
}

impl Told {
    fn new(response: Response<Bytes>) -> Self {
        let status = response.status().as_u16();
        Self { status, body: String::from_utf8_lossy(response.body()).into_owned() }
    }

    /// The credentials in a successful answer of the STS.
    pub(crate) fn credentials(&self) -> Credentials {
        assert_eq!(self.status, 200, "{}", self.body);
        Credentials::new_with_token(
            element(&self.body, "AccessKeyId"),
            element(&self.body, "SecretAccessKey"),
            element(&self.body, "SessionToken"),
        )
    }
}

/// Asks the STS with the parameters in the query.
pub(crate) async fn sts(minio: &Minio, token: &str, more: &[(&str, &str)]) -> Told {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .append_pair("WebIdentityToken", token)
        .extend_pairs(more);
    Told::new(send("POST", &format!("http://{}/?{}", minio.api(), query.finish()), &[], "").await)
}

/// One request to the S3 port, unsigned.
pub(crate) async fn plain(minio: &Minio, method: &str, path: &str) -> Told {
    Told::new(send(method, &format!("http://{}{path}", minio.api()), &[], "").await)
}

/// The credentials of the root user.
pub(crate) fn root() -> Credentials {
    Credentials::new("rootuser", "rootpass123")
}

/// What `who` may do, in the words of the recordings: an operation and its outcome.
pub(crate) async fn may(minio: &Minio, who: &Credentials) -> BTreeMap<String, String> {
    let bucket = |name: &str| {
        let endpoint = format!("http://{}", minio.api()).parse().unwrap();
        Bucket::new(endpoint, UrlStyle::Path, name.to_owned(), "us-east-1").unwrap()
    };
    let (data, new, admin) = (bucket("data-bkt"), bucket("new-bkt"), bucket("minio"));
    let minute = Duration::from_secs(60);
    let data = &data;
    let requests = [
        ("ListBuckets", "GET", sign_root(minio, who)),
        ("ListObjects_bkt", "GET", data.list_objects_v2(Some(who)).sign(minute).to_string()),
        ("GetObject_bkt", "GET", data.get_object(Some(who), "hello.txt").sign(minute).to_string()),
        ("PutObject_bkt", "PUT", data.put_object(Some(who), "new.txt").sign(minute).to_string()),
        ("DeleteObject_bkt", "DELETE", data.delete_object(Some(who), "new.txt").sign(minute).to_string()),
        ("MakeBucket", "PUT", new.create_bucket(who).sign(minute).to_string()),
        ("DeleteBucket", "DELETE", new.delete_bucket(who).sign(minute).to_string()),
        ("AdminInfo", "GET", admin.get_object(Some(who), "admin/v3/info").sign(minute).to_string()),
    ];
    let mut out = BTreeMap::new();
    for (operation, method, url) in requests {
        let told = Told::new(send(method, &url, &[], "body").await);
        let code = match serde_json::from_str::<Value>(&told.body) {
            Ok(json) => json["Code"].as_str().unwrap_or_default().to_owned(),
            Err(_) => element(&told.body, "Code"),
        };
        let mut line = format!("{} {code}", told.status).trim().to_owned();
        if operation == "ListBuckets" {
            let names: Vec<String> = told
                .body
                .split("<Bucket>")
                .skip(1)
                .map(|part| format!("'{}'", element(part, "Name")))
                .collect();
            line = format!("{line} [{}]", names.join(", "));
        }
        out.insert(operation.to_owned(), line);
    }
    out
}

/// A presigned GET of `/`, which lists the buckets: rusty-s3 has no action for that, but its signer is open.
fn sign_root(minio: &Minio, who: &Credentials) -> String {
    let endpoint = format!("http://{}/", minio.api()).parse().unwrap();
    let (now, none) = (jiff::Timestamp::now(), std::iter::empty());
    let (key, secret, token) = (who.key(), who.secret(), who.token());
    let method = rusty_s3::Method::Get;
    rusty_s3::signing::sign(&now, method, endpoint, key, secret, token, "us-east-1", 60, none.clone(), none)
        .to_string()
}

/// Writes `hello.txt` into `data-bkt` as root.
pub(crate) async fn put_hello(minio: &Minio) {
    let endpoint = format!("http://{}", minio.api()).parse().unwrap();
    let bucket = Bucket::new(endpoint, UrlStyle::Path, "data-bkt", "us-east-1").unwrap();
    let url = bucket.put_object(Some(&root()), "hello.txt").sign(Duration::from_secs(60));
    assert_eq!(send("PUT", url.as_str(), &[], "hello").await.status(), 200);
}

/// The status of a signed request of the root user's, with `hello` for a body.
pub(crate) async fn as_root(minio: &Minio, method: &str, path: &str) -> u16 {
    let endpoint = format!("http://{}/{path}", minio.api()).parse().unwrap();
    let (now, none) = (jiff::Timestamp::now(), std::iter::empty());
    let method_signed = if method == "PUT" { rusty_s3::Method::Put } else { rusty_s3::Method::Get };
    let who = root();
    let (key, secret) = (who.key(), who.secret());
    let url = rusty_s3::signing::sign(
        &now,
        method_signed,
        endpoint,
        key,
        secret,
        None,
        "us-east-1",
        60,
        none.clone(),
        none,
    );
    send(method, url.as_str(), &[], "hello").await.status().as_u16()
}
