//! Users for a deployment whose own are not known.

use std::collections::BTreeMap;

use ssoproof_deployment::{Located, Persona};
use url::Url;

use super::draft::{DECIDE, Draft};
use crate::agent::registrable_domain;

/// The group that is let in.
const INSIDE: &str = "members";

/// Who is made up: name, whether they are let in, whether they may sign in.
const PEOPLE: [(&str, bool, bool); 4] =
    [("ada", true, true), ("ben", true, true), ("mallory", false, true), ("dave", true, false)];

/// Makes users up: two who are let in everywhere, one who is not, and one who has left.
pub(super) fn make_up(draft: &mut Draft) {
    let auth = Url::parse(&draft.deployment.auth.url).ok();
    let host = auth.as_ref().and_then(Url::host_str).unwrap_or("example.org");
    let domain = registrable_domain(host).unwrap_or(host).to_owned();
    let group = || Located::nowhere(INSIDE.to_owned());
    let person = |(name, inside, active): (&str, bool, bool)| {
        let persona = Persona {
            username: Located::nowhere(name.to_owned()),
            name: name[..1].to_ascii_uppercase() + &name[1..],
            email: format!("{name}@{domain}"),
            groups: if inside { vec![group()] } else { Vec::new() },
            active,
            grafana_role: None,
            password_env: None,
        };
        (name.to_owned(), persona)
    };
    let deployment = &mut draft.deployment;
    deployment.groups = vec![group()];
    deployment.personas = PEOPLE.map(person).into_iter().collect::<BTreeMap<_, _>>();
    for service in deployment.services.values_mut().filter(|service| service.domain.is_none()) {
        service.allow = vec![group()];
    }
    deployment.domains.values_mut().for_each(|domain| domain.allow = vec![group()]);
    draft.note(
        "groups",
        format!("{DECIDE}the files do not say who gets in where. This group, and the users, are made up."),
    );
}
