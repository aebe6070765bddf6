//! DOC-P03, DOC-P07: the keys of MinIO's provider.

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::proof::{Asked, Proof, Shows, Way};
use crate::doctor::subject::Subject;

const NO_KEY: Code = Code {
    id: "DOC-P03",
    title: "MinIO's provider has no signing key: MinIO refuses its tokens",
    diagnosis: Some("SSO-O02"),
};
const ENCRYPTED: Code = Code {
    id: "DOC-P07",
    title: "A provider encrypts its tokens, and the app cannot read them",
    diagnosis: None,
};

pub(super) struct ProviderKeys;

impl Rule for ProviderKeys {
    fn codes(&self) -> &'static [&'static Code] {
        &[&NO_KEY, &ENCRYPTED]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        for app in subject.apps() {
            if let Some(place) = &app.unsigned
                && app.name == "MinIO"
            {
                let path = format!("/application/o/{}/jwks/", app.slug);
                let url = subject.auth_host().and_then(|host| subject.url(&host, &path));
                let proof = match url {
                    Some(url) => Asked::get(url).by(Way::Authentik).shows(Shows::Says("{}".to_owned())),
                    None => Proof::Static("Authentik's host is not known".to_owned()),
                };
                into.push(
                    Finding::new(&NO_KEY, Severity::Error, place.clone(), "MinIO's provider has no signing key", proof)
                        .because(
                            "without one Authentik signs with the client secret (HS256) and sends no `kid`; MinIO answers \
                             `Invalid kid value <nil>`",
                        )
                        .fix("select a signing key, RSA or EC; the self-signed certificate that Authentik comes with does"),
                );
            }
            if let Some(place) = &app.encrypted {
                let proof = Proof::Evaluated {
                    question: "a token of five parts".to_owned(),
                    answer: "400 InvalidParameterValue: token contains an invalid number of segments"
                        .to_owned(),
                };
                let message = format!("the provider of {} has an encryption key", app.name);
                into.push(
                    Finding::new(&ENCRYPTED, Severity::Error, place.clone(), message, proof)
                        .because("tokens become JWE, which nobody but the holder of the key reads")
                        .fix("take the encryption key off the provider"),
                );
            }
        }
    }
}
