//! DOC-R10 to DOC-R15, DOC-R17: the outpost's paths of a protected host.

use std::collections::BTreeSet;

use ssoproof_deployment::traefik::{At, RequestFacts, Router, Status, unqualified};

use super::Rule;
use super::open_router::BY_CHANCE;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Asked, Proof, Shows, Way};
use crate::doctor::subject::{PING, Subject, is_guarded, serves};
use crate::infer::is_outpost;

const MISSING: Code = Code {
    id: "DOC-R10",
    title: "The outpost router does not list a protected host",
    diagnosis: Some("SSO-R04"),
};
const LOSES: Code = Code {
    id: "DOC-R11",
    title: "The outpost router loses the outpost's paths of a host to another router",
    diagnosis: Some("SSO-R04"),
};
const GUARDED: Code = Code {
    id: "DOC-R12",
    title: "The outpost router is itself behind the forward auth middleware",
    diagnosis: Some("SSO-R07"),
};
const NO_OUTPOST: Code =
    Code { id: "DOC-R13", title: "There is no outpost router", diagnosis: Some("SSO-R04") };
const ANY_HOST: Code = Code {
    id: "DOC-R14",
    title: "The outpost router names no host: it takes the outpost's paths of every one, and loses to long rules",
    diagnosis: None,
};
const TAKES_ALL: Code = Code {
    id: "DOC-R15",
    title: "The outpost router takes more than the outpost's paths",
    diagnosis: Some("SSO-R06"),
};
const UNASKED: Code = Code {
    id: "DOC-R17",
    title: "A service gets the outpost's paths of its host, for which nobody has to sign in",
    diagnosis: None,
};

const NOBODYS: &str = "any-host.invalid";
const LOOP: &str = "the way back from the login goes through the middleware itself, or to the service: the browser is \
                    sent round, or meets an error";
/// What a request for one of the outpost's paths gets out of Authentik's forward auth.
const PASSES: &str = "Authentik lets every path below `/outpost.goauthentik.io/` pass without a session";

pub(super) struct Outpost;

impl Rule for Outpost {
    fn codes(&self) -> &'static [&'static Code] {
        &[&MISSING, &LOSES, &GUARDED, &NO_OUTPOST, &ANY_HOST, &TAKES_ALL, &UNASKED]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(routing) = &subject.routing else { return };
        let routers = &routing.config().routers;
        let outposts: Vec<&Router> = routers
            .iter()
            .filter(|router| is_outpost(&router.definition) || is_named(subject, router))
            .collect();
        let used: Vec<&Router> =
            outposts.iter().copied().filter(|router| router.status != Status::Disabled).collect();
        if outposts.is_empty() {
            into.extend(none_at_all(subject));
        }
        let mut told = BTreeSet::new();
        for (host, slug) in subject.protected() {
            if subject.is_domain_level(&host, slug) {
                into.extend(unasked(subject, &used, &host));
                continue;
            }
            // A host without any router, or whose outpost router is disabled, is another finding.
            if routing.of_host(&host, true).is_empty() && routing.of_host(&host, false).is_empty()
                || used.is_empty()
            {
                continue;
            }
            if let Some((key, finding)) = of_host(subject, &used, &host)
                && told.insert(key)
            {
                into.push(finding);
            }
        }
        into.extend(used.iter().filter_map(|router| any_host(subject, router)));
    }
}

/// Whether the deployment calls this router the outpost's.
fn is_named(subject: &Subject, router: &Router) -> bool {
    subject.stated.is_some() && router.name == *subject.deployment.traefik.outpost_router
}

fn none_at_all(subject: &Subject) -> Option<Finding> {
    let (_, definition, _) = subject.forward_auths().into_iter().next()?;
    let protected = subject.protected().into_iter();
    let mut own_way_back = protected.filter(|(host, slug)| !subject.is_domain_level(host, slug));
    let asked = own_way_back.find_map(|(host, _)| secure_of(subject, &host))?;
    let message = "no router sends the outpost's paths to Authentik";
    let severity = if subject.stated.is_some() { Severity::Error } else { Severity::Warning };
    let proof = Asked::get(asked).shows(Shows::NotStatus(204));
    Some(
        Finding::new(&NO_OUTPOST, severity, definition.at.clone(), message, proof)
            .because(format!(
                "{LOOP}; only a provider for a whole domain can do without, its way back is at one host"
            ))
            .fix(format!("add a router with the rule {} that leads to Authentik", rule_for("…"))),
    )
}

/// A service behind a provider for a whole domain, whose way back is elsewhere, that gets the outpost's paths of its host.
fn unasked(subject: &Subject, outposts: &[&Router], host: &str) -> Option<Finding> {
    let url = secure_of(subject, host)?;
    let winner = subject.routing.as_ref()?.winner(&url, "GET", &Vec::new())?;
    if !is_guarded(winner) || !serves(winner) || subject.leads_to_authentik(winner) {
        return None;
    }
    let message =
        format!("`{}` gives the outpost's paths of {host} to the service", unqualified(&winner.name));
    let fix = match outposts.first() {
        Some(outpost) => format!(
            "let `{}` take the outpost's paths of {host} from `{}`",
            unqualified(&outpost.name),
            unqualified(&winner.name)
        ),
        None => format!("add a router with the rule {} that leads to Authentik", rule_for(host)),
    };
    let proof = Asked::get(url).shows(Shows::Service);
    let finding = Finding::new(&UNASKED, Severity::Warning, rule_at(winner), message, proof)
        .because(format!("{PASSES}: what the service has there, everybody sees"))
        .fix(fix);
    Some(finding)
}

/// The rule that an outpost router of `host` has.
fn rule_for(host: &str) -> String {
    format!("`` Host(`{host}`) && PathPrefix(`/outpost.goauthentik.io/`) ``")
}

/// The place of a router's rule.
fn rule_at(router: &Router) -> At {
    let definition = &router.definition;
    at(&definition.at.source, definition.rule.as_ref().map_or(definition.at.place, |rule| rule.place))
}

/// The URL that the outpost must answer, by the scheme that the host has routers for.
fn secure_of(subject: &Subject, host: &str) -> Option<url::Url> {
    let routing = subject.routing.as_ref()?;
    let mut url = subject.url(host, PING)?;
    if routing.of_host(host, true).is_empty() && !routing.of_host(host, false).is_empty() {
        url.set_scheme("http").ok()?;
    }
    Some(url)
}

/// What is wrong with the outpost's paths of `host`, with what it is about: told once.
fn of_host(subject: &Subject, outposts: &[&Router], host: &str) -> Option<(String, Finding)> {
    let routing = subject.routing.as_ref()?;
    let url = secure_of(subject, host)?;
    let secure = url.scheme() == "https";
    let winner = routing.winner(&url, "GET", &Vec::new());
    let silent = Asked::get(url.clone()).shows(Shows::NotStatus(204));
    let listing = outposts.iter().copied().find(|router| {
        router.tls == secure && router.rule.as_ref().is_some_and(|rule| rule.may_match_host(host))
    });
    match (winner, listing) {
        (Some(winner), _) if outposts.iter().any(|one| one.name == winner.name) => {
            if is_guarded(winner) {
                let list = winner.definition.middlewares.as_ref();
                let place = list.map_or(winner.definition.at.place, |list| list.place);
                let name = unqualified(&winner.name);
                let message = format!("the outpost router `{name}` runs the forward auth middleware");
                let place = at(&winner.definition.at.source, place);
                // The outpost lets its own paths pass, so that the question alone can be seen.
                let proof = Asked::get(url)
                    .by(Way::Recorder)
                    .shows(Shows::AuthReads("X-Forwarded-Uri".to_owned(), PING.to_owned()));
                let finding = Finding::new(&GUARDED, Severity::Warning, place, message, proof)
                    .because(
                        "the outpost is asked about its own paths: a host without a provider gets a 404 for them, and \
                         the way back from the login hangs on the outpost's letting itself pass",
                    )
                    .fix(format!("take the middleware off router `{name}`"));
                return Some((format!("guarded {name}"), finding));
            }
            takes_all(subject, winner, host, secure).or_else(|| by_chance(subject, winner, host, &url))
        }
        (_, None) => {
            let outpost = outposts.first()?;
            let instead =
                winner.map_or_else(|| "no router".to_owned(), |one| format!("`{}`", unqualified(&one.name)));
            let message =
                format!("the outpost router does not list {host}: {instead} takes the outpost's paths there");
            let passed = winner.is_some_and(|one| is_guarded(one) && serves(one));
            let because = if passed { format!("{LOOP}; and {PASSES}") } else { LOOP.to_owned() };
            let finding = Finding::new(&MISSING, Severity::Error, rule_at(outpost), message, silent)
                .because(because)
                .fix(format!("add `` || Host(`{host}`) `` to the rule of `{}`", unqualified(&outpost.name)));
            Some((format!("missing {host}"), finding))
        }
        (Some(winner), Some(outpost)) => {
            let (name, other) = (unqualified(&outpost.name), unqualified(&winner.name));
            let (mine, its) = (outpost.priority.unwrap_or_default(), winner.priority.unwrap_or_default());
            let how = if mine == its {
                format!("both have priority {mine}, and nothing says which of the two wins")
            } else {
                format!("{its} to {mine}")
            };
            let message = format!(
                "the outpost router `{name}` loses the outpost's paths of {host} to `{other}`: {how}"
            );
            let finding = Finding::new(&LOSES, Severity::Error, rule_at(outpost), message, silent)
                .because(LOOP)
                .fix(format!("give `{name}` a priority above {its}"));
            Some((format!("loses {name}"), finding))
        }
        (None, Some(_)) => None,
    }
}

/// An outpost router that wins by its name alone.
fn by_chance(subject: &Subject, router: &Router, host: &str, url: &url::Url) -> Option<(String, Finding)> {
    let routing = subject.routing.as_ref()?;
    let facts = RequestFacts::get(host, url.path());
    let others = routing.of_host(host, url.scheme() == "https").into_iter();
    let mut others = others.filter(|other| other.name != router.name && other.priority == router.priority);
    let other = others.find(|other| {
        !subject.leads_to_authentik(other) && other.rule.as_ref().is_some_and(|rule| rule.matches(&facts))
    })?;
    let (name, priority) = (unqualified(&router.name), router.priority.unwrap_or_default());
    let other = unqualified(&other.name);
    let message = format!(
        "the outpost router `{name}` has the same priority {priority} as `{other}` of {host}: nothing says which of the two wins"
    );
    let proof = Proof::Static(BY_CHANCE.to_owned());
    let finding = Finding::new(&LOSES, Severity::Error, rule_at(router), message, proof)
        .because(LOOP)
        .fix(format!("give `{name}` a priority above {priority}"));
    Some((format!("loses {name}"), finding))
}

/// An outpost router that takes the service's own paths.
fn takes_all(subject: &Subject, router: &Router, host: &str, secure: bool) -> Option<(String, Finding)> {
    let routing = subject.routing.as_ref()?;
    let mut url = subject.url(host, "/")?;
    if !secure {
        url.set_scheme("http").ok()?;
    }
    let winner = routing.winner(&url, "GET", &Vec::new())?;
    if winner.name != router.name || !subject.leads_to_authentik(router) {
        return None;
    }
    let name = unqualified(&router.name);
    let message = format!("the outpost router `{name}` takes every path of {host}");
    let proof = Asked::get(url).shows(Shows::Authentik);
    let finding = Finding::new(&TAKES_ALL, Severity::Error, rule_at(router), message, proof)
        .because("Authentik answers in the place of the service")
        .fix("add `` && PathPrefix(`/outpost.goauthentik.io/`) `` to its rule");
    Some((format!("takes all {name}"), finding))
}

fn any_host(subject: &Subject, router: &Router) -> Option<Finding> {
    let rule = router.rule.as_ref()?;
    if !rule.may_match_host(NOBODYS) || is_guarded(router) || !subject.leads_to_authentik(router) {
        return None;
    }
    let scheme = if router.tls { "https" } else { "http" };
    let url = url::Url::parse(&format!("{scheme}://{NOBODYS}{PING}")).ok()?;
    let name = unqualified(&router.name);
    let length = router.priority.unwrap_or_default();
    let message = format!("the outpost router `{name}` names no host");
    let proof = Asked::get(url).shows(Shows::Status(204));
    Some(
        Finding::new(&ANY_HOST, Severity::Warning, rule_at(router), message, proof)
            .because(format!(
                "it takes the outpost's paths of every host, services without forward auth among them, and with \
                 priority {length} it loses to any longer rule: one `` Host(`…`) `` of more than {} letters is enough",
                length.saturating_sub(8)
            ))
            .fix("name the protected hosts in its rule, or give it a high priority and know that it takes all hosts"),
    )
}
