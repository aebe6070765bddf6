//! DOC-P04: scopes without which there is no identity, or no groups.

use super::Rule;
use crate::doctor::claims::users;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::proof::Proof;
use crate::doctor::settings::Said;
use crate::doctor::subject::Subject;

const MISSING: Code = Code {
    id: "DOC-P04",
    title: "An app does not ask for a scope that it needs",
    diagnosis: Some("SSO-O03"),
};

pub(super) struct Scopes;

impl Rule for Scopes {
    fn codes(&self) -> &'static [&'static Code] {
        &[&MISSING]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let grafana = subject.grafana.as_ref().and_then(|grafana| {
            let groups = grafana.expression.as_ref().is_some_and(|one| one.value.contains("groups"));
            Some(("Grafana", grafana.scopes.as_ref()?, [' ', ','], groups))
        });
        let minio = subject.minio.as_ref().and_then(|minio| {
            let groups = minio.openid.claim_name == "groups" && minio.role_policy.is_none();
            Some(("MinIO", minio.scopes.as_ref()?, [',', ' '], groups))
        });
        for (app, said, separators, groups) in grafana.into_iter().chain(minio) {
            into.extend(missing(subject, app, said, &separators, groups));
        }
    }
}

fn missing(subject: &Subject, app: &str, said: &Said, separators: &[char], groups: bool) -> Option<Finding> {
    let scopes: Vec<&str> =
        said.value.split(separators).map(str::trim).filter(|one| !one.is_empty()).collect();
    let has = |scope: &str| scopes.contains(&scope);
    let (scope, why) = if !has("openid") {
        ("openid", "without it Authentik gives no id token")
    } else if groups && !has("profile") {
        ("profile", "the groups come with it, and the app decides by them")
    } else {
        return None;
    };
    let user = users(subject, &[]).into_iter().next()?;
    let claims: Vec<String> = user.claims(app, &scopes).keys().cloned().collect();
    let proof = Proof::Evaluated {
        question: format!("the claims of {} for `{}`", user.name, said.value),
        answer: if has("openid") {
            format!("they are {}", claims.join(", "))
        } else {
            "there is no id token".to_owned()
        },
    };
    let message = format!("{app} asks for `{}`, not for `{scope}`", said.value);
    Some(
        Finding::new(&MISSING, Severity::Error, said.at.clone(), message, proof)
            .because(why)
            .fix(format!("add `{scope}`")),
    )
}
