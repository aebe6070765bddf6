//! Tools that rewrite Traefik's files, and what puts the middleware back.

use notify::EventKind;
use notify::event::{AccessKind, AccessMode, ModifyKind};
use serde_json::{Value, json};
use ssoproof_deployment::traefik::unqualified;
use ssoproof_deployment::{Deployment, Source};

use crate::faults::fault::{Fault, Group, Seam};
use crate::faults::script::{Script, Writes};
use crate::faults::tamper::host_of;

/// A script that does what it should, for rows that change a part of it.
const SOUND: Script =
    Script { hears: of_whole_files, most: usize::MAX, edit: inserted, writes: Writes::ByRename };

/// Whether a file has another text than before, and nobody is writing it.
fn of_whole_files(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Modify(ModifyKind::Name(_))) || of_closed_files(kind)
}

/// Whether somebody has closed a file that was open to be written.
fn of_closed_files(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Access(AccessKind::Close(AccessMode::Write)))
}

/// Whether the rule in `line` names the host of a service.
fn of_a_service(line: &str, deployment: &Deployment) -> bool {
    let mut hosts = deployment.services.values().filter_map(|service| host_of(&service.url));
    line.trim_start().starts_with("rule:") && hosts.any(|host| line.contains(&format!("`{host}`")))
}

/// The lines with the middleware behind the rule of every router of a service that has none.
fn inserted(text: &str, deployment: &Deployment) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        out.push((*line).to_owned());
        let indent = line.len() - line.trim_start().len();
        let inside = |other: &&&str| other.len() - other.trim_start().len() >= indent;
        let mut rest = lines.iter().skip(index + 1).take_while(inside);
        if of_a_service(line, deployment) && !rest.any(|other| other.trim_start().starts_with("middlewares:"))
        {
            let name = &deployment.traefik.middleware.value;
            out.push(format!("{}middlewares: [{name}]", " ".repeat(indent)));
        }
    }
    (out.len() > lines.len()).then(|| out.join("\n") + "\n")
}

/// The tree with the middleware in every such list, written anew; with `again` also where it is there already.
fn reserialised(text: &str, deployment: &Deployment, again: bool) -> Option<String> {
    let mut tree: Value = Source::inline("file.yml", text).yaml().ok()?;
    let routers = tree.get_mut("http")?.get_mut("routers")?.as_object_mut()?;
    let outpost = unqualified(&deployment.traefik.outpost_router);
    let mut changed = false;
    for (_, router) in routers.iter_mut().filter(|(name, _)| name.as_str() != outpost) {
        let list =
            router.as_object_mut()?.entry("middlewares").or_insert_with(|| json!([])).as_array_mut()?;
        if list.is_empty() || (again && list.len() == 1) {
            list.push(deployment.traefik.middleware.value.clone().into());
            changed = true;
        }
    }
    changed.then(|| format!("{tree:#}\n"))
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "nobody_patches",
        group: Group::Devpush,
        story: "the unit that puts the middleware back is not running: a deploy leaves the service open",
        reference: Some("https://github.com/Dokploy/dokploy/issues/5189"),
        breaks: "DEVPUSH-1",
        diagnosis: "SSO-D01",
        seam: Seam::Script(Script { hears: |_| false, ..SOUND }),
    },
    Fault {
        name: "patcher_misses_rename",
        group: Group::Devpush,
        story: "the patcher hears of files that are written, and of none that is moved into place",
        reference: None,
        breaks: "DEVPUSH-1",
        diagnosis: "SSO-D01",
        seam: Seam::Script(Script { hears: of_closed_files, ..SOUND }),
    },
    Fault {
        name: "patcher_refused_by_systemd",
        group: Group::Devpush,
        story: "deploys follow each other so fast that systemd starts the patcher no more (start-limit-hit)",
        reference: None,
        breaks: "DEVPUSH-1",
        diagnosis: "SSO-D01",
        seam: Seam::Script(Script { most: 2, ..SOUND }),
    },
    Fault {
        name: "tool_outranks_own_router",
        group: Group::Devpush,
        story: "the tool gives its router a higher priority than the router that is to close the host",
        reference: None,
        breaks: "DEVPUSH-1",
        diagnosis: "SSO-D01",
        seam: Seam::Files(|files, deployment| {
            let hosts: Vec<String> =
                deployment.services.values().filter_map(|service| host_of(&service.url)).collect();
            let outpost = unqualified(&deployment.traefik.outpost_router).to_owned();
            let mut found = false;
            for host in hosts {
                for (name, router) in files.routers_of(&host) {
                    if name != outpost {
                        router.insert("priority".to_owned(), json!(950));
                        found = true;
                    }
                }
            }
            found
        }),
    },
    Fault {
        name: "files_not_watched",
        group: Group::Devpush,
        story: "Traefik does not watch its folder: what a tool or a patcher writes comes with the next restart",
        reference: None,
        breaks: "DEVPUSH-1",
        diagnosis: "SSO-D02",
        seam: Seam::Unwatched,
    },
    Fault {
        name: "patcher_writes_in_place",
        group: Group::Devpush,
        story: "the patcher writes into the file, so that Traefik can read half of it",
        reference: None,
        breaks: "DEVPUSH-2",
        diagnosis: "SSO-D03",
        seam: Seam::Script(Script { writes: Writes::InPlace, ..SOUND }),
    },
    Fault {
        name: "patcher_loses_comments",
        group: Group::Devpush,
        story: "the patcher reads the file and writes it anew: comments are gone",
        reference: None,
        breaks: "DEVPUSH-2",
        diagnosis: "SSO-D03",
        seam: Seam::Script(Script {
            edit: |text, deployment| reserialised(text, deployment, false),
            ..SOUND
        }),
    },
    Fault {
        name: "patcher_adds_again",
        group: Group::Devpush,
        story: "the patcher adds the middleware whether it is there or not, and hears of its own writing",
        reference: None,
        breaks: "DEVPUSH-2",
        diagnosis: "SSO-D03",
        seam: Seam::Script(Script { edit: |text, deployment| reserialised(text, deployment, true), ..SOUND }),
    },
];
