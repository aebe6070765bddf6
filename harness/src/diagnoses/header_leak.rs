//! SSO-H06.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The service's answer carries identity headers to the browser.
pub(super) struct HeaderLeak;

impl Diagnosis for HeaderLeak {
    fn code(&self) -> &'static str {
        "SSO-H06"
    }

    fn explanation(&self) -> &'static str {
        "The service's answer carries identity headers to the browser\n\n\
         Identity headers are for the service. One that echoes them, or a proxy that copies request headers \
         onto answers, shows them to scripts and caches; `X-authentik-jwt` is a token.\n\
         Strip `X-authentik-*` from answers with a headers middleware, or mend the service."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, name) = subject.at_services().find_map(|hop| {
            let lines = &hop.response()?.headers;
            let name =
                lines.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).find(|name| {
                    subject.deployment.headers.identity.iter().any(|header| header.eq_ignore_ascii_case(name))
                })?;
            Some((hop, name))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("the answer of hop {} carries `{name}` to the browser", hop.number()),
            pointer: None,
            help: "strip X-authentik-* from answers".to_owned(),
        })
    }
}
