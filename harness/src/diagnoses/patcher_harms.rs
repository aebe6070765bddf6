//! SSO-D03.

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::checks::UNPATCHED;

/// Whoever puts the middleware back does more than that, or does it half.
pub(super) struct PatcherHarms;

impl Diagnosis for PatcherHarms {
    fn code(&self) -> &'static str {
        "SSO-D03"
    }

    fn explanation(&self) -> &'static str {
        "Whoever puts the middleware back harms the file\n\n\
         A script that reads a file and writes it anew loses comments and order; one that does not look adds the \
         middleware twice; one that writes into the file leaves it empty or half-written for a moment, in which Traefik \
         reads it and drops every router of it.\n\
         `ssoproof traefik patch` edits by place, does nothing where nothing is to do, and moves whole files into place."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        // A file that nobody has patched is not harmed.
        let finding = subject.finding(|finding| finding.check == "patched" && finding.got != UNPATCHED)?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "whoever patches harms the file: {}: {} instead of {}",
                finding.what, finding.got, finding.expected
            ),
            pointer: None,
            help: "let `ssoproof traefik patch --watch` do it, or write a new file outside of the folder and rename it"
                .to_owned(),
        })
    }
}
