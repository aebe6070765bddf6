//! DOC-D01: what the deployment's document says where the real programs do otherwise.

use ssoproof_deployment::{Place, Source};

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::Proof;
use crate::doctor::subject::Subject;

const DRIFT: Code =
    Code { id: "DOC-D01", title: "The deployment's document says otherwise than is true", diagnosis: None };

pub(super) struct Drift;

impl Rule for Drift {
    fn codes(&self) -> &'static [&'static Code] {
        &[&DRIFT]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(source) = &subject.stated else { return };
        for (name, statement) in &subject.deployment.statements {
            let reason = "the statement is about the programs; `ssoproof run` shows what they do";
            let place = at(source, key(source, name));
            let message = format!("the document says: {}", statement.document);
            into.push(
                Finding::new(&DRIFT, Severity::Note, place, message, Proof::Static(reason.to_owned()))
                    .because(statement.truth.clone())
                    .fix("mend the document"),
            );
        }
    }
}

/// Where the key `name` stands below `statements`.
fn key(source: &Source, name: &str) -> Place {
    let (mut offset, mut within) = (0, false);
    for (index, line) in source.text.split_inclusive('\n').enumerate() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if indent == 0 && !text.trim().is_empty() {
            within = text.starts_with("statements:");
        }
        let found = text.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':'));
        if within && indent > 0 && found {
            return Place {
                line: index + 1,
                column: indent + 1,
                offset: offset + indent,
                length: name.len(),
            };
        }
        offset += line.len();
    }
    Place::default()
}
