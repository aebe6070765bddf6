//! Where a navigation ended, and what page that is.

use url::Url;

use crate::evidence::{Ledger, LoopReport};

/// The end of a navigation.
#[derive(Debug, Clone, PartialEq)]
pub enum Landing {
    /// A page was shown (whatever its status), or a redirect could not be followed: no or broken `Location`, or
    /// one that is not http.
    Arrived {
        /// The last hop.
        hop: usize,
    },
    /// The redirects go round.
    Loop(LoopReport),
    /// More hops than the limit, and no loop found.
    TooManyHops,
    /// An exchange gave no response.
    Failed {
        /// The hop that failed.
        hop: usize,
    },
}

/// The page a browser ended on.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// Authentik asks who the user is: its identification or password stage.
    Login,
    /// Authentik refuses the user: "Permission denied" or an access-denied stage.
    Denied,
    /// Authentik tells the user that the session of an app has ended.
    SessionEnd,
    /// A page of this Authentik flow; [`super::Agent::inspect_flow`] tells what it asks.
    Flow(String),
    /// A probe service's report of what reached it.
    Backend(serde_json::Value),
    /// Anything else.
    Other,
}

impl Landing {
    /// The last hop, when the navigation arrived or failed there.
    pub fn hop(&self) -> Option<usize> {
        match self {
            Self::Arrived { hop } | Self::Failed { hop } => Some(*hop),
            Self::Loop(_) | Self::TooManyHops => None,
        }
    }

    /// The URL shown in the address bar, fragment included; `None` when it did not arrive.
    pub fn url<'a>(&self, ledger: &'a Ledger) -> Option<&'a Url> {
        match self {
            Self::Arrived { hop } => Some(&ledger.hop(*hop)?.request.url),
            _ => None,
        }
    }

    /// What can be told of the page without asking the flow executor.
    ///
    /// Authentik's flow pages are shells without text, so they are `Flow`; its "Permission denied" page has
    /// status 200 and is told by its title (`20-login-carol` in the truth).
    pub fn page(&self, ledger: &Ledger) -> Page {
        let Self::Arrived { hop } = self else { return Page::Other };
        let Some(hop) = ledger.hop(*hop) else { return Page::Other };
        let Some(response) = hop.response() else { return Page::Other };
        match response.media_type().as_deref() {
            Some("application/json") => match response.json() {
                Some(report) if report.is_object() => Page::Backend(report),
                _ => Page::Other,
            },
            Some("text/html") => {
                if let (200, Some(slug)) = (response.status, flow_slug(&hop.request.url)) {
                    return Page::Flow(slug.to_owned());
                }
                if is_authentik_denial(&response.text()) { Page::Denied } else { Page::Other }
            }
            _ => Page::Other,
        }
    }
}

/// The slug of an Authentik flow page, `default-authentication-flow` in `/if/flow/default-authentication-flow/`.
pub fn flow_slug(url: &Url) -> Option<&str> {
    let slug = url.path().strip_prefix("/if/flow/")?.trim_end_matches('/');
    (!slug.is_empty() && !slug.contains('/')).then_some(slug)
}

fn is_authentik_denial(html: &str) -> bool {
    let title = super::form::title(html).unwrap_or_default();
    title.trim_start().starts_with("Permission denied")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_pages_are_told_by_their_path() {
        let slug = |text: &str| flow_slug(&Url::parse(text).unwrap()).map(str::to_owned);
        assert_eq!(slug("https://a.test/if/flow/x-y/?next=%2F").as_deref(), Some("x-y"));
        assert_eq!(slug("https://a.test/if/flow/"), None);
        assert_eq!(slug("https://a.test/if/user/"), None);
    }

    #[test]
    fn denial_is_told_by_its_title_not_by_words_in_the_page() {
        assert!(is_authentik_denial("<html><head><title>\n Permission denied - authentik</title>"));
        assert!(!is_authentik_denial("<title>authentik</title><p>Permission denied"));
    }
}
