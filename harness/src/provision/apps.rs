//! Relying parties: signing key, OAuth2 provider, application.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use ssoproof_deployment::{Deployment, Provider, SigningKey};

use super::Flows;
use super::api::{Api, text};
use crate::stacks::{Secrets, StackError};

/// The name of the certificate that Authentik comes with.
const SELF_SIGNED: &str = "authentik Self-signed Certificate";

/// Makes the relying parties' sides.
pub(super) async fn make(
    api: &Api,
    deployment: &Deployment,
    flows: &Flows,
    secrets: &Secrets,
) -> Result<(), StackError> {
    let mappings = api.get("propertymappings/provider/scope/?page_size=100").await?;
    for (name, provider) in deployment.providers() {
        let invalidation = match &provider.invalidation_flow {
            Some(slug) => Flows::pk(api, slug).await?,
            None => flows.provider_invalidation.clone(),
        };
        let redirect_uris: Vec<Value> = provider
            .redirect_uris
            .iter()
            .map(|uri| json!({ "matching_mode": "strict", "url": **uri }))
            .collect();
        let secret = secrets.client_secrets.get(&provider.client_id);
        let body = json!({
            "name": name, "authorization_flow": flows.authorization, "invalidation_flow": invalidation,
            "client_type": "confidential", "client_id": provider.client_id,
            "client_secret": secret.map(|secret| secret.expose_secret()),
            "redirect_uris": redirect_uris, "signing_key": signing_key(api, name, provider).await?,
            "property_mappings": scopes(provider, &mappings), "sub_mode": "hashed_user_id",
            "include_claims_in_id_token": true,
        });
        let pk = api.post("providers/oauth2/", &body).await?["pk"].clone();
        let application = json!({ "name": name, "slug": *provider.slug, "provider": pk });
        api.post("core/applications/", &application).await?;
    }
    Ok(())
}

/// The pks of the scope mappings that give the provider's scopes, those that Authentik comes with.
fn scopes(provider: &Provider, mappings: &Value) -> Vec<String> {
    let mappings = mappings["results"].as_array().into_iter().flatten();
    mappings
        .filter(|mapping| mapping["managed"].is_string())
        .filter(|mapping| {
            provider.scopes.iter().any(|scope| mapping["scope_name"].as_str() == Some(scope.as_str()))
        })
        .map(|mapping| text(mapping, "pk"))
        .collect()
}

/// The pk of the key that signs the provider's tokens; `null` for none.
async fn signing_key(api: &Api, name: &str, provider: &Provider) -> Result<Value, StackError> {
    let alg = match *provider.signing_key {
        SigningKey::None => return Ok(Value::Null),
        SigningKey::SelfSigned => {
            let path = "crypto/certificatekeypairs/?has_key=true&page_size=100";
            let pairs = api.get(path).await?;
            let mut pairs = pairs["results"].as_array().into_iter().flatten();
            let found = pairs.find(|pair| pair["name"] == SELF_SIGNED);
            return found.map(|pair| pair["pk"].clone()).ok_or_else(|| StackError::Provision {
                what: path.to_owned(),
                reason: format!("no certificate `{SELF_SIGNED}`"),
            });
        }
        SigningKey::DedicatedRsa => "rsa",
        SigningKey::DedicatedEc => "ecdsa",
    };
    let body = json!({
        "common_name": format!("{name} signing"), "subject_alt_name": "", "validity_days": 3650, "alg": alg,
    });
    Ok(api.post("crypto/certificatekeypairs/generate/", &body).await?["pk"].clone())
}
