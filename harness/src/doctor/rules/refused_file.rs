//! DOC-T01, DOC-T02: a file that Traefik refuses, and with it the whole folder.

use ssoproof_deployment::Problem;
use ssoproof_deployment::traefik::{Dynamic, Profile};

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Asked, Proof, Shows};
use crate::doctor::subject::Subject;

const REFUSED: Code =
    Code { id: "DOC-T01", title: "One bad file blocks the whole file provider", diagnosis: Some("SSO-R01") };
const TOO_NEW: Code = Code {
    id: "DOC-T02",
    title: "A field that this version of Traefik does not know",
    diagnosis: Some("SSO-R01"),
};

/// Versions that may know what another does not, newest last.
const VERSIONS: [&str; 3] = ["3.0", "3.6", "3.7"];

pub(super) struct RefusedFile;

impl Rule for RefusedFile {
    fn codes(&self) -> &'static [&'static Code] {
        &[&REFUSED, &TOO_NEW]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        for problem in &subject.refused {
            let version = &subject.deployment.versions.traefik;
            let since = known_since(problem);
            let (code, message) = match since {
                Some(since) => {
                    (&TOO_NEW, format!("{problem}: Traefik {version} does not know it, {since} does"))
                }
                None => (&REFUSED, problem.to_string()),
            };
            let place = problem.at().map(|(source, place)| at(source, place));
            let fix = match (since, problem.help_line()) {
                (Some(since), _) => format!("take it out, or run Traefik {since} or later"),
                (None, Some(help)) => help.to_owned(),
                (None, None) if problem.to_string().contains("standalone element") => {
                    "take the empty mapping out: Traefik refuses one".to_owned()
                }
                (None, None) => {
                    "mend the file; write it elsewhere first, check it, and rename it into place".to_owned()
                }
            };
            let finding = Finding::new(code, Severity::Error, place, message, proof(subject));
            into.push(finding.fix(fix).because(
                "Traefik takes nothing from any file of the folder: after a start every host answers 404, and while it \
                 runs it keeps what it had and takes no change",
            ));
        }
    }
}

/// The oldest version that takes the file.
fn known_since(problem: &Problem) -> Option<&'static str> {
    let (source, _) = problem.at()?;
    if !problem.to_string().contains("field not found") {
        return None;
    }
    VERSIONS
        .into_iter()
        .find(|version| Dynamic::from_sources([source.clone()], Profile::for_version(version)).is_ok())
}

/// Any host at all is answered with 404.
fn proof(subject: &Subject) -> Proof {
    let host = subject.protected().into_iter().map(|(host, _)| host).next().or_else(|| subject.auth_host());
    match host.and_then(|host| subject.url(&host, "/")) {
        Some(url) => Asked::get(url).shows(Shows::Status(404)),
        None => Proof::Static("no host is known".to_owned()),
    }
}
