//! SSO-D02.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The gateway does not load what was written into its files.
pub(super) struct FilesNotLoaded;

impl Diagnosis for FilesNotLoaded {
    fn code(&self) -> &'static str {
        "SSO-D02"
    }

    fn explanation(&self) -> &'static str {
        "Traefik does not load files that have changed\n\n\
         What tools deploy, and what a patcher mends, is in force only after the next restart. It comes from \
         `providers.file.watch: false`, from a single file that is mounted into the container instead of its folder (a \
         new file in its place is another inode), from file systems that tell of no changes, or from a file elsewhere in \
         the folder that does not parse and blocks all others.\n\
         Mount the folder, watch it, and look at Traefik's log."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject
            .finding(|finding| finding.what == "the gateway" && finding.got.starts_with("not within"))?;
        // A bad file is a cause of its own.
        subject.routing().ok()?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("Traefik does not load what was written into its files: {}", finding.got),
            pointer: None,
            help: "set `providers.file.watch: true`, mount the folder and no single files, and look for a file that does \
                   not parse"
                .to_owned(),
        })
    }
}
