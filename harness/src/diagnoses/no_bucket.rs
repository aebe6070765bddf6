//! SSO-M06.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A bucket does not exist.
pub(super) struct NoBucket;

impl Diagnosis for NoBucket {
    fn code(&self) -> &'static str {
        "SSO-M06"
    }

    fn explanation(&self) -> &'static str {
        "A bucket does not exist\n\n\
         S3 answers `NoSuchBucket`: it was never made, or MinIO runs on another volume.\n\
         Make the bucket."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let said = subject.said("NoSuchBucket")?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("a bucket does not exist: {}", said.chars().take(120).collect::<String>()),
            pointer: None,
            help: "make the bucket, and see which volume MinIO runs on".to_owned(),
        })
    }
}
