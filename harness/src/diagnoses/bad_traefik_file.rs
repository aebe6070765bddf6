//! SSO-R01.

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::routing::Files;

/// One file of the folder is wrong, so Traefik takes none of it.
pub(super) struct BadTraefikFile;

impl Diagnosis for BadTraefikFile {
    fn code(&self) -> &'static str {
        "SSO-R01"
    }

    fn explanation(&self) -> &'static str {
        "One Traefik file is refused, and with it the whole folder\n\n\
         The file provider reads all files of its folder or none: a YAML error, an unknown or misspelt field, a wrong \
         type or a duplicate key in one file blocks all of them. At start every host answers 404; a running Traefik \
         keeps its old configuration and silently ignores edits to the other files. Its API shows no error.\n\
         Mend the line, or move the file out of the folder."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let problem = subject.routing().err()?;
        let files = Files::of(subject.deployment, subject.traefik);
        let pointer = problem.at().map(|(source, place)| files.pointer(source, place));
        Some(Diagnosed {
            code: self.code(),
            title: format!("Traefik takes none of the folder: {problem}"),
            pointer,
            help: problem.help_line().unwrap_or("mend the line; one bad file blocks all files").to_owned(),
        })
    }
}
