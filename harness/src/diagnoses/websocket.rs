//! SSO-I04.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The service refuses WebSockets.
pub(super) struct Websocket;

impl Diagnosis for Websocket {
    fn code(&self) -> &'static str {
        "SSO-I04"
    }

    fn explanation(&self) -> &'static str {
        "The service refuses WebSockets\n\n\
         For an upgrade Traefik sends `X-Forwarded-Proto: ws` or `wss`. A service that compares the origin \
         with it and knows only http and https answers 403.\n\
         Let the service take `wss` for `https`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.at_services().find(|hop| {
            hop.request.header("upgrade").is_some()
                && hop.status().is_some_and(|status| status >= 400)
                && subject.proxy_cookie(hop).is_some()
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} answers {} to the upgrade of a signed-in user",
                hop.request.url.host_str().unwrap_or_default(),
                hop.status().unwrap_or_default()
            ),
            pointer: None,
            help: "let the service take `wss` for `https` where it checks the origin".to_owned(),
        })
    }
}
