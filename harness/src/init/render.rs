//! A draft as the text of `deployment.yaml`.

use std::fmt::Write as _;

use ssoproof_deployment::{Located, SigningKey};

use super::draft::Draft;
use super::scalar::{comment, list, quoted, scalar};

/// Writes into the text, which cannot fail.
macro_rules! line {
    ($out:expr, $($argument:tt)*) => {{
        let _ = writeln!($out, $($argument)*);
    }};
}

/// The text of `deployment.yaml`.
pub(super) fn text(draft: &Draft) -> String {
    let mut out = String::new();
    head(draft, &mut out);
    gateway(draft, &mut out);
    people(draft, &mut out);
    behind(draft, &mut out);
    apps(draft, &mut out);
    library(draft, &mut out);
    out
}

fn head(draft: &Draft, out: &mut String) {
    let deployment = &draft.deployment;
    let from = draft.sources.join(" and ");
    comment(
        out,
        "",
        &format!(
            "Written by `ssoproof init` from {from}. It is yours now: `ssoproof check` reads it, `ssoproof run` proves it."
        ),
    );
    line!(out, "name: {}\n", scalar(&deployment.name));
    let auth = &deployment.auth;
    line!(out, "auth:");
    line!(out, "  url: {}", scalar(&auth.url));
    line!(out, "  # Where the gateway reaches it.");
    line!(out, "  upstream: {}", scalar(&auth.upstream));
    line!(out, "  # Where users are sent to sign out.");
    line!(out, "  logout_url: {}\n", scalar(&auth.logout_url));
}

fn gateway(draft: &Draft, out: &mut String) {
    let traefik = &draft.deployment.traefik;
    line!(out, "traefik:");
    line!(out, "  # Relative to this file.");
    line!(out, "  dynamic: {}", scalar(&traefik.dynamic.display().to_string()));
    line!(out, "  middleware: {}", scalar(&traefik.middleware));
    line!(out, "  outpost_router: {}", scalar(&traefik.outpost_router));
    let names = &traefik.entry_points;
    let tls = if names.https_tls { ", https_tls: true" } else { "" };
    line!(out, "  entry_points: {{ http: {}, https: {}{tls} }}\n", quoted(&names.http), quoted(&names.https));

    let headers = &draft.deployment.headers;
    notes(draft, out, "", "headers");
    line!(out, "headers:");
    line!(out, "  # What Authentik puts between two groups.");
    line!(out, "  group_separator: {}", quoted(&headers.group_separator));
    line!(out, "  identity:");
    headers.identity.iter().for_each(|name| line!(out, "    - {}", scalar(name)));

    let versions = &draft.deployment.versions;
    line!(out, "");
    notes(draft, out, "", "versions");
    line!(
        out,
        "versions: {{ authentik: {}, traefik: {}, postgres: {}, redis: {} }}\n",
        quoted(&versions.authentik),
        quoted(&versions.traefik),
        quoted(&versions.postgres),
        quoted(&versions.redis)
    );
}

fn people(draft: &Draft, out: &mut String) {
    let deployment = &draft.deployment;
    notes(draft, out, "", "groups");
    line!(out, "groups: {}\n", list(deployment.groups.iter().map(|group| group.as_str())));
    notes(draft, out, "", "personas");
    line!(out, "personas:");
    for (name, persona) in &deployment.personas {
        line!(out, "  {}:", scalar(name));
        line!(out, "    username: {}", scalar(&persona.username));
        line!(out, "    name: {}", scalar(&persona.name));
        line!(out, "    email: {}", scalar(&persona.email));
        if !persona.groups.is_empty() {
            line!(out, "    groups: {}", texts(&persona.groups));
        }
        if !persona.active {
            line!(out, "    active: false");
        }
    }
    line!(out, "");
}

fn behind(draft: &Draft, out: &mut String) {
    let deployment = &draft.deployment;
    if !deployment.domains.is_empty() {
        notes(draft, out, "", "domains");
        line!(out, "domains:");
        for (slug, domain) in &deployment.domains {
            line!(out, "  {}:", scalar(slug));
            line!(out, "    title: {}", scalar(&domain.title));
            line!(out, "    external_host: {}", scalar(&domain.external_host));
            line!(out, "    cookie_domain: {}", scalar(&domain.cookie_domain));
            rights(out, &domain.allow, domain.in_outpost);
        }
        line!(out, "");
    }
    notes(draft, out, "", "services");
    line!(out, "services:");
    for (slug, service) in &deployment.services {
        line!(out, "  {}:", scalar(slug));
        line!(out, "    title: {}", scalar(&service.title));
        line!(out, "    url: {}", scalar(&service.url));
        line!(out, "    upstream: {}", scalar(&service.upstream));
        match &service.domain {
            Some(domain) => line!(out, "    domain: {}", scalar(domain)),
            None => rights(out, &service.allow, service.in_outpost),
        }
    }
    line!(out, "");
}

fn rights(out: &mut String, allow: &[Located<String>], in_outpost: bool) {
    if allow.is_empty() {
        line!(out, "    # Everybody who signs in gets in.");
    }
    line!(out, "    allow: {}", texts(allow));
    if !in_outpost {
        line!(
            out,
            "    # As Authentik has it: the provider is not in the embedded outpost, which answers 404."
        );
        line!(out, "    in_outpost: false");
    }
}

fn apps(draft: &Draft, out: &mut String) {
    notes(draft, out, "", "apps");
    let Some(grafana) = &draft.deployment.apps.grafana else {
        line!(out, "# apps:\n#   grafana: …\n");
        return;
    };
    let side = &grafana.provider;
    line!(out, "apps:");
    line!(out, "  grafana:");
    line!(out, "    url: {}", scalar(&grafana.url));
    line!(out, "    upstream: {}", scalar(&grafana.upstream));
    line!(out, "    provider:");
    line!(out, "      slug: {}", scalar(&side.slug));
    line!(out, "      client_id: {}", scalar(&side.client_id));
    line!(out, "      redirect_uris: {}", texts(&side.redirect_uris));
    line!(out, "      scopes: {}", texts(&side.scopes));
    let key = match *side.signing_key {
        SigningKey::DedicatedRsa => "dedicated_rsa",
        SigningKey::DedicatedEc => "dedicated_ec",
        SigningKey::SelfSigned => "self_signed",
        SigningKey::None => "none",
    };
    line!(out, "      signing_key: {key}");
    line!(out, "    role_attribute_path: {}\n", quoted(&grafana.role_attribute_path));
}

fn library(draft: &Draft, out: &mut String) {
    comment(
        out,
        "",
        "Scenarios that the program brings along, by family. Single ones are written as `logout/invalidation-flow`; \
         those of your own go into folders beside this file. `ssoproof list` names every case, and what does not fit.",
    );
    line!(out, "use:");
    let width = draft.families.keys().map(String::len).max().unwrap_or_default();
    for (family, cases) in &draft.families {
        let plural = if *cases == 1 { "case" } else { "cases" };
        line!(out, "  - {family:<width$} # {cases} {plural}");
    }
}

/// The notes about `key` as comments.
fn notes(draft: &Draft, out: &mut String, indent: &str, key: &str) {
    draft.notes.get(key).into_iter().flatten().for_each(|note| comment(out, indent, note));
}

fn texts(texts: &[Located<String>]) -> String {
    list(texts.iter().map(|text| text.as_str()))
}
