//! Who and what plays the parts of the library's scenarios, which cannot know the names of a deployment.
//!
//! | part | played by |
//! | --- | --- |
//! | `home` | the service that lets in most personas; all who follow may enter it |
//! | `member` | the active persona whom most services let in |
//! | `guest` | the active persona whom fewest services let in; the member where there is nobody else |
//! | `other` | the same, and never the member |
//! | `colleague` | a third active persona; else the guest |
//! | `outsider` | an active persona whom no service lets in |
//! | `former` | a persona that is not active |
//! | `second` | another service that lets in member, guest and colleague, of those the one that lets in most |
//!
//! Personas have `services`, those that let them in, `single`, those of them with a provider of their own, and `denied`,
//! those that do not let them in, beside their own values. Home and second are of one kind: both have providers of their
//! own, where there are such, or both have the provider of the same domain.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Map, Value};
use ssoproof_deployment::{Deployment, Persona, Service};
use url::Url;

use crate::agent::registrable_domain;

/// The parts, with what plays them.
const PARTS: [(&str, &str); 8] = [
    ("member", "an active persona whom a service lets in"),
    ("guest", "an active persona whom a service lets in"),
    ("other", "two active personas whom the same service lets in"),
    ("colleague", "an active persona whom a service lets in"),
    ("outsider", "an active persona whom no service lets in"),
    ("former", "a persona that is not active"),
    ("home", "a service that lets somebody in"),
    ("second", "two services that let in the same personas"),
];

/// What plays the part `name`.
pub(super) fn part(name: &str) -> Option<&'static str> {
    PARTS.iter().find(|(part, _)| *part == name).map(|(_, player)| *player)
}

/// Whether `service` lets `persona` in, once signed in.
pub(super) fn lets_in(service: &Service, persona: &Persona) -> bool {
    service.allow.is_empty()
        || service.allow.iter().any(|group| persona.groups.iter().any(|own| **own == **group))
}

/// The parts that `deployment` can fill, by name.
pub(super) fn cast(
    deployment: &Deployment,
    services: &Map<String, Value>,
    personas: &Map<String, Value>,
) -> Map<String, Value> {
    let players = Players::of(deployment);
    let people = [
        ("member", players.member()),
        ("guest", players.guest()),
        ("other", players.other()),
        ("colleague", players.colleague()),
        ("outsider", players.outsider()),
        ("former", players.former()),
    ];
    let mut cast: Map<String, Value> = people
        .into_iter()
        .filter_map(|(part, name)| Some((part.to_owned(), person(deployment, name?, services, personas))))
        .collect();
    for (part, slug) in [("home", players.home()), ("second", players.second())] {
        cast.extend(slug.map(|slug| (part.to_owned(), services[slug].clone())));
    }
    cast
}

/// A persona with the services that let it in, and those that do not.
fn person(
    deployment: &Deployment,
    name: &str,
    services: &Map<String, Value>,
    personas: &Map<String, Value>,
) -> Value {
    let mut value = personas[name].clone();
    let persona = &deployment.personas[name];
    let those = |holds: &dyn Fn(&Service) -> bool| -> Value {
        let found = deployment.services.iter().filter(|(_, service)| holds(service));
        found.map(|(slug, _)| (slug.clone(), services[slug].clone())).collect::<Map<_, _>>().into()
    };
    value["services"] = those(&|service| lets_in(service, persona));
    value["single"] = those(&|service| service.domain.is_none() && lets_in(service, persona));
    value["denied"] = those(&|service| !lets_in(service, persona));
    value
}

/// The active personas whom `cast.home` lets in.
pub(super) fn insiders(deployment: &Deployment) -> Vec<String> {
    Players::of(deployment).insiders().map(|(name, _)| name.to_owned()).collect()
}

/// One service for each registrable domain: of those there that let `cast.member` in, one that lets in most personas.
pub(super) fn sites(deployment: &Deployment) -> Vec<String> {
    let players = Players::of(deployment);
    let mut sites: BTreeMap<String, &str> = BTreeMap::new();
    let Some(member) = players.member().map(|name| &deployment.personas[name]) else { return Vec::new() };
    let open = players.by_openness().into_iter();
    for slug in open.filter(|slug| lets_in(&deployment.services[*slug], member)) {
        let host = Url::parse(&deployment.services[slug].url).ok();
        let host = host.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let domain = registrable_domain(&host).map_or(host.clone(), str::to_owned);
        sites.entry(domain).or_insert(slug);
    }
    let mut slugs: Vec<String> = sites.into_values().map(str::to_owned).collect();
    slugs.sort();
    slugs
}

/// The personas who may sign in, and the services, as parts are given to them.
struct Players<'a> {
    deployment: &'a Deployment,
    active: Vec<(&'a str, &'a Persona)>,
}

impl<'a> Players<'a> {
    fn of(deployment: &'a Deployment) -> Self {
        let active = deployment.personas.iter().filter(|(_, persona)| persona.active);
        Self { deployment, active: active.map(|(name, persona)| (name.as_str(), persona)).collect() }
    }

    /// How many services let `persona` in.
    fn reach(&self, persona: &Persona) -> usize {
        self.deployment.services.values().filter(|service| lets_in(service, persona)).count()
    }

    /// How many personas `service` lets in.
    fn openness(&self, service: &Service) -> usize {
        self.active.iter().filter(|(_, persona)| lets_in(service, persona)).count()
    }

    /// The active personas whom the most open service lets in.
    fn insiders(&self) -> impl Iterator<Item = (&'a str, &'a Persona)> {
        let home = self.home().and_then(|slug| self.deployment.services.get(slug));
        let open = move |persona: &Persona| home.is_some_and(|home| lets_in(home, persona));
        self.active.iter().copied().filter(move |(_, persona)| open(persona))
    }

    fn member(&self) -> Option<&'a str> {
        self.insiders().max_by_key(|(_, persona)| self.reach(persona)).map(|(name, _)| name)
    }

    fn other(&self) -> Option<&'a str> {
        let others = self.insiders().filter(|(name, _)| Some(*name) != self.member());
        others.min_by_key(|(_, persona)| self.reach(persona)).map(|(name, _)| name)
    }

    fn guest(&self) -> Option<&'a str> {
        self.other().or_else(|| self.member())
    }

    fn colleague(&self) -> Option<&'a str> {
        let taken = [self.member(), self.guest()];
        let others = self.insiders().filter(|(name, _)| !taken.contains(&Some(*name)));
        others.max_by_key(|(_, persona)| self.reach(persona)).map(|(name, _)| name).or_else(|| self.guest())
    }

    fn outsider(&self) -> Option<&'a str> {
        self.active.iter().find(|(_, persona)| self.reach(persona) == 0).map(|(name, _)| *name)
    }

    fn former(&self) -> Option<&'a str> {
        let former = self.deployment.personas.iter().find(|(_, persona)| !persona.active);
        former.map(|(name, _)| name.as_str())
    }

    /// Slugs of services that let somebody in, those with a provider of their own before others, the most open first;
    /// of equals the last by name.
    fn by_openness(&self) -> Vec<&'a str> {
        let open = self.deployment.services.iter().filter(|(_, service)| self.openness(service) > 0);
        let mut slugs: Vec<(&str, &Service)> = open.map(|(slug, service)| (slug.as_str(), service)).collect();
        slugs.sort_by_key(|(slug, service)| {
            Reverse((service.domain.is_none(), self.openness(service), *slug))
        });
        slugs.into_iter().map(|(slug, _)| slug).collect()
    }

    fn home(&self) -> Option<&'a str> {
        self.by_openness().first().copied()
    }

    fn second(&self) -> Option<&'a str> {
        let people = [self.member()?, self.guest()?, self.colleague()?];
        let kind = |slug: &str| self.deployment.services[slug].domain.as_ref().map(|domain| domain.as_str());
        let home = self.home().map(kind)?;
        let open = |slug: &str| {
            let service = &self.deployment.services[slug];
            kind(slug) == home && people.iter().all(|name| lets_in(service, &self.deployment.personas[*name]))
        };
        let mut others = self.by_openness().into_iter().filter(|slug| Some(*slug) != self.home());
        others.find(|slug| open(slug))
    }
}
