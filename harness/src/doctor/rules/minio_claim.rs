//! DOC-M01 to DOC-M05: how MinIO comes from a token to policies.

use std::collections::BTreeSet;

use ssoproof_deployment::suggestion;
use ssoproof_embedded::minio::{Request, builtin, check_providers};

use super::Rule;
use crate::doctor::claims::users;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::minio::MinioSettings;
use crate::doctor::proof::{Asked, Proof, Shows, Way};
use crate::doctor::subject::Subject;
use crate::explain::policies::{self, PoliciesExplanation, PoliciesQuestion};
use crate::stacks::host_of;

const REFUSED: Code = Code {
    id: "DOC-M01",
    title: "MinIO gives a user with groups no credentials",
    diagnosis: Some("SSO-M01"),
};
const CONFIGURATION: Code =
    Code { id: "DOC-M02", title: "MinIO refuses its OpenID configuration", diagnosis: Some("SSO-M05") };
const VARIABLE: Code = Code {
    id: "DOC-M03",
    title: "A variable that MinIO does not know keeps its identity management from starting",
    diagnosis: Some("SSO-M05"),
};
const ONE_SCOPE: Code =
    Code { id: "DOC-M04", title: "MinIO takes scopes with spaces for one scope", diagnosis: None };
const DISCOVERY: Code =
    Code { id: "DOC-M05", title: "MinIO's discovery document is not there", diagnosis: Some("SSO-O08") };

pub(super) struct MinioClaim;

impl Rule for MinioClaim {
    fn codes(&self) -> &'static [&'static Code] {
        &[&REFUSED, &CONFIGURATION, &VARIABLE, &ONE_SCOPE, &DISCOVERY]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(minio) = &subject.minio else { return };
        for (name, at) in &minio.unknown {
            let reason =
                "the embedded MinIO reads no environment; a real one logs it and stays without OpenID";
            into.push(
                Finding::new(
                    &VARIABLE,
                    Severity::Error,
                    at.clone(),
                    format!("MinIO knows no `{name}`"),
                    Proof::Static(reason.to_owned()),
                )
                .because("MinIO stays up, healthy by its own word, and answers 503 to every login")
                .fix(suggestion(name, &MinioSettings::known()).unwrap_or_default()),
            );
        }
        let mut openid = minio.openid.clone();
        "https://provider.invalid/".clone_into(&mut openid.config_url);
        if let Err(words) = check_providers(&[openid]) {
            let said = minio
                .role_policy
                .as_ref()
                .filter(|_| words.contains("Role Policy"))
                .or(minio.scopes.as_ref());
            let place = said.and_then(|said| said.at.clone()).or_else(|| minio.at.clone());
            let proof = Proof::Evaluated {
                question: "MinIO's own check of the settings".to_owned(),
                answer: words.clone(),
            };
            into.push(
                Finding::new(&CONFIGURATION, Severity::Error, place, words, proof)
                    .because("MinIO stays up, healthy by its own word, and answers 503 to every login")
                    .fix("mend the setting that the message names"),
            );
            return;
        }
        if let Some(said) =
            minio.scopes.as_ref().filter(|said| said.value.trim().contains(' ') && !said.value.contains(','))
        {
            let proof = Proof::Evaluated {
                question: format!("`{}` as a list with commas", said.value),
                answer: "one scope of that name".to_owned(),
            };
            into.push(
                Finding::new(
                    &ONE_SCOPE,
                    Severity::Warning,
                    said.at.clone(),
                    format!("the scopes `{}` have no commas", said.value),
                    proof,
                )
                .because("MinIO parts scopes by commas; what it sends happens to work with Authentik")
                .fix(format!("write `{}`", said.value.split_whitespace().collect::<Vec<_>>().join(","))),
            );
        }
        into.extend(refused(subject, minio));
        into.extend(discovery(subject, minio));
    }
}

/// The users who have groups and get no credentials.
fn refused(subject: &Subject, minio: &MinioSettings) -> Option<Finding> {
    let app = subject.deployment.apps.minio.as_ref()?;
    let policies: BTreeSet<String> =
        builtin::policies().into_keys().chain(app.policies.keys().cloned()).collect();
    let with_groups = users(subject, &[]).into_iter().filter(|user| !user.groups.is_empty());
    let explained: Vec<(String, PoliciesExplanation)> = with_groups
        .map(|user| {
            let claims = user.claims(&minio.openid.client_id, &["openid", "profile", "email"]);
            let request = Request { userinfo: Some(claims.clone()), ..Request::default() };
            let question = PoliciesQuestion {
                providers: vec![minio.openid.clone()],
                claims: Some(claims),
                policies: policies.clone(),
                request,
                ..PoliciesQuestion::default()
            };
            (user.name, policies::explain(&question))
        })
        .collect();
    let bad: Vec<&(String, PoliciesExplanation)> =
        explained.iter().filter(|(_, one)| !one.accepted).collect();
    let (first, explanation) = bad.first()?;
    let names: Vec<&str> = bad.iter().map(|(name, _)| name.as_str()).collect();
    let claim = if minio.openid.claim_name.is_empty() { "policy" } else { &minio.openid.claim_name };
    let message = format!("MinIO refuses {}: claim `{claim}` names no policy", names.join(", "));
    let advice = explanation.advice.first();
    let proof =
        Proof::Evaluated { question: format!("the claims of {first}"), answer: explanation.answer.clone() };
    let place = minio.claim_name.as_ref().and_then(|said| said.at.clone()).or_else(|| minio.at.clone());
    Some(
        Finding::new(&REFUSED, Severity::Error, place, message, proof)
            .because(
                "the names in the claim are policies, compared letter for letter; one of them has to exist",
            )
            .fix(advice.map_or_else(
                || {
                    format!(
                        "make policies of these names, or name the claim that has them; `{claim}` has none"
                    )
                },
                |advice| format!("{}: {}", advice.what, advice.help),
            )),
    )
}

/// A discovery URL of another application, or of none.
fn discovery(subject: &Subject, minio: &MinioSettings) -> Option<Finding> {
    let said = minio.config_url.as_ref()?;
    let app = subject.deployment.apps.minio.as_ref()?;
    let auth = subject.auth_host()?;
    let path = format!("/application/o/{}/.well-known/openid-configuration", *app.provider.slug);
    let url = url::Url::parse(&said.value).ok();
    let right = format!("write `{}{path}`", subject.deployment.auth.url.trim_end_matches('/'));
    let url = url?;
    if url.path() == path {
        return None;
    }
    let proof = match subject
        .url(&auth, url.path())
        .filter(|_| host_of(&said.value).as_deref() == Some(auth.as_str()))
    {
        Some(asked) => Asked::get(asked).by(Way::Authentik).shows(Shows::Status(404)),
        None => Proof::Static("the host is not Authentik's".to_owned()),
    };
    let message = format!("MinIO reads `{}`, and its application's is `{path}`", url.path());
    Some(
        Finding::new(&DISCOVERY, Severity::Error, said.at.clone(), message, proof)
            .because("without the document MinIO's identity management never starts: every login gets a 503")
            .fix(right),
    )
}
