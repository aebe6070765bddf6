//! SSO-C02.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A session cookie is less protected than it should be.
pub(super) struct CookieWeak;

impl Diagnosis for CookieWeak {
    fn code(&self) -> &'static str {
        "SSO-C02"
    }

    fn explanation(&self) -> &'static str {
        "A session cookie is less protected than it should be\n\n\
         `Secure` keeps a session cookie off plain http, `HttpOnly` out of reach of scripts, `SameSite=Lax` \
         off the requests of foreign pages, and a cookie without `Domain` goes to its own host alone. A proxy \
         that rewrites Set-Cookie, an outpost that believes it is reached by http, or an upgrade can lose one \
         of them.\n\
         See which answer sets the cookie, and what stands between it and the browser."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.finding(|finding| {
            let cookie = finding.expected.starts_with("cookie ") || finding.what.starts_with("cookie ");
            let text = format!("{} {}", finding.what, finding.expected).to_ascii_lowercase();
            cookie
                && [
                    "secure",
                    "httponly",
                    "http_only",
                    "samesite",
                    "same_site",
                    "host_only",
                    "host-only",
                    "domain",
                    "path",
                ]
                .iter()
                .any(|attribute| text.contains(attribute))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("{}: {} where it should be {}", finding.what, finding.got, finding.expected),
            pointer: None,
            help: "see which answer sets the cookie, and what stands between it and the browser".to_owned(),
        })
    }
}
