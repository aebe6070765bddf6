//! SSO-I05.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The request does not reach the service as it was sent.
pub(super) struct RequestChanged;

impl Diagnosis for RequestChanged {
    fn code(&self) -> &'static str {
        "SSO-I05"
    }

    fn explanation(&self) -> &'static str {
        "The request does not reach the service as it was sent\n\n\
         Forward auth asks with a GET and without the body, and the request itself must go on unchanged. \
         Something between gateway and service loses the body or the method.\n\
         See what stands between Traefik and the service."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.at_services().find_map(|hop| {
            let arrived = subject.ledger.arrived(hop)?;
            let method = arrived["method"].as_str().is_some_and(|method| method != hop.request.method);
            let body =
                arrived["body_length"].as_u64().is_some_and(|length| length != hop.request.body.len() as u64);
            (method || body).then_some((hop, arrived))
        })?;
        let (hop, arrived) = hop;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "hop {} sends {} with {} bytes, and the service gets {} with {}",
                hop.number(),
                hop.request.method,
                hop.request.body.len(),
                arrived["method"].as_str().unwrap_or_default(),
                arrived["body_length"]
            ),
            pointer: None,
            help: "see what stands between Traefik and the service".to_owned(),
        })
    }
}
