//! DOC-H07, DOC-H08: what an entry point does with `X_authentik_username`.

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Proof, Shows};
use crate::doctor::subject::Subject;

const UNSET: Code = Code {
    id: "DOC-H07",
    title: "aliasHeadersStrategy is not set: `X_authentik_username` of a client reaches services",
    diagnosis: None,
};
const UNKNOWN: Code = Code {
    id: "DOC-H08",
    title: "aliasHeadersStrategy that this version of Traefik does not take: it does not start",
    diagnosis: None,
};

const KNOWN: [&str; 3] = ["keep", "delete", "reject"];

pub(super) struct AliasStrategy;

impl Rule for AliasStrategy {
    fn codes(&self) -> &'static [&'static Code] {
        &[&UNSET, &UNKNOWN]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let (Some(fixed), Some(routing)) = (&subject.static_config, &subject.routing) else { return };
        let knows = routing.profile().strips_forwarded_aliases;
        for (name, entry) in &fixed.entry_points {
            let strategy = entry.http.alias_headers_strategy.as_ref();
            let bad = strategy.filter(|strategy| !knows || !KNOWN.contains(&strategy.as_str()));
            if let Some(strategy) = bad {
                let version = &subject.deployment.versions.traefik;
                let message = if knows {
                    format!("`{}` of entry point `{name}` is no strategy", **strategy)
                } else {
                    format!("Traefik {version} does not know aliasHeadersStrategy of entry point `{name}`")
                };
                let reason = "the embedded gateway takes no static configuration, and a real Traefik ends at its start";
                let proof = Proof::Static(reason.to_owned());
                into.push(
                    Finding::new(
                        &UNKNOWN,
                        Severity::Error,
                        at(&fixed.source, strategy.place),
                        message,
                        proof,
                    )
                    .because("Traefik ends with `field not found`, or with the value that it does not take")
                    .fix("write `delete` or `reject` with Traefik 3.7 or later, and nothing before"),
                );
            }
        }
        // With no strategy, or with `keep`, names that differ by `_` alone pass.
        let [_, https] = routing.entry_points();
        let Some(entry) = fixed.entry_points.get(&https.name).filter(|_| knows) else { return };
        if entry.http.alias_headers_strategy.as_ref().is_some_and(|strategy| strategy.value != "keep") {
            return;
        }
        let Some((middleware, _, _)) = subject.forward_auths().into_iter().next() else { return };
        let Some(asked) = subject.through(middleware) else { return };
        let alias = "X_authentik_username";
        let place =
            entry.http.alias_headers_strategy.as_ref().map(|strategy| at(&fixed.source, strategy.place));
        let proof = asked
            .header(alias, "forged")
            .signed_in()
            .shows(Shows::Reads(alias.to_owned(), "forged".to_owned()));
        into.push(
            Finding::new(
                &UNSET,
                Severity::Warning,
                place,
                format!("entry point `{}` keeps alias headers", https.name),
                proof,
            )
            .because("a service that folds `-`, `_` and `.` reads the client's header as Authentik's")
            .fix("write `http: { aliasHeadersStrategy: delete }` for the entry point"),
        );
    }
}
