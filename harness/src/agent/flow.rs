//! The script of an Authentik flow page: it talks JSON to the flow executor.

use http::header::{ACCEPT, HeaderName};
use http::{HeaderValue, Method};
use serde_json::Value;
use url::Url;

use super::browser::Agent;
use super::landing::{Landing, Page, flow_slug};
use super::outgoing::Outgoing;
use crate::evidence::{Cause, Ledger};

/// The most redirects one executor request follows.
const MAX_REDIRECTS: usize = 10;
/// The most pages whose scripts are run after one visit.
const MAX_PAGES: usize = 8;

/// A flow page with what its executor asks.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowPage {
    /// The page's URL.
    pub url: Url,
    /// The flow's slug.
    pub slug: String,
    /// The hop of the executor's answer.
    pub hop: usize,
    /// The challenge's component, `ak-stage-identification` for example; empty when it names none.
    pub component: String,
    /// The whole challenge.
    pub challenge: Value,
}

/// One complaint of a stage about what it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageError {
    /// The field, `password` for example.
    pub field: String,
    /// The words shown to the user.
    pub text: String,
    /// The error's code, `invalid` for example; empty when it has none.
    pub code: String,
}

/// Why the flow executor could not be talked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// The page is no flow page.
    #[error("`{url}` is not an Authentik flow page")]
    NotAFlow {
        /// The page's URL.
        url: String,
    },
    /// An exchange gave no response.
    #[error("the flow executor gave no response at hop {}", .hop + 1)]
    Failed {
        /// The hop that failed.
        hop: usize,
    },
    /// The executor did not answer with a challenge.
    #[error("the flow executor answered {status} without a challenge at hop {}", .hop + 1)]
    NoChallenge {
        /// The hop.
        hop: usize,
        /// The status.
        status: u16,
    },
    /// The executor redirects without end.
    #[error("the flow executor redirects more than {MAX_REDIRECTS} times at hop {}", .hop + 1)]
    TooManyRedirects {
        /// The last hop.
        hop: usize,
    },
}

impl FlowPage {
    /// The page a person sees.
    pub fn page(&self) -> Page {
        match self.component.as_str() {
            "ak-stage-identification" | "ak-stage-password" => Page::Login,
            "ak-stage-access-denied" => Page::Denied,
            "ak-stage-session-end" => Page::SessionEnd,
            _ => Page::Flow(self.slug.clone()),
        }
    }

    /// Where the page's script navigates by itself, when the challenge is `xak-flow-redirect`.
    pub fn redirect(&self) -> Option<Url> {
        if self.component != "xak-flow-redirect" {
            return None;
        }
        self.url.join(self.challenge.get("to")?.as_str()?).ok()
    }

    /// What the stage complains about.
    pub fn errors(&self) -> Vec<StageError> {
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut errors = Vec::new();
        if let Some(fields) = self.challenge.get("response_errors").and_then(Value::as_object) {
            for (field, complaints) in fields {
                for complaint in complaints.as_array().into_iter().flatten() {
                    errors.push(StageError {
                        field: field.clone(),
                        text: text(complaint, "string"),
                        code: text(complaint, "code"),
                    });
                }
            }
        }
        let message = text(&self.challenge, "error_message");
        if !message.is_empty() {
            errors.push(StageError { field: String::new(), text: message, code: String::new() });
        }
        errors
    }

    /// The navigation the page's script makes by itself: to the redirect's target, or the form it submits.
    pub(super) fn automatic(&self) -> Option<Outgoing> {
        if let Some(url) = self.redirect() {
            return Some(Outgoing { initiator: Some(self.url.clone()), ..Outgoing::get(url) });
        }
        if self.component != "ak-stage-autosubmit" {
            return None;
        }
        let url = self.url.join(self.challenge.get("url")?.as_str()?).ok()?;
        let attributes = self.challenge.get("attrs").and_then(Value::as_object).into_iter().flatten();
        let fields = attributes.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        Some(Outgoing::post_form(url, fields, Some(self.url.clone())))
    }
}

impl Agent {
    /// Makes the first executor request of the flow page landed on, as its script does, and tells what it asks.
    /// The page's own URL counts, so this can be called again.
    ///
    /// # Errors
    /// [`FlowError`] when the landing is no flow page or the executor gives no challenge.
    pub async fn inspect_flow(
        &mut self,
        landing: &Landing,
        ledger: &mut Ledger,
    ) -> Result<FlowPage, FlowError> {
        let url = landing.url(ledger).cloned();
        let url = url.ok_or_else(|| FlowError::NotAFlow { url: String::new() })?;
        self.challenge(&url, ledger).await
    }

    /// Navigates to a flow page and runs its script: the executor request, which is what makes an invalidation
    /// flow act (`36-invalidation-*` against `37-invalidation-page-only` in the truth), then the navigation it
    /// asks for, and so on for every flow page this leads to. Returns where the browser rests, with the last
    /// flow page seen.
    pub async fn open_flow(&mut self, url: Url, ledger: &mut Ledger) -> (Landing, Option<FlowPage>) {
        self.visit(Outgoing::get(url), ledger).await
    }

    /// Navigates, and runs the script of every Authentik flow page it lands on as far as that goes by itself:
    /// `xak-flow-redirect` and the autosubmit stage. Returns where the browser rests, with the flow page there.
    pub async fn visit(&mut self, start: Outgoing, ledger: &mut Ledger) -> (Landing, Option<FlowPage>) {
        let landing = self.navigate(start, ledger).await;
        self.settle(landing, ledger).await
    }

    pub(super) async fn settle(
        &mut self,
        mut landing: Landing,
        ledger: &mut Ledger,
    ) -> (Landing, Option<FlowPage>) {
        for _ in 0..MAX_PAGES {
            if !matches!(landing.page(ledger), Page::Flow(_)) {
                return (landing, None);
            }
            let Ok(page) = self.inspect_flow(&landing, ledger).await else { return (landing, None) };
            let Some(next) = page.automatic() else { return (landing, Some(page)) };
            landing = self.navigate_by(next, Cause::Script, ledger).await;
        }
        (Landing::TooManyHops, None)
    }

    /// The executor's current challenge for a flow page.
    pub(super) async fn challenge(&mut self, page: &Url, ledger: &mut Ledger) -> Result<FlowPage, FlowError> {
        let url = executor_url(page)?;
        let request = Outgoing::fetch(Method::GET, url, page.clone());
        self.execute(request, page, ledger).await
    }

    /// Answers the executor's challenge.
    pub(super) async fn respond(
        &mut self,
        page: &Url,
        answer: &Value,
        ledger: &mut Ledger,
    ) -> Result<FlowPage, FlowError> {
        let request = Outgoing::fetch(Method::POST, executor_url(page)?, page.clone()).json(answer);
        self.execute(request, page, ledger).await
    }

    /// Sends with the headers of the page's script and follows redirects as `fetch` does.
    async fn execute(
        &mut self,
        mut request: Outgoing,
        page: &Url,
        ledger: &mut Ledger,
    ) -> Result<FlowPage, FlowError> {
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if request.method == Method::POST {
            let token = self.readable_cookie("authentik_csrf", page);
            if let Ok(value) = HeaderValue::from_str(&token) {
                request.headers.insert(HeaderName::from_static("x-authentik-csrf"), value);
            }
        }
        let mut cause = Cause::FlowExecutor;
        let mut index = 0;
        for _ in 0..=MAX_REDIRECTS {
            index = self.exchange(request.clone(), cause, ledger).await;
            let failed = FlowError::Failed { hop: index };
            let Some(hop) = ledger.hop(index) else { return Err(failed) };
            let Some(response) = hop.response() else { return Err(failed) };
            if let Some(target) = hop.redirect_target() {
                cause = Cause::Redirect(response.status);
                request = Outgoing { method: Method::GET, body: bytes::Bytes::new(), url: target, ..request };
                request.headers.remove(http::header::CONTENT_TYPE);
                request.headers.remove("x-authentik-csrf");
                continue;
            }
            let challenge = response.json().filter(|_| response.status == 200).filter(Value::is_object);
            let challenge =
                challenge.ok_or(FlowError::NoChallenge { hop: index, status: response.status })?;
            let component = challenge.get("component").and_then(Value::as_str).unwrap_or_default().to_owned();
            let slug = flow_slug(page).unwrap_or_default().to_owned();
            return Ok(FlowPage { url: page.clone(), slug, hop: index, component, challenge });
        }
        Err(FlowError::TooManyRedirects { hop: index })
    }

    /// A cookie as `document.cookie` shows it: empty when absent or HttpOnly.
    fn readable_cookie(&self, name: &str, page: &Url) -> String {
        let http_only =
            self.jar.cookies().iter().any(|cookie| cookie.name == name && cookie.attributes.http_only);
        if http_only { String::new() } else { self.jar.value(name, page).unwrap_or_default().to_owned() }
    }
}

/// `/api/v3/flows/executor/<slug>/?query=<the page's query>` at the page's origin.
fn executor_url(page: &Url) -> Result<Url, FlowError> {
    let not_a_flow = || FlowError::NotAFlow { url: page.to_string() };
    let slug = flow_slug(page).ok_or_else(not_a_flow)?;
    let mut url = page.join(&format!("/api/v3/flows/executor/{slug}/")).map_err(|_| not_a_flow())?;
    url.query_pairs_mut().append_pair("query", page.query().unwrap_or_default());
    Ok(url)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agent::Mode;

    fn page(challenge: Value) -> FlowPage {
        FlowPage {
            url: Url::parse("https://auth.spacemusic.tv/if/flow/default-authentication-flow/?next=%2F")
                .unwrap(),
            slug: "default-authentication-flow".into(),
            hop: 0,
            component: challenge["component"].as_str().unwrap_or_default().into(),
            challenge,
        }
    }

    #[test]
    fn the_page_query_is_handed_to_the_executor_as_one_parameter() {
        // 20-login-alice, hop 3.
        let url = Url::parse(
            "https://auth.spacemusic.tv/if/flow/default-authentication-flow/?scope=a+b&next=%2Fx%3Fy%3D1",
        )
        .unwrap();
        assert_eq!(
            executor_url(&url).unwrap().as_str(),
            "https://auth.spacemusic.tv/api/v3/flows/executor/default-authentication-flow/\
             ?query=scope%3Da%2Bb%26next%3D%252Fx%253Fy%253D1"
        );
        assert!(executor_url(&Url::parse("https://auth.spacemusic.tv/if/user/").unwrap()).is_err());
    }

    #[test]
    fn errors_are_read_as_the_truth_gives_them() {
        // 21-login-failures: wrong password.
        let page = page(json!({
            "component": "ak-stage-password",
            "response_errors": {"password": [{"string": "Invalid password", "code": "invalid"}]}
        }));
        let error =
            StageError { field: "password".into(), text: "Invalid password".into(), code: "invalid".into() };
        assert_eq!(page.errors(), [error]);
        assert_eq!(page.page(), Page::Login);
    }

    #[test]
    fn a_relative_redirect_resolves_at_the_page() {
        let page = page(json!({"component": "xak-flow-redirect", "to": "/application/o/authorize/?a=b"}));
        assert_eq!(
            page.redirect().unwrap().as_str(),
            "https://auth.spacemusic.tv/application/o/authorize/?a=b"
        );
        assert_eq!(page.page(), Page::Flow("default-authentication-flow".into()));
    }

    #[test]
    fn autosubmit_posts_its_attributes() {
        // 43-oidc-authorize-variants: response_mode=form_post.
        let page = page(json!({
            "component": "ak-stage-autosubmit",
            "url": "https://dashboard.spacemusic.tv/login/generic_oauth",
            "attrs": {"code": "6ee3", "state": "st-1"}
        }));
        let request = page.automatic().unwrap();
        assert_eq!((request.method, request.mode), (Method::POST, Mode::Navigation));
        assert_eq!(request.body, "code=6ee3&state=st-1");
    }

    #[test]
    fn session_end_and_denial_are_pages() {
        assert_eq!(page(json!({"component": "ak-stage-session-end"})).page(), Page::SessionEnd);
        assert_eq!(page(json!({"component": "ak-stage-access-denied"})).page(), Page::Denied);
    }
}
