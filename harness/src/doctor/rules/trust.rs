//! DOC-H05, DOC-H06: whose X-Forwarded-* the forward auth believes.

use ssoproof_deployment::Place;

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Proof, Shows, Way};
use crate::doctor::static_config::StaticConfig;
use crate::doctor::subject::Subject;

const ANYBODY: Code = Code {
    id: "DOC-H05",
    title: "Anybody can tell the outpost which host, path and scheme are asked for",
    diagnosis: Some("SSO-F01"),
};
const UNSET: Code = Code {
    id: "DOC-H06",
    title: "trustForwardHeader is not set while an entry point believes clients",
    diagnosis: Some("SSO-F01"),
};

pub(super) struct Trust;

impl Rule for Trust {
    fn codes(&self) -> &'static [&'static Code] {
        &[&ANYBODY, &UNSET]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(fixed) = &subject.static_config else { return };
        for (name, definition, auth) in subject.forward_auths() {
            let proof = |header: &str, value: &str| match subject.through(name) {
                Some(asked) => asked
                    .header(header, value)
                    .by(Way::Recorder)
                    .shows(Shows::AuthReads(header.to_owned(), value.to_owned())),
                None => Proof::Static("no router of a protected host runs the middleware".to_owned()),
            };
            match (auth.trust_forward_header, insecure(fixed), trusting(fixed)) {
                (Some(true), Some((entry, place)), _) => {
                    let message = format!(
                        "entry point `{entry}` believes every client, and middleware `{name}` passes that on to the outpost"
                    );
                    let proof = proof("X-Forwarded-Host", "forged.invalid");
                    into.push(
                        Finding::new(&ANYBODY, Severity::Error, at(&fixed.source, place), message, proof)
                            .because(
                                "the outpost decides by X-Forwarded-Host and -Uri: a client that names another host or an \
                                 open path is judged by that, and reaches what it asked for",
                            )
                            .fix("name the proxies in front in `forwardedHeaders.trustedIPs`, and leave `insecure` out"),
                    );
                }
                (None, _, Some((entry, _))) => {
                    let message = format!(
                        "trustForwardHeader of middleware `{name}` is not set, and entry point `{entry}` believes clients"
                    );
                    let mut proof = proof("X-Forwarded-Prefix", "/forged");
                    if insecure(fixed).is_none() {
                        proof = Proof::Static(
                            "only clients in `trustedIPs` are believed, and loopback need not be one"
                                .to_owned(),
                        );
                    }
                    let place = at(&definition.at.source, definition.at.place);
                    into.push(
                        Finding::new(&UNSET, Severity::Warning, place, message, proof)
                            .because(
                                "unset is neither true nor false: host and path are Traefik's own, while the prefix, the \
                                 port and X-Real-Ip of the client reach the outpost",
                            )
                            .fix("write `trustForwardHeader: false`, or `true` behind a proxy in `trustedIPs`"),
                    );
                }
                _ => {}
            }
        }
    }
}

/// An entry point that believes everybody, and where it says so.
fn insecure(fixed: &StaticConfig) -> Option<(&str, Place)> {
    let mut found = fixed.entry_points.iter().filter_map(|(name, entry)| {
        let insecure = entry.forwarded_headers.insecure.as_ref().filter(|insecure| insecure.value)?;
        Some((name.as_str(), insecure.place))
    });
    found.next()
}

/// An entry point that believes somebody.
fn trusting(fixed: &StaticConfig) -> Option<(&str, Place)> {
    insecure(fixed).or_else(|| {
        let mut found = fixed.entry_points.iter().filter_map(|(name, entry)| {
            let list = entry.forwarded_headers.trusted_ips.as_ref().filter(|list| !list.is_empty())?;
            Some((name.as_str(), list.place))
        });
        found.next()
    })
}
