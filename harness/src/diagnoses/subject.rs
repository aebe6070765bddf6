//! What a diagnosis looks at, and what it says.

use std::cell::OnceCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;
use ssoproof_deployment::traefik::{ForwardAuth, MiddlewareDefinition, canonical_header};
use ssoproof_deployment::{Deployment, Place, Problem, Service, Source};
use url::Url;

use crate::checks::Finding;
use crate::evidence::{AwsError, Cause, Hop, Ledger, jwt_part, parameter};
use crate::routing::Routing;
use crate::runner::StepFinding;
use crate::scenario::Case;

/// The shared authorize endpoint.
pub(crate) const AUTHORIZE: &str = "/application/o/authorize/";
/// Where clients redeem codes.
pub(super) const TOKEN: &str = "/application/o/token/";
/// Where they ask who somebody is.
pub(super) const USERINFO: &str = "/application/o/userinfo/";
/// The outpost's own paths.
pub(super) const OUTPOST: &str = "/outpost.goauthentik.io/";
/// The way back from the authorize endpoint.
pub(super) const CALLBACK: &str = "/outpost.goauthentik.io/callback";

/// A case that is not as expected.
pub struct Subject<'a> {
    /// What is promised.
    pub deployment: &'a Deployment,
    /// The Traefik files in force.
    pub traefik: &'a Path,
    /// The last log lines of each component, with the component's name.
    pub logs: &'a [(String, Vec<String>)],
    /// The case.
    pub case: &'a Case,
    /// What is not as expected.
    pub findings: &'a [StepFinding],
    /// Every hop.
    pub ledger: &'a Ledger,
    /// The deployment's services with their URLs.
    services: Vec<(&'a str, &'a Service, Url)>,
    /// The routers in force, read when they are first asked for.
    routing: OnceCell<Result<Arc<Routing>, Problem>>,
}

impl<'a> Subject<'a> {
    /// What is known of `case`: what is promised, the Traefik files in force, the last log lines of each component,
    /// what is not as expected, and every hop.
    pub fn new(
        deployment: &'a Deployment,
        traefik: &'a Path,
        logs: &'a [(String, Vec<String>)],
        case: &'a Case,
        findings: &'a [StepFinding],
        ledger: &'a Ledger,
    ) -> Self {
        let services = deployment.services.iter();
        let services = services
            .filter_map(|(slug, service)| Some((slug.as_str(), service, Url::parse(&service.url).ok()?)));
        Self {
            deployment,
            traefik,
            logs,
            case,
            findings,
            ledger,
            services: services.collect(),
            routing: OnceCell::new(),
        }
    }
}

impl Subject<'_> {
    /// The first finding that is `wanted`.
    pub(super) fn finding(&self, wanted: impl Fn(&Finding) -> bool) -> Option<&Finding> {
        self.findings.iter().map(|found| &found.finding).find(|finding| wanted(finding))
    }

    /// What a deploy has let strangers in for, unless the service was open before.
    pub(super) fn exposed_by_deploy(&self) -> Option<&Finding> {
        let before = self.finding(|finding| finding.what.ends_with("before the deploy"));
        let exposed =
            self.finding(|finding| finding.what.starts_with("the exposure of") && finding.expected != "none");
        exposed.filter(|_| before.is_none())
    }

    /// The deployment's services that the case is about: those whose hosts it dialled or routed to.
    pub(super) fn services(&self) -> Vec<(&str, &Service, Url)> {
        let about = |url: &Url| {
            let dialled = self.ledger.hops.iter().any(|hop| hop.request.url.host_str() == url.host_str());
            let routed = self.case.values.iter().any(|(_, value)| {
                value.split('/').any(|part| {
                    self.deployment
                        .services
                        .get(part)
                        .is_some_and(|s| s.url.starts_with(url.as_str().trim_end_matches('/')))
                })
            });
            dialled || routed
        };
        self.services.iter().filter(|(_, _, url)| about(url)).cloned().collect()
    }

    /// The routers in force.
    pub(super) fn routing(&self) -> Result<&Routing, &Problem> {
        self.routing.get_or_init(|| Routing::read(self.deployment, self.traefik)).as_deref()
    }

    /// A place in `deployment.yaml`.
    pub(super) fn line(&self, place: Place) -> Option<Pointer> {
        let source = Source::read(&self.deployment.folder.join("deployment.yaml")).ok()?;
        Some(Pointer {
            file: source.path.to_path_buf(),
            line: place.line,
            text: source.line(place).to_owned(),
        })
    }

    /// The words of an STS or OAuth2 answer that hold `words`, in the findings or in a hop's body.
    pub(super) fn said(&self, words: &str) -> Option<String> {
        let found =
            self.findings.iter().map(|found| found.finding.got.clone()).find(|got| got.contains(words));
        found.or_else(|| {
            let bodies = self.ledger.hops.iter().filter_map(|hop| Some(hop.response()?.text()));
            let body = bodies.into_iter().find(|body| body.contains(words))?;
            Some(AwsError::read(&body).map_or(body, |error| error.message))
        })
    }

    /// The last log line of any component that holds `words`.
    pub(super) fn logged(&self, words: &str) -> Option<&str> {
        let lines = self.logs.iter().flat_map(|(_, lines)| lines);
        lines.map(String::as_str).rfind(|line| line.contains(words))
    }

    /// The same, when Grafana has sent one of this case's browsers from the way back to its login page: the lines are
    /// of every case that uses the stack.
    pub(super) fn logged_by_grafana(&self, words: &str) -> Option<&str> {
        let refused = self.ledger.hops.iter().any(|hop| {
            let back = hop.request.url.path().ends_with("/login/generic_oauth");
            let code = ["code", "state"].iter().any(|name| parameter(&hop.request.url, name).is_some());
            back && code && hop.redirect_target().is_some_and(|to| to.path().ends_with("/login"))
        });
        self.logged(words).filter(|_| refused)
    }

    /// Grafana's words on the role of one of the case's personas.
    pub(super) fn role_trace(&self) -> Option<&str> {
        self.findings.iter().find(|found| found.finding.check == "role")?;
        let logins = self.case.actors.iter().filter_map(|actor| {
            let persona = self.deployment.personas.get(actor.persona.as_ref()?)?;
            Some([persona.username.value.clone(), persona.email.clone()])
        });
        let words: Vec<String> = logins.flatten().map(|login| format!("role of {login:?}")).collect();
        words.iter().find_map(|words| self.logged(words))
    }

    /// The claims of every id token that a token endpoint gave.
    pub(super) fn id_claims(&self) -> impl Iterator<Item = Value> {
        self.id_parts(1)
    }

    /// The headers of the same.
    pub(super) fn id_headers(&self) -> impl Iterator<Item = Value> {
        self.id_parts(0)
    }

    fn id_parts(&self, part: usize) -> impl Iterator<Item = Value> {
        self.ledger
            .hops
            .iter()
            .filter_map(move |hop| jwt_part(hop.response()?.json()?.get("id_token")?.as_str()?, part))
    }

    /// The middleware that protects services, and what it asks.
    pub(super) fn forward_auth<'r>(
        &self,
        routing: &'r Routing,
    ) -> Option<(&'r MiddlewareDefinition, &'r ForwardAuth)> {
        let name = self.deployment.traefik.middleware.split('@').next()?;
        let definition = routing.config().dynamic.middlewares.get(name)?;
        Some((definition, definition.forward_auth()?))
    }

    /// Whether `url` is at Authentik's own host.
    pub(super) fn is_auth(&self, url: &Url) -> bool {
        let auth = Url::parse(&self.deployment.auth.url).ok();
        auth.is_some_and(|auth| auth.host_str() == url.host_str())
    }

    /// The service whose host `hop` asks.
    pub(super) fn service_of(&self, hop: &Hop) -> Option<(&str, &Service)> {
        let host = hop.request.url.host_str()?;
        let mut services = self.services.iter();
        services.find(|(_, _, url)| url.host_str() == Some(host)).map(|(slug, service, _)| (*slug, *service))
    }

    /// The hops that ask a service's host, those of load aside: what they meet lasts for a moment.
    pub(super) fn at_services(&self) -> impl Iterator<Item = &Hop> {
        let steady = self.ledger.hops.iter().filter(|hop| hop.cause != Cause::Load);
        steady.filter(|hop| self.service_of(hop).is_some())
    }

    /// The hops that reached a service with a bridge, with what arrived.
    pub(super) fn bridged(&self) -> impl Iterator<Item = (&Hop, Value)> {
        let bridged = |hop: &&Hop| self.service_of(hop).is_some_and(|(_, service)| service.bridge.is_some());
        self.at_services().filter(bridged).filter_map(|hop| Some((hop, self.ledger.arrived(hop)?)))
    }

    /// The name of the outpost's cookie that `hop` sends.
    pub(super) fn proxy_cookie(&self, hop: &Hop) -> Option<String> {
        let cookies = hop.request.cookies().into_iter();
        cookies.map(|(name, _)| name.to_owned()).find(|name| name.starts_with("authentik_proxy_"))
    }

    /// Whether `hop` is answered with a redirect to the authorize endpoint.
    pub(super) fn goes_to_authorize(&self, hop: &Hop) -> bool {
        hop.redirect_target().is_some_and(|to| self.is_auth(&to) && to.path() == AUTHORIZE)
    }

    /// The request for which the login began that `callback` ends: the two have the same state. The callback of a provider
    /// for a whole domain is at another host.
    pub(super) fn began(&self, callback: &Hop) -> Option<&Hop> {
        let state = parameter(&callback.request.url, "state");
        let before = self.ledger.hops.iter().filter(|hop| {
            hop.index < callback.index && hop.actor == callback.actor && self.goes_to_authorize(hop)
        });
        let mut latest = before.rev();
        match state {
            Some(_) => {
                latest.find(|hop| hop.redirect_target().is_some_and(|to| parameter(&to, "state") == state))
            }
            None => latest.find(|hop| hop.request.url.host_str() == callback.request.url.host_str()),
        }
    }

    /// Where the id token of a login has a name of one of the deployment's groups, beside its claim `groups`: a path such as
    /// `realm.groups`.
    pub(super) fn groups_elsewhere(&self) -> Option<String> {
        let known = |text: &str| self.deployment.groups.iter().any(|group| group.as_str() == text);
        self.id_claims().find_map(|claims| {
            let claims = claims.as_object()?;
            claims
                .iter()
                .filter(|(name, _)| *name != "groups")
                .find_map(|(name, value)| holds(value, name, &known))
        })
    }

    /// Whether `hop` is answered with a redirect to the login flow.
    pub(super) fn goes_to_login(&self, hop: &Hop) -> bool {
        let flow = format!("/if/flow/{}/", self.deployment.auth.authentication_flow);
        let to = hop.redirect_target().filter(|to| self.is_auth(to));
        to.is_some_and(|to| to.path() == flow || to.path() == "/flows/-/default/authentication/")
    }

    /// Whether the actor of `hop` has finished the login flow before it, and has not signed out since.
    pub(super) fn signed_in_before(&self, hop: &Hop) -> bool {
        let before = self.ledger.of_actor(&hop.actor).take_while(|before| before.index < hop.index);
        before.fold(false, |signed_in, before| {
            let path = before.request.url.path();
            let finished = self.finishes_login(before);
            let left = ["/sign_out", "/end-session/", "/logout"].iter().any(|end| path.ends_with(end))
                || path.contains("invalidation");
            (signed_in || finished) && !left
        })
    }

    /// Whether the answer to `hop` is the end of the login flow.
    fn finishes_login(&self, hop: &Hop) -> bool {
        let executor = format!("/api/v3/flows/executor/{}/", self.deployment.auth.authentication_flow);
        let ends = |answer: Value| answer.get("component") == Some(&Value::from("xak-flow-redirect"));
        hop.request.url.path() == executor
            && hop.response().and_then(|answer| answer.json()).is_some_and(ends)
    }

    /// The first hop that goes through the invalidation flow, its page or the flow itself.
    pub(super) fn invalidation(&self) -> Option<&Hop> {
        let flow = format!("/{}/", self.deployment.auth.invalidation_flow);
        self.ledger.hops.iter().find(|hop| hop.request.url.path().ends_with(&flow))
    }

    /// The hops of an actor after it has been through the invalidation flow, until it signs in again.
    pub(super) fn after_flow(&self) -> impl Iterator<Item = &Hop> {
        let first = self.invalidation();
        let of_actor = self
            .ledger
            .hops
            .iter()
            .filter(move |hop| first.is_some_and(|at| hop.index > at.index && hop.actor == at.actor));
        of_actor.take_while(|hop| !self.finishes_login(hop))
    }

    /// The hops of one actor between two of its hops.
    pub(super) fn between<'s>(&'s self, one: &'s Hop, other: &'s Hop) -> impl Iterator<Item = &'s Hop> {
        let within = move |hop: &&Hop| hop.index > one.index && hop.index < other.index;
        self.ledger.of_actor(&one.actor).filter(within)
    }

    /// Every hop answered with `status` whose path ends in `path`.
    pub(super) fn hops_at<'s>(&'s self, path: &'s str, status: u16) -> impl Iterator<Item = &'s Hop> {
        self.ledger
            .hops
            .iter()
            .filter(move |hop| hop.request.url.path().ends_with(path) && hop.status() == Some(status))
    }
}

/// Whether `auth` copies `header` from the answer onto the request: it lists it, or its pattern matches the canonical
/// name.
pub(crate) fn copies(auth: &ForwardAuth, header: &str) -> bool {
    let pattern = auth.response_headers_pattern.as_ref().and_then(|pattern| Regex::new(pattern).ok());
    auth.response_headers.iter().any(|one| one.eq_ignore_ascii_case(header))
        || pattern.is_some_and(|pattern| pattern.is_match(&canonical_header(header)))
}

/// Whether what arrived at a service has a header that begins with `name`, in lower case.
pub(super) fn carries(arrived: &Value, name: &str) -> bool {
    let lines = arrived["headers"].as_array().into_iter().flatten();
    lines.filter_map(|line| line.get(0)?.as_str()).any(|line| line.to_ascii_lowercase().starts_with(name))
}

/// Whether `hop` is answered with a redirect to an end-session endpoint.
pub(super) fn goes_to_end_session(hop: &Hop) -> bool {
    hop.redirect_target().is_some_and(|to| to.path().ends_with("/end-session/"))
}

/// A cause that can be recognised.
pub trait Diagnosis: Sync {
    /// Its code: `SSO-R01`.
    fn code(&self) -> &'static str;

    /// What it is, for `ssoproof explain`: how it comes about, how it shows, what to do.
    fn explanation(&self) -> &'static str;

    /// The cause, when it is this one.
    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed>;
}

/// A cause that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosed {
    /// The diagnosis's code.
    pub code: &'static str,
    /// The cause in one line.
    pub title: String,
    /// Where it can be mended.
    pub pointer: Option<Pointer>,
    /// What to do.
    pub help: String,
}

/// A line of a file of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The file, as the user knows it.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
}

impl fmt::Display for Pointer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file.display(), self.line, self.text)
    }
}

/// Whether Authentik itself has answered `hop`.
pub(super) fn by_authentik(hop: &Hop) -> bool {
    hop.response().is_some_and(|response| response.header("x-powered-by") == Some("authentik"))
}

/// The path, from `path`, of a list with a text that is `known`.
fn holds(value: &Value, path: &str, known: &impl Fn(&str) -> bool) -> Option<String> {
    match value {
        Value::Array(items) => {
            let found = items.iter().any(|item| item.as_str().is_some_and(known));
            found.then(|| path.to_owned())
        }
        Value::Object(fields) => {
            fields.iter().find_map(|(name, value)| holds(value, &format!("{path}.{name}"), known))
        }
        _ => None,
    }
}
