//! DOC-R02, DOC-R03, DOC-R04: routers that Traefik does not use.

use ssoproof_deployment::Place;
use ssoproof_deployment::suggestion;
use ssoproof_deployment::traefik::{Router, Rule as Matching, Status, unqualified};

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Asked, Proof, Shows};
use crate::doctor::subject::{Subject, is_guarded, serves};
use crate::infer::hosts_of;

const NO_MIDDLEWARE: Code = Code {
    id: "DOC-R02",
    title: "A router names a middleware that there is not, and is disabled",
    diagnosis: Some("SSO-R02"),
};
const FALLS_THROUGH: Code = Code {
    id: "DOC-R03",
    title: "A router is disabled, and its requests fall through to one without the middleware",
    diagnosis: Some("SSO-R03"),
};
const DISABLED: Code = Code { id: "DOC-R04", title: "A router is disabled", diagnosis: Some("SSO-R02") };

pub(super) struct Disabled;

impl Rule for Disabled {
    fn codes(&self) -> &'static [&'static Code] {
        &[&NO_MIDDLEWARE, &FALLS_THROUGH, &DISABLED]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(routing) = &subject.routing else { return };
        for router in routing.config().routers.iter().filter(|router| router.status != Status::Enabled) {
            if router.definition.parents.is_empty() && subject.is_beyond(router).is_none() {
                into.push(finding(subject, router));
            }
        }
    }
}

fn finding(subject: &Subject, router: &Router) -> Finding {
    let bare = unqualified(&router.name);
    let reason = router.errors.join("; ");
    let secure = router.definition.tls.is_some()
        || subject.routing.as_ref().is_some_and(|routing| {
            let [_, https] = routing.entry_points();
            https.tls && router.entry_points.contains(&https.name)
        });
    let asked = request(router, secure);
    let taken = asked
        .as_ref()
        .and_then(|asked| subject.routing.as_ref()?.winner(&asked.url, &asked.method, &asked.headers));
    let open =
        taken.filter(|other| serves(other) && !is_guarded(other) && !subject.leads_to_authentik(other));
    let missing = missing_middleware(&reason);
    let ours =
        asked.as_ref().is_some_and(|asked| asked.url.host_str().is_some_and(|host| subject.is_ours(host)));
    let proof = match (asked, taken) {
        (None, _) => Proof::Static("no request for the router's rule is known".to_owned()),
        (Some(asked), None) => asked.shows(Shows::Status(404)),
        (Some(asked), Some(_)) if open.is_some() => asked.shows(Shows::Service),
        (Some(asked), Some(other)) if is_guarded(other) => asked.shows(Shows::Login),
        (Some(asked), Some(_)) => asked.shows(Shows::NotStatus(404)),
    };
    let definition = &router.definition;
    let place = place(router, missing.as_deref(), &reason);
    let severity =
        if ours && (taken.is_none() || open.is_some()) { Severity::Error } else { Severity::Warning };
    let (code, message) = match (&missing, open) {
        (_, Some(open)) => {
            let to = unqualified(&open.name);
            (
                &FALLS_THROUGH,
                format!("router `{bare}` is disabled, {reason}, and `{to}` takes its requests unasked"),
            )
        }
        (Some(missing), None) => {
            (&NO_MIDDLEWARE, format!("router `{bare}` is disabled: there is no middleware `{missing}`"))
        }
        (None, None) => (&DISABLED, format!("router `{bare}` is not used as it should: {reason}")),
    };
    let why = match (open, taken) {
        (Some(_), _) => {
            "a disabled router is as good as absent: a broader one without the middleware answers instead"
        }
        (None, Some(_)) => "a disabled router is as good as absent: another one answers instead",
        (None, None) => "a disabled router is as good as absent: its requests get a 404",
    };
    let fix = match &missing {
        Some(missing) => {
            let names: Vec<String> = subject
                .dynamic()
                .into_iter()
                .flat_map(|dynamic| dynamic.middlewares.keys().map(|name| format!("{name}@file")))
                .collect();
            suggestion(missing, &names).unwrap_or_else(|| format!("define the middleware `{missing}`"))
        }
        None => "mend what the message names".to_owned(),
    };
    Finding::new(code, severity, at(&definition.at.source, place), message, proof).because(why).fix(fix)
}

/// The plainest request of the router's rule.
fn request(router: &Router, secure: bool) -> Option<Asked> {
    let witnesses =
        Matching::parse(router.rule_text()).ok().map(|rule| rule.witnesses(None)).unwrap_or_default();
    let by_rule = witnesses.iter().find_map(|witness| Asked::of(witness, secure));
    by_rule.or_else(|| {
        let host = hosts_of(&router.definition).into_iter().next()?;
        let scheme = if secure { "https" } else { "http" };
        Some(Asked::get(url::Url::parse(&format!("{scheme}://{host}/")).ok()?))
    })
}

/// The name in Traefik's `middleware "x@file" does not exist`.
fn missing_middleware(reason: &str) -> Option<String> {
    let (_, rest) = reason.split_once("middleware \"")?;
    let (name, rest) = rest.split_once('"')?;
    rest.starts_with(" does not exist").then(|| name.to_owned())
}

/// The part of the router that the reason is about.
fn place(router: &Router, missing: Option<&str>, reason: &str) -> Place {
    let definition = &router.definition;
    let own = definition.at.place;
    let named = |name: &str| {
        let mut list = definition.middlewares.iter().flat_map(|list| list.iter());
        let found = list.find(|one| one.value == name || format!("{}@file", one.value) == name);
        found.map(|one| one.place)
    };
    let texts = |part: &Option<ssoproof_deployment::Located<String>>| part.as_ref().map(|text| text.place);
    let found = if let Some(missing) = missing {
        named(missing)
    } else if reason.contains("entryPoint") {
        definition.entry_points.as_ref().map(|list| list.place)
    } else if reason.contains("rule") {
        texts(&definition.rule)
    } else if reason.contains("service") {
        texts(&definition.service)
    } else {
        None
    };
    found.unwrap_or(own)
}
