//! Signing keys.

use serde_json::json as value;

use super::oidc::providers;
use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::json;

const JWKS: &str = "/jwks/";

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "no_signing_key",
        group: Group::Keys,
        story: "a provider made through the API has no signing key: HS256 without a kid",
        reference: Some("https://github.com/minio/minio/issues/15981"),
        breaks: "MINIO-3",
        diagnosis: "SSO-O02",
        seam: Seam::Database(|state, deployment| {
            providers(state, deployment, |provider| provider.signing_key = None)
        }),
    },
    Fault {
        name: "key_set_is_empty",
        group: Group::Keys,
        story: "the key set that apps fetch holds no key",
        reference: None,
        breaks: "OIDC-1",
        diagnosis: "SSO-J01",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if asked.uri.path().ends_with(JWKS) {
                json(response, |set| *set = value!({}));
            }
        }),
    },
    Fault {
        name: "key_was_rotated",
        group: Group::Keys,
        story: "a cache hands out the key set from before the rotation",
        reference: None,
        breaks: "OIDC-1",
        diagnosis: "SSO-J01",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if asked.uri.path().ends_with(JWKS) {
                json(response, |set| {
                    for key in set["keys"].as_array_mut().into_iter().flatten() {
                        key["kid"] = "before-the-rotation".into();
                    }
                });
            }
        }),
    },
    Fault {
        name: "key_nobody_can_read",
        group: Group::Keys,
        story: "one key of the set is of a kind that MinIO cannot decode, and it drops the whole set",
        reference: Some("https://github.com/minio/minio/issues/19303"),
        breaks: "MINIO-3",
        diagnosis: "SSO-J02",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if asked.uri.path().ends_with(JWKS) {
                json(response, |set| {
                    if let Some(keys) = set["keys"].as_array_mut() {
                        let odd =
                            value!({ "kty": "OKP", "crv": "X25519", "kid": "odd", "use": "enc", "x": "AA" });
                        keys.insert(0, odd);
                    }
                });
            }
        }),
    },
    Fault {
        name: "key_of_other_modulus",
        group: Group::Keys,
        story: "the key set has the right kid and the wrong key",
        reference: None,
        breaks: "OIDC-1",
        diagnosis: "SSO-J01",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if asked.uri.path().ends_with(JWKS) {
                json(response, |set| {
                    for key in set["keys"].as_array_mut().into_iter().flatten() {
                        let other = key["n"].as_str().map(|n| n.chars().rev().collect::<String>());
                        key["n"] = other.into();
                    }
                });
            }
        }),
    },
    Fault {
        name: "tokens_end_at_once",
        group: Group::Keys,
        story: "tokens have expired when they are issued, as when the clocks of both sides differ",
        reference: None,
        breaks: "MINIO-1",
        diagnosis: "SSO-K02",
        seam: Seam::Database(|state, deployment| {
            providers(state, deployment, |provider| provider.access_token_validity.seconds = -60)
        }),
    },
];
