//! SSO-R11.

use url::Url;

use super::subject::{Diagnosed, Diagnosis, OUTPOST, Subject, by_authentik};

/// Something in front sends browsers round once more.
pub(super) struct SentRoundOnce;

impl Diagnosis for SentRoundOnce {
    fn code(&self) -> &'static str {
        "SSO-R11"
    }

    fn explanation(&self) -> &'static str {
        "Something in front of Authentik sends browsers round once more\n\n\
         An answer that is not Authentik's leads to the URL that was asked for with a parameter more: a check for bots, \
         a cache or a balancer that marks who has been there. Each login takes a redirect more, and whoever keeps no \
         cookies or drops the parameter goes round for ever. Requests of programs, such as discovery and tokens, may \
         not get through at all.\n\
         Let Authentik's hosts and `/outpost.goauthentik.io/` pass unchecked."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, more) = subject.ledger.hops.iter().find_map(|hop| {
            let url = &hop.request.url;
            let own = subject.is_auth(url) || url.path().starts_with(OUTPOST);
            let more = parameters_added(url, &hop.redirect_target()?)?;
            (own && hop.request.method == "GET" && !by_authentik(hop)).then_some((hop, more))
        })?;
        let host = hop.request.url.host_str().unwrap_or_default();
        Some(Diagnosed {
            code: self.code(),
            title: format!("hop {} is sent round once more to {host}, with `{more}` added", hop.number()),
            pointer: None,
            help: format!("let what stands in front of {host} pass Authentik's paths unchecked"),
        })
    }
}

/// What the query of `to` has after all of `from`'s, when nothing else is different.
fn parameters_added(from: &Url, to: &Url) -> Option<String> {
    let same = from.origin() == to.origin() && from.path() == to.path();
    let more = match from.query() {
        None | Some("") => to.query()?,
        Some(query) => to.query()?.strip_prefix(query)?.strip_prefix('&')?,
    };
    (same && !more.is_empty()).then(|| more.to_owned())
}
