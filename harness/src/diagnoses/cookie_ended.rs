//! SSO-C04.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A cookie has ended when it is set.
pub(super) struct CookieEnded;

impl Diagnosis for CookieEnded {
    fn code(&self) -> &'static str {
        "SSO-C04"
    }

    fn explanation(&self) -> &'static str {
        "A cookie has ended when it is set\n\n\
         The server's clock is behind the browser's by more than the cookie's lifetime, or a proxy rewrites \
         `Expires`. The browser deletes the cookie at once and the login begins anew.\n\
         Compare the `Date` of the answer with the browser's clock."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, name) = subject.ledger.hops.iter().find_map(|hop| {
            let lines: Vec<_> = hop.response()?.header_values("set-cookie").map(<[u8]>::to_vec).collect();
            lines.into_iter().find_map(|line| {
                let text = String::from_utf8_lossy(&line).into_owned();
                let cookie = cookie::Cookie::parse(text).ok()?;
                let ended = cookie
                    .expires_datetime()
                    .is_some_and(|at| at.unix_timestamp() < jiff::Timestamp::now().as_second());
                (ended && cookie.max_age().is_none() && cookie.value().len() > 2)
                    .then(|| (hop, cookie.name().to_owned()))
            })
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("cookie `{name}` that hop {} sets has ended already", hop.number()),
            pointer: None,
            help: "compare the clocks of server and browser".to_owned(),
        })
    }
}
