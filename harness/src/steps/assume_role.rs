//! `assume_role`: MinIO's AssumeRoleWithWebIdentity.

use http::Method;
use quick_xml::de::from_str;
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use ssoproof_deployment::Place;

use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::world::parse_url;
use super::{Refusal, Seen, StsCredentials, World};
use crate::agent::{Agent, Mode, Outgoing};
use crate::evidence::{AwsError, Cause};

/// Asks the STS with a token of the `authorize` before.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssumeRole {
    /// Which token is handed over.
    #[serde(default)]
    token: Handed,
    /// `DurationSeconds`, in seconds; the token's own life when left out.
    #[serde(default)]
    duration: Option<u32>,
}

/// A token of an OIDC login.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Handed {
    /// The id token.
    #[default]
    IdToken,
    /// The access token.
    AccessToken,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Granted {
    assume_role_with_web_identity_result: GrantedResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GrantedResult {
    credentials: GrantedCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GrantedCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
}

impl Verb for AssumeRole {
    fn parts(&self, _: Place, _: &mut Parts) {}

    /// The STS is asked by POST, and gives credentials that live on.
    fn mutates(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let mut seen = Seen::at(&world.ledger);
            let name = match self.token {
                Handed::IdToken => "id_token",
                Handed::AccessToken => "access_token",
            };
            let missing = || StepError::Missing(format!("there is no {name}: `authorize` first"));
            let tokens = world.actor()?.tokens.clone().ok_or_else(missing)?;
            let token = tokens.raw(name).ok_or_else(missing)?.expose_secret().to_owned();
            let no_minio = || StepError::Missing("the deployment has no MinIO".into());
            let api = &world.deployment.apps.minio.as_ref().ok_or_else(no_minio)?.api_url;
            let duration = self.duration.map(|seconds| seconds.to_string());
            let mut fields = vec![
                ("Action", "AssumeRoleWithWebIdentity"),
                ("Version", "2011-06-15"),
                ("WebIdentityToken", token.as_str()),
            ];
            fields.extend(duration.iter().map(|seconds| ("DurationSeconds", seconds.as_str())));
            let mut request = Outgoing::post_form(parse_url(&format!("{}/", **api))?, fields, None);
            request.mode = Mode::Api;
            request.method = Method::POST;
            let mut agent = Agent::program("sts client", world.stack.client());
            let index = agent.exchange(request, Cause::Api, &mut world.ledger).await;
            let response = world.ledger.response(index);
            let text = response.map(super::super::evidence::ResponseRecord::text).unwrap_or_default();
            if let Ok(granted) = from_str::<Granted>(&text) {
                let granted = granted.assume_role_with_web_identity_result.credentials;
                let credentials = StsCredentials {
                    access_key: granted.access_key_id,
                    secret_key: granted.secret_access_key.into(),
                    session_token: granted.session_token,
                };
                world.actor()?.credentials = Some(credentials.clone());
                seen.credentials = Some(credentials);
            } else {
                let refused = AwsError::read(&text);
                world.actor()?.credentials = None;
                seen.refused = Some(Refusal {
                    by: "sts",
                    code: refused
                        .as_ref()
                        .map_or_else(|| "unreadable".to_owned(), |error| error.code.clone()),
                    message: refused.map(|error| error.message).unwrap_or_default(),
                    hop: index,
                });
            }
            Ok(seen)
        })
    }
}
