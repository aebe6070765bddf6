//! Grafana.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::{cookie_sent, location, redirect, said};
use crate::grafana::role::Role;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "default_role_first",
        group: Group::Grafana,
        story: "the expression begins with its default: everybody is a Viewer",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G01",
        seam: Seam::Grafana(|settings| {
            settings.role.attribute_path = format!("'Viewer' || {}", settings.role.attribute_path);
        }),
    },
    Fault {
        name: "expression_without_condition",
        group: Group::Grafana,
        story: "`a || b && 'Admin'`: the first arm is a boolean, no role",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G01",
        seam: Seam::Grafana(|settings| {
            settings.role.attribute_path = settings.role.attribute_path.replacen("&&", "||", 1);
        }),
    },
    Fault {
        name: "role_in_double_quotes",
        group: Group::Grafana,
        story: "the roles stand in double quotes, which name fields",
        reference: Some("https://github.com/grafana/grafana/issues/20383"),
        breaks: "GRAF-1",
        diagnosis: "SSO-G01",
        seam: Seam::Grafana(|settings| {
            settings.role.attribute_path = settings.role.attribute_path.replace("'Admin'", "\"Admin\"");
        }),
    },
    Fault {
        name: "pipe_instead_of_or",
        group: Group::Grafana,
        story: "a single pipe stands where `||` should",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G01",
        seam: Seam::Grafana(|settings| {
            settings.role.attribute_path = settings.role.attribute_path.replace("||", "|");
        }),
    },
    Fault {
        name: "expression_does_not_parse",
        group: Group::Grafana,
        story: "a parenthesis is missing in the expression",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G01",
        seam: Seam::Grafana(|settings| {
            settings.role.attribute_path = settings.role.attribute_path.replacen(')', "", 1);
        }),
    },
    Fault {
        name: "expression_is_gone",
        group: Group::Grafana,
        story: "the variable with the expression is not set: everybody gets the default role",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G01",
        seam: Seam::Grafana(|settings| settings.role.attribute_path.clear()),
    },
    Fault {
        name: "roles_are_not_synced",
        group: Group::Grafana,
        story: "skip_org_role_sync is on: groups change nothing",
        reference: Some("https://github.com/grafana/grafana/issues/73866"),
        breaks: "GRAF-1",
        diagnosis: "SSO-G01",
        seam: Seam::Grafana(|settings| settings.role.skip_org_role_sync = true),
    },
    Fault {
        name: "role_for_everybody",
        group: Group::Grafana,
        story: "auto_assign_org_role is Admin and the expression is not read",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G01",
        seam: Seam::Grafana(|settings| {
            settings.role.attribute_path.clear();
            settings.role.auto_assign_org_role = Role::Admin;
        }),
    },
    Fault {
        name: "strict_without_role",
        group: Group::Grafana,
        story: "role_attribute_strict refuses whoever gets no role, and the expression has no default",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G04",
        seam: Seam::Grafana(|settings| {
            settings.role.strict = true;
            settings.role.attribute_path = settings.role.attribute_path.replace("|| 'Viewer'", "");
        }),
    },
    Fault {
        name: "sign_up_is_off",
        group: Group::Grafana,
        story: "allow_sign_up is off: nobody who is new gets in",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G04",
        seam: Seam::Grafana(|settings| settings.allow_sign_up = false),
    },
    Fault {
        name: "only_some_groups",
        group: Group::Grafana,
        story: "allowed_groups keeps out whom the deployment lets in",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G04",
        seam: Seam::Grafana(|settings| {
            settings.groups_attribute_path = "groups".to_owned();
            settings.allowed_groups = vec!["nobody".to_owned()];
        }),
    },
    Fault {
        name: "root_url_of_other_host",
        group: Group::Grafana,
        story: "root_url is not the host that browsers use: the redirect URI is another",
        reference: Some("https://github.com/grafana/grafana/issues/17978"),
        breaks: "GRAF-1",
        diagnosis: "SSO-O01",
        seam: Seam::Grafana(|settings| settings.root_url = "https://grafana.example".to_owned()),
    },
    Fault {
        name: "groups_are_not_asked_for",
        group: Group::Grafana,
        story: "Grafana does not ask for the scope that has the groups",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G03",
        seam: Seam::Grafana(|settings| settings.scopes.retain(|scope| scope != "profile")),
    },
    Fault {
        name: "sign_out_stays_at_grafana",
        group: Group::Grafana,
        story: "signout_redirect_url is not set: the next login is silent",
        reference: Some("https://github.com/grafana/grafana/issues/24643"),
        breaks: "GRAF-3",
        diagnosis: "SSO-G05",
        seam: Seam::Grafana(|settings| settings.signout_redirect_url = None),
    },
    Fault {
        name: "sign_out_of_other_app",
        group: Group::Grafana,
        story: "signout_redirect_url names the end-session endpoint of another application",
        reference: None,
        breaks: "GRAF-3",
        diagnosis: "SSO-G05",
        seam: Seam::Grafana(|settings| {
            settings.signout_redirect_url = settings
                .signout_redirect_url
                .take()
                .map(|url| url.replace("/end-session/", "-old/end-session/"));
        }),
    },
    Fault {
        name: "grafana_session_survives_sign_out",
        group: Group::Grafana,
        story: "Grafana's sign-out leaves its session alive",
        reference: Some("https://github.com/grafana/grafana/issues/98887"),
        breaks: "GRAF-3",
        diagnosis: "SSO-G05",
        seam: Seam::requests(Link::Grafana, |request, deployment| {
            let away = deployment.apps.grafana.as_ref().and_then(|app| app.signout_redirect_url.as_ref());
            (request.uri().path() == "/logout")
                .then(|| redirect(away.map_or("/login", |url| url.value.as_str())))
        }),
    },
    Fault {
        name: "page_after_login_is_lost",
        group: Group::Grafana,
        story: "after the login Grafana sends browsers to its login page again",
        reference: Some("https://github.com/grafana/grafana/issues/7996"),
        breaks: "GRAF-1",
        diagnosis: "SSO-G02",
        seam: Seam::answers(Link::Grafana, |asked, response, _| {
            if asked.uri.path() == "/login/generic_oauth" && asked.uri.query().is_some() {
                response.headers_mut().remove(http::header::SET_COOKIE);
                location(response, |_| Some("/login".to_owned()));
            }
        }),
    },
    Fault {
        name: "grafana_answers_from_a_cache",
        group: Group::Grafana,
        story: "a cache in front of Grafana gives whoever comes without a session what it has kept of an administrator",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-G06",
        seam: Seam::requests(Link::Grafana, |request, _| {
            let kept =
                request.uri().path() == "/api/user/orgs" && cookie_sent(request, "grafana_session").is_none();
            kept.then(|| {
                let mut answer = said(StatusCode::OK, r#"[{"orgId":1,"name":"Main Org.","role":"Admin"}]"#);
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                answer
            })
        }),
    },
];
