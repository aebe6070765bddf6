//! The policies every MinIO has from the start.

use std::collections::BTreeMap;

use super::policy::{Effect, PolicyDocument, Statement};

/// Name and, for each statement, the actions allowed on every resource (`truth/minio/01-mc-admin`).
const POLICIES: [(&str, &[&[&str]]); 5] = [
    ("consoleAdmin", &[&["admin:*"], &["kms:*"], &["s3:*"]]),
    (
        "diagnostics",
        &[&[
            "admin:Profiling",
            "admin:ServerTrace",
            "admin:ConsoleLog",
            "admin:ServerInfo",
            "admin:TopLocksInfo",
            "admin:OBDInfo",
            "admin:BandwidthMonitor",
            "admin:Prometheus",
        ]],
    ),
    ("readonly", &[&["s3:GetBucketLocation", "s3:GetObject"]]),
    ("readwrite", &[&["s3:*"]]),
    ("writeonly", &[&["s3:PutObject"]]),
];

/// `consoleAdmin`, `diagnostics`, `readonly`, `readwrite` and `writeonly`, by name.
pub fn policies() -> BTreeMap<String, PolicyDocument> {
    POLICIES.iter().map(|(name, statements)| ((*name).to_owned(), document(statements))).collect()
}

fn document(statements: &[&[&str]]) -> PolicyDocument {
    let statement = statements
        .iter()
        .map(|actions| Statement {
            sid: String::new(),
            effect: Effect::Allow,
            action: actions.iter().map(|action| (*action).to_owned()).collect(),
            not_action: Vec::new(),
            resource: vec!["arn:aws:s3:::*".to_owned()],
            not_resource: Vec::new(),
            condition: BTreeMap::new(),
        })
        .collect();
    PolicyDocument { version: "2012-10-17".to_owned(), statement }
}
