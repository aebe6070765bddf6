//! SSO-C03.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Two cookies of one name hide each other.
pub(super) struct CookieTwice;

impl Diagnosis for CookieTwice {
    fn code(&self) -> &'static str {
        "SSO-C03"
    }

    fn explanation(&self) -> &'static str {
        "Two cookies of one name hide each other\n\n\
         Cookies of the same name with different paths or domains are different cookies, and a browser sends \
         both, the one with the longer path first. A server reads one of them, most often the stale one. They \
         are left over from another cookie domain, an older version, or a second outpost.\n\
         Delete the cookie in the browser; give the provider one cookie domain and keep it."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, name) = subject.ledger.hops.iter().find_map(|hop| {
            let mut names: Vec<&str> = hop.request.cookies().into_iter().map(|(name, _)| name).collect();
            names.sort_unstable();
            let twice =
                names.windows(2).find(|pair| pair[0] == pair[1] && pair[0].starts_with("authentik_"))?;
            Some((hop, twice[0].to_owned()))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "hop {} sends two cookies `{name}`, and the server reads one of them",
                hop.number()
            ),
            pointer: None,
            help: "delete the left-over cookie; it has another path or domain than the new one".to_owned(),
        })
    }
}
