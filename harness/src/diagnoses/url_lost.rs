//! SSO-S04.

use super::subject::{CALLBACK, Diagnosed, Diagnosis, OUTPOST, Subject};

/// The URL asked for does not survive the login.
pub(super) struct UrlLost;

impl Diagnosis for UrlLost {
    fn code(&self) -> &'static str {
        "SSO-S04"
    }

    fn explanation(&self) -> &'static str {
        "The URL asked for does not survive the login\n\n\
         The outpost keeps the URL that a browser asked for in `state`, and the callback sends the browser \
         there. It takes that URL from X-Forwarded-Uri, -Host and -Proto: a proxy that drops or encodes them \
         again, or an outpost that loses the query, sends everybody somewhere else after the login.\n\
         See what the outpost gets in X-Forwarded-Uri, and what the callback's Location says."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hops = &subject.ledger.hops;
        let (callback, place) =
            hops.iter().filter(|hop| hop.request.url.path() == CALLBACK).find_map(|hop| {
                let place = hop.redirect_target()?;
                let asked = subject.began(hop)?;
                let mut wanted = asked.request.url.clone();
                wanted.set_fragment(None);
                let started = asked.request.url.path().starts_with(OUTPOST);
                (place != wanted && !started).then_some((wanted, place))
            })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("the browser asked for {callback} and the callback sends it to {place}"),
            pointer: None,
            help: "see what the outpost gets in X-Forwarded-Uri, and what changes its Location on the way"
                .to_owned(),
        })
    }
}
