//! DOC-L04, DOC-L05: discovery documents and keys of the apps.

use ssoproof_embedded::minio::check_jwks;

use super::ask::{Ask, told};
use crate::diagnoses::AUTHORIZE;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::subject::Subject;

const DISCOVERY: Code = Code {
    id: "DOC-L04",
    title: "An application's discovery document is not there, or names other URLs",
    diagnosis: Some("SSO-O07"),
};
const KEYS: Code =
    Code { id: "DOC-L05", title: "An application's keys cannot be used", diagnosis: Some("SSO-O02") };

/// The endpoints that all applications share.
const SHARED: [(&str, &str); 3] = [
    ("authorization_endpoint", AUTHORIZE),
    ("token_endpoint", "/application/o/token/"),
    ("userinfo_endpoint", "/application/o/userinfo/"),
];

/// Reads the discovery document and the keys of every app.
pub(super) async fn discovery(subject: &Subject, ask: &Ask) -> Vec<Finding> {
    let base = subject.deployment.auth.url.trim_end_matches('/');
    let mut found = Vec::new();
    for (name, provider) in subject.deployment.providers() {
        let slug = provider.slug.as_str();
        let url = format!("{base}/application/o/{slug}/.well-known/openid-configuration");
        let document = match ask.json(&url, None).await {
            Ok(document) => document,
            Err(said) => {
                let message = format!("{name} has no discovery document");
                found.push(
                    told(&DISCOVERY, Severity::Error, message, &url, said)
                        .because("an app that finds none lets nobody sign in")
                        .fix(format!("give the application the slug `{slug}` and an OAuth2 provider")),
                );
                continue;
            }
        };
        let issuer = format!("{base}/application/o/{slug}/");
        let shared = SHARED.map(|(field, path)| (field, format!("{base}{path}")));
        let wanted = std::iter::once(("issuer", issuer)).chain(shared);
        let wrong: Vec<String> = wanted
            .filter_map(|(field, wanted)| {
                let got = document[field].as_str().unwrap_or_default();
                // An issuer for all providers is a setting of Authentik's.
                let global = field == "issuer" && got == format!("{base}/");
                (got != wanted && !global).then(|| format!("{field} is `{got}` instead of `{wanted}`"))
            })
            .collect();
        if !wrong.is_empty() {
            let message = format!("the discovery document of {name} names other URLs than the deployment");
            found.push(
                told(&DISCOVERY, Severity::Error, message, &url, wrong.join("; "))
                    .because("Authentik writes its URLs from the host and scheme that it is asked with")
                    .fix("let the gateway pass Host and X-Forwarded-Proto on, and trust it"),
            );
        }
        if let Some(jwks) = document["jwks_uri"].as_str() {
            found.extend(keys(ask, name, jwks).await);
        }
    }
    found
}

async fn keys(ask: &Ask, name: &str, url: &str) -> Option<Finding> {
    let said = match ask.json(url, None).await {
        Err(said) => said,
        Ok(document) if document["keys"].as_array().is_none_or(Vec::is_empty) => "no key".to_owned(),
        Ok(document) => check_jwks(&document).err()?,
    };
    Some(
        told(&KEYS, Severity::Error, format!("the keys of {name} cannot be used"), url, said)
            .because("without a key tokens are signed with the client secret; one that MinIO cannot read costs it the whole set")
            .fix("select one RSA or EC key as signing key of the provider"),
    )
}
