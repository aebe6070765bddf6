//! `policies`: the policies that MinIO's credentials stand for.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use ssoproof_deployment::{Located, Place};

use super::expect::{Check, CheckFuture, differs};
use crate::scenario::Template;
use crate::steps::{Parts, Seen, World};

/// Names of policies, in any order.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Policies(Template);

impl Check for Policies {
    fn parts(&self, place: Place, parts: &mut Parts) {
        parts.template(&Located { value: self.0.clone(), place });
    }

    /// Reads the policy claim of the session token (`truth/minio/02-groups-claim`: a joined string that holds the
    /// existing policies only).
    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let wanted: BTreeSet<String> = match self.0.value(&world.scope)? {
                Value::Array(names) => {
                    names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
                }
                _ => BTreeSet::new(),
            };
            let hop = seen.hops(&world.ledger).last().map(|hop| hop.index);
            let claim =
                world.deployment.apps.minio.as_ref().map_or("policy", |minio| minio.claim_name.as_str());
            let got = match (&seen.credentials, &seen.refused) {
                (Some(credentials), _) => {
                    let payload = credentials.session_token.split('.').nth(1).unwrap_or_default();
                    let claims: Value = URL_SAFE_NO_PAD
                        .decode(payload)
                        .ok()
                        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
                        .unwrap_or_default();
                    let names: BTreeSet<String> = match &claims[claim] {
                        Value::String(joined) => joined.split(',').map(str::to_owned).collect(),
                        Value::Array(names) => {
                            names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
                        }
                        _ => BTreeSet::new(),
                    };
                    joined(&names)
                }
                (None, Some(refusal)) => format!("refused: {} {}", refusal.code, refusal.message),
                (None, None) => "no credentials".to_owned(),
            };
            Ok(differs("policies", joined(&wanted), got, place, hop).into_iter().collect())
        })
    }
}

fn joined(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
