//! SSO-H05.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A name that is no ASCII arrives in another encoding.
pub(super) struct HeaderEncoding;

impl Diagnosis for HeaderEncoding {
    fn code(&self) -> &'static str {
        "SSO-H05"
    }

    fn explanation(&self) -> &'static str {
        "A name that is no ASCII arrives in another encoding\n\n\
         Authentik sends the raw bytes of UTF-8. What stands in between may percent-encode them, turn them \
         into Latin-1, or encode them once more; a service that reads headers as Latin-1 shows the same.\n\
         See which part changes the bytes. A service should decode UTF-8 and percent-encoding alike."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.finding(|finding| {
            finding.what.starts_with("header ") && is_foreign(&finding.expected) && finding.got != "absent"
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} arrives as {}, not as the UTF-8 of {}",
                finding.what, finding.got, finding.expected
            ),
            pointer: None,
            help: "see which part changes the bytes between Authentik and the service".to_owned(),
        })
    }
}

/// Whether `expected` is a text that is no ASCII, or such a text's bytes in hexadecimal digits.
fn is_foreign(expected: &str) -> bool {
    let digits = expected.len() > 8 && expected.bytes().all(|byte| byte.is_ascii_hexdigit());
    let high = |pair: &[u8]| matches!(pair.first(), Some(b'8'..=b'9' | b'a'..=b'f'));
    !expected.is_ascii() || digits && expected.len() < 60 && expected.as_bytes().chunks(2).any(high)
}
