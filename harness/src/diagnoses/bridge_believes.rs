//! SSO-B01.

use ssoproof_deployment::Bridge;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The bridge believes a cookie that it did not make.
pub(super) struct BridgeBelieves;

impl Diagnosis for BridgeBelieves {
    fn code(&self) -> &'static str {
        "SSO-B01"
    }

    fn explanation(&self) -> &'static str {
        "The bridge believes a cookie that it did not make\n\n\
         The bridge of the document copies identity headers into plain cookies and believes them when there \
         is no header. On a path without forward auth, or after another user's login, whoever writes \
         `ak_username` into a cookie is that user.\n\
         Sign the cookie, bind it to the user, and prefer the header; or keep no cookie at all."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, arrived) = subject.bridged().find(|(_, arrived)| arrived["user"]["source"] == "cookie")?;
        let safe = subject.service_of(hop).is_some_and(|(_, service)| service.bridge == Some(Bridge::Safe));
        safe.then(|| Diagnosed {
            code: self.code(),
            title: format!(
                "hop {} is `{}` by a cookie that anybody can write",
                hop.number(),
                arrived["user"]["username"].as_str().unwrap_or_default()
            ),
            pointer: None,
            help: "sign the cookie, bind it to the user, and prefer the header".to_owned(),
        })
    }
}
