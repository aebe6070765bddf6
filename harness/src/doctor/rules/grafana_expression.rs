//! DOC-G01 to DOC-G04: the expression that gives Grafana's roles.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};
use ssoproof_embedded::grafana::role::Sources;

use super::Rule;
use crate::doctor::claims::{User, users};
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::grafana::GrafanaSettings;
use crate::doctor::proof::Proof;
use crate::doctor::subject::Subject;
use crate::explain::Advice;
use crate::explain::role::{self, RoleExplanation, RoleQuestion};

const EXPRESSION: Code = Code {
    id: "DOC-G01",
    title: "Grafana's role expression does not do what it should",
    diagnosis: Some("SSO-G01"),
};
const OTHER_ROLE: Code =
    Code { id: "DOC-G02", title: "Grafana gives another role than promised", diagnosis: Some("SSO-G01") };
const MASKED: Code = Code {
    id: "DOC-G03",
    title: "The expression's default hides the groups that only userinfo has",
    diagnosis: Some("SSO-G03"),
};
const IN_VAIN: Code = Code {
    id: "DOC-G04",
    title: "role_attribute_strict is in vain: the default gives everybody a role",
    diagnosis: None,
};

/// Mistakes that leave the expression without the role it is meant to give.
const BROKEN: [&str; 8] = [
    "syntax-error",
    "never-a-role",
    "double-quotes",
    "backticks",
    "precedence",
    "default-first",
    "unknown-role",
    "claim-missing",
];

pub(super) struct GrafanaExpression;

impl Rule for GrafanaExpression {
    fn codes(&self) -> &'static [&'static Code] {
        &[&EXPRESSION, &OTHER_ROLE, &MASKED, &IN_VAIN]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(grafana) = &subject.grafana else { return };
        let Some(expression) = &grafana.expression else { return };
        let explained: Vec<(User, RoleExplanation)> = users(subject, &literals(&expression.value))
            .into_iter()
            .map(|user| {
                let explanation = role::explain(&question(subject, grafana, &user));
                (user, explanation)
            })
            .collect();
        let wrong: Vec<String> = explained
            .iter()
            .filter_map(|(user, explanation)| {
                let wanted = user.role.as_ref()?;
                let got = explanation.role.map(|role| role.name());
                (got != Some(wanted.as_str()))
                    .then(|| format!("{} gets {} instead of {wanted}", user.name, explanation.verdict))
            })
            .collect();
        let mut advice: BTreeMap<&str, (&User, &RoleExplanation, &Advice)> = BTreeMap::new();
        for (user, explanation) in &explained {
            for one in &explanation.advice {
                advice.entry(one.rule).or_insert((user, explanation, one));
            }
        }
        // Groups that are missing in the first source show in more than one way.
        let masked =
            ["masks-userinfo", "default-after-error"].into_iter().find(|rule| advice.contains_key(rule));
        if let Some(masked) = masked {
            advice.retain(|rule, _| {
                *rule == masked || !["default-after-error", "claim-missing"].contains(rule)
            });
        }
        let found = into.len();
        for (rule, (user, explanation, advice)) in &advice {
            let code = match *rule {
                "masks-userinfo" | "default-after-error" => &MASKED,
                "strict-in-vain" => &IN_VAIN,
                _ => &EXPRESSION,
            };
            let severe = !wrong.is_empty() || BROKEN.contains(rule) && subject.stated.is_none();
            let severity = if severe && code.id != IN_VAIN.id { Severity::Error } else { Severity::Warning };
            let answer = if wrong.is_empty() {
                format!("{}: {}", user.name, explanation.verdict)
            } else {
                wrong.join("; ")
            };
            let proof = Proof::Evaluated { question: asked(user), answer };
            into.push(
                Finding::new(code, severity, expression.at.clone(), advice.what.clone(), proof)
                    .because("Grafana takes the first source whose search gives a role, and gives the default role without one")
                    .fix(advice.help.clone()),
            );
        }
        if found == into.len() && !wrong.is_empty() {
            let proof = Proof::Evaluated {
                question: "the claims of every persona".to_owned(),
                answer: wrong.join("; "),
            };
            into.push(
                Finding::new(&OTHER_ROLE, Severity::Error, expression.at.clone(), wrong.join("; "), proof)
                    .because("the deployment promises the role")
                    .fix("`ssoproof explain role` shows which arm decides for which claims"),
            );
        }
    }
}

fn asked(user: &User) -> String {
    format!("the claims of {} with the groups {}", user.name, json!(user.groups))
}

/// What Grafana is shown for `user`.
fn question(subject: &Subject, grafana: &GrafanaSettings, user: &User) -> RoleQuestion {
    let everything = ["openid", "profile", "email"];
    let claims = user.claims("grafana", &everything);
    let in_token =
        subject.blueprint.as_ref().is_none_or(|known| known.tells_in_id_token(subject.grafana_client()));
    let id_token = if in_token { claims.clone() } else { user.claims("grafana", &["openid"]) };
    RoleQuestion {
        settings: grafana.role.clone(),
        sources: Sources {
            id_token: Some(Value::Object(id_token)),
            userinfo: Some(Value::Object(claims)),
            access_token: None,
        },
        orgs: None,
    }
}

/// The texts in single quotes that are no roles: groups that the expression asks for.
fn literals(expression: &str) -> Vec<String> {
    let roles = ["None", "Viewer", "Editor", "Admin", "GrafanaAdmin"];
    let Ok(quoted) = Regex::new("'([^']*)'") else { return Vec::new() };
    let texts = quoted.captures_iter(expression).filter_map(|found| Some(found.get(1)?.as_str().to_owned()));
    texts.filter(|text| !roles.contains(&text.as_str())).collect()
}
