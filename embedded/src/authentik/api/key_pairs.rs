//! `crypto/certificatekeypairs/` (`01-config-api`). A pair's key does not change: PATCH renames it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::{Call, View};
use super::collection::{Action, Editable, Resource};
use super::fields::Fields;
use super::refusal::{Answer, Refusal, shown};
use crate::authentik::key_pairs;
use crate::authentik::model::KeyPair;
use crate::authentik::state::State;

const UNIQUE: &str = "This field must be unique.";

pub(super) struct KeyPairs;

impl Resource for KeyPairs {
    type Key = Uuid;
    type Item = KeyPair;

    const MODEL: &'static str = "CertificateKeyPair";
    const ACTIONS: &'static [Action] = &[
        Action { name: "generate", of_item: false, method: Method::POST, run: generate },
        Action {
            name: "view_certificate",
            of_item: true,
            method: Method::GET,
            run: |call, pk| data(call, pk, |pair| &pair.certificate),
        },
        Action {
            name: "view_private_key",
            of_item: true,
            method: Method::GET,
            run: |call, pk| data(call, pk, |pair| &pair.private_key),
        },
    ];
    const REMOVE: Option<fn(&mut State, &Uuid)> = Some(remove);

    fn rows(state: &State) -> Vec<&KeyPair> {
        state.key_pairs.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<Uuid> {
        segment.parse().ok().filter(|pk| state.key_pairs.contains_key(pk))
    }

    fn item<'s>(state: &'s State, key: &Uuid) -> Option<&'s KeyPair> {
        state.key_pairs.get(key)
    }

    fn show(view: View<'_>, pair: &KeyPair) -> Value {
        let path = format!("/api/v3/crypto/certificatekeypairs/{}", pair.pk);
        let mut value = json!({
            "pk": pair.pk,
            "name": pair.name,
            "fingerprint_sha256": fingerprint(pair, "x5t#S256"),
            "fingerprint_sha1": fingerprint(pair, "x5t"),
            "cert_expiry": pair.not_after.to_string(),
            "cert_subject": format!("OU=Self-signed,O=authentik,CN={}", pair.name),
            "private_key_available": true,
        });
        value[if view.profile.old_shapes { "private_key_type" } else { "key_type" }] =
            json!(pair.signing.key_type());
        value["certificate_download_url"] = json!(format!("{path}/view_certificate/?download"));
        value["private_key_download_url"] = json!(format!("{path}/view_private_key/?download"));
        value["managed"] = json!(pair.managed);
        value
    }

    fn order(pair: &KeyPair) -> String {
        pair.name.clone()
    }

    fn filter(_view: View<'_>, _pair: &KeyPair, name: &str) -> Option<String> {
        (name == "has_key").then(|| "true".to_owned())
    }
}

impl Editable for KeyPairs {
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&KeyPair>) -> KeyPair {
        let name = fields.required("name", old.map(|old| old.name.as_str()));
        if let Some(old) = old {
            return KeyPair { name, ..old.clone() };
        }
        if taken(view.state, &name) {
            fields.complain("name", UNIQUE);
        }
        let certificate = fields.required("certificate_data", None);
        let key = fields.required("key_data", None);
        let pair = key_pairs::import(&name, &certificate, &key, view.profile);
        if pair.unusable() && fields.fine() {
            fields.complain("key_data", "Unable to load private key (possibly encrypted?).");
        }
        pair
    }

    fn store(state: &mut State, pair: KeyPair, _body: &Map<String, Value>) -> Uuid {
        let pk = pair.pk;
        state.key_pairs.insert(pk, pair);
        pk
    }
}

fn taken(state: &State, name: &str) -> bool {
    state.key_pairs.values().any(|pair| pair.name == name)
}

fn remove(state: &mut State, pk: &Uuid) {
    state.key_pairs.remove(pk);
    for provider in state.providers.values_mut() {
        provider.signing_key = provider.signing_key.filter(|key| key != pk);
        provider.encryption_key = provider.encryption_key.filter(|key| key != pk);
    }
}

/// `generate/`: answers 200, not 201.
fn generate(call: &Call<'_>, _: &str) -> Answer {
    call.superuser()?;
    let body = call.object()?;
    let mut state = call.shared.state_mut();
    let mut fields = Fields::new(&body, false);
    let name = fields.required("common_name", None);
    if taken(&state, &name) {
        fields.complain("common_name", UNIQUE);
    }
    let alternative_names = fields.text("subject_alt_name", None, "");
    let days = fields.integer("validity_days", None, None);
    let algorithm = fields.choice("alg", None, &["rsa", "ecdsa"]);
    fields.finish()?;
    let request = key_pairs::Request { name: &name, alternative_names: &alternative_names, days };
    let make = if algorithm == "ecdsa" { key_pairs::generate_ec } else { key_pairs::generate_rsa };
    let pair = make(&request, &call.shared.profile)
        .map_err(|error| Refusal::field("subject_alt_name", error.to_string()))?;
    let value = KeyPairs::show(View { state: &state, profile: &call.shared.profile }, &pair);
    state.key_pairs.insert(pair.pk, pair);
    shown(value)
}

fn data(call: &Call<'_>, segment: &str, part: fn(&KeyPair) -> &str) -> Answer {
    call.superuser()?;
    let state = call.shared.state();
    let pk = KeyPairs::find(&state, segment).ok_or(Refusal::Missing(KeyPairs::MODEL))?;
    let pair = state.key_pairs.get(&pk).ok_or(Refusal::Missing(KeyPairs::MODEL))?;
    shown(json!({ "data": part(pair) }))
}

/// The digest of the certificate that its JWK carries as `member`, in hex pairs.
fn fingerprint(pair: &KeyPair, member: &str) -> Option<String> {
    let jwk = pair.signing.jwk(Some(&pair.certificate))?;
    let digest = URL_SAFE_NO_PAD.decode(jwk[member].as_str()?).ok()?;
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
}
