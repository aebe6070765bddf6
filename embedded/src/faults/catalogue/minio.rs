//! MinIO.

use http::StatusCode;

use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::said;
use crate::minio::ConsoleVariant;
use crate::minio::policy::PolicyDocument;

const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]}]}"#;
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]}]}"#;

fn all_policies(settings: &mut crate::minio::Settings, text: &str) {
    if let Ok(policy) = PolicyDocument::parse(text) {
        settings.policies.values_mut().for_each(|own| *own = policy.clone());
    }
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "claim_name_is_policy",
        group: Group::Minio,
        story: "claim_name is left at `policy`, which no token has",
        reference: Some("https://github.com/minio/docs/issues/381"),
        breaks: "MINIO-1",
        diagnosis: "SSO-O03",
        seam: Seam::Minio(|settings| settings.openid.claim_name = "policy".to_owned()),
    },
    Fault {
        name: "policies_are_missing",
        group: Group::Minio,
        story: "no policy has the name of a group",
        reference: Some("https://github.com/minio/minio/issues/9985"),
        breaks: "MINIO-1",
        diagnosis: "SSO-M01",
        seam: Seam::Minio(|settings| settings.policies.clear()),
    },
    Fault {
        name: "policies_in_other_case",
        group: Group::Minio,
        story: "the policies are named like the groups but for the case",
        reference: Some("https://github.com/minio/minio/issues/9985"),
        breaks: "MINIO-1",
        diagnosis: "SSO-M01",
        seam: Seam::Minio(|settings| {
            let policies = std::mem::take(&mut settings.policies);
            settings.policies =
                policies.into_iter().map(|(name, policy)| (name.to_uppercase(), policy)).collect();
        }),
    },
    Fault {
        name: "policies_allow_everything",
        group: Group::Minio,
        story: "every policy allows everything",
        reference: None,
        breaks: "MINIO-2",
        diagnosis: "SSO-M02",
        seam: Seam::Minio(|settings| all_policies(settings, EVERYTHING)),
    },
    Fault {
        name: "policies_deny_everything",
        group: Group::Minio,
        story: "every policy denies everything",
        reference: None,
        breaks: "MINIO-2",
        diagnosis: "SSO-M02",
        seam: Seam::Minio(|settings| all_policies(settings, NOTHING)),
    },
    Fault {
        name: "role_policy_for_everybody",
        group: Group::Minio,
        story: "a role policy is set: the groups decide nothing",
        reference: None,
        breaks: "MINIO-1",
        diagnosis: "SSO-M03",
        seam: Seam::Minio(|settings| {
            settings.openid.role_policy = Some("readwrite".to_owned());
            settings.openid.claim_name.clear();
        }),
    },
    Fault {
        name: "other_client_id",
        group: Group::Minio,
        story: "MinIO's client id is not the one that tokens are for",
        reference: None,
        breaks: "MINIO-1",
        diagnosis: "SSO-M04",
        seam: Seam::Minio(|settings| settings.openid.client_id.push_str("-old")),
    },
    Fault {
        name: "discovery_of_other_app",
        group: Group::Minio,
        story: "config_url names an application that there is not",
        reference: None,
        breaks: "MINIO-1",
        diagnosis: "SSO-M05",
        seam: Seam::Minio(|settings| {
            settings.openid.config_url =
                settings.openid.config_url.replace("/.well-known", "-old/.well-known");
        }),
    },
    Fault {
        name: "buckets_are_gone",
        group: Group::Minio,
        story: "the buckets do not exist",
        reference: None,
        breaks: "MINIO-2",
        diagnosis: "SSO-M06",
        seam: Seam::Minio(|settings| settings.buckets.clear()),
    },
    Fault {
        name: "callback_at_api_port",
        group: Group::Minio,
        story: "the console's host is routed to the API: XML instead of a login",
        reference: Some("https://github.com/minio/minio/issues/20582"),
        breaks: "MINIO-1",
        diagnosis: "SSO-R09",
        seam: Seam::Files(|files, deployment| {
            let Some(app) = deployment.apps.minio.as_ref() else { return false };
            let (console, api) = (app.upstream.value.clone(), app.api_upstream.value.clone());
            files.replace(&console, &api)
        }),
    },
    Fault {
        name: "console_without_sso",
        group: Group::Minio,
        story: "the console came without its login by the provider (RELEASE.2025-05-24 and later)",
        reference: Some("https://github.com/minio/minio/issues/21311"),
        breaks: "MINIO-1",
        diagnosis: "SSO-M08",
        seam: Seam::Minio(|settings| settings.console = ConsoleVariant::WithoutSso),
    },
    Fault {
        name: "sts_breaks",
        group: Group::Minio,
        story: "a proxy in front of the API refuses POST",
        reference: None,
        breaks: "MINIO-1",
        diagnosis: "SSO-M09",
        seam: Seam::requests(Link::MinioApi, |request, _| {
            (request.method() == http::Method::POST)
                .then(|| said(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"))
        }),
    },
    Fault {
        name: "signed_host_is_rewritten",
        group: Group::Minio,
        story: "something on the way rewrites the Host that S3 requests are signed with",
        reference: None,
        breaks: "MINIO-2",
        diagnosis: "SSO-M10",
        seam: Seam::requests(Link::MinioApi, |request, _| {
            request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_static("minio:9000"));
            None
        }),
    },
];
