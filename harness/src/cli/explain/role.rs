//! `ssoproof explain role`.

use std::collections::BTreeMap;

use clap::Args;
use ssoproof_embedded::grafana::role::{Role, RoleSettings, Sources};

use super::super::args::Which;
use super::super::exit::Exit;
use super::super::place;
use crate::explain::input;
use crate::explain::role::{self, OrgQuestion, RoleQuestion};

/// The arguments of `explain role`.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The id token or its claims: a JWT, or JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    claims: Option<String>,
    /// What the userinfo endpoint answered.
    #[arg(long, value_name = "FILE")]
    userinfo: Option<String>,
    /// The access token or its claims, which Grafana 12 and later asks last.
    #[arg(long, value_name = "FILE")]
    access_token: Option<String>,
    /// role_attribute_path; the deployment's when left out.
    #[arg(long, value_name = "EXPRESSION")]
    expression: Option<String>,
    /// role_attribute_strict; the deployment's when no expression is given.
    #[arg(long)]
    strict: bool,
    /// allow_assign_grafana_admin.
    #[arg(long)]
    allow_assign_grafana_admin: bool,
    /// auto_assign_org_role.
    #[arg(long, value_name = "ROLE", default_value = "Viewer", value_parser = role_name)]
    auto_assign_org_role: Role,
    /// skip_org_role_sync.
    #[arg(long)]
    skip_org_role_sync: bool,
    /// An entry of org_mapping, `group:organisation:role`; may be given more than once.
    #[arg(long, value_name = "ENTRY")]
    org_mapping: Vec<String>,
    /// org_attribute_path: where the names that org_mapping maps stand.
    #[arg(long, value_name = "EXPRESSION", default_value = "groups", requires = "org_mapping")]
    org_attribute_path: String,
    /// The organisations there are, besides `Main Org.` with the id 1, as `ID=NAME`; may be given more than once.
    #[arg(long, value_name = "ID=NAME", value_parser = organisation, requires = "org_mapping")]
    organisation: Vec<(i64, String)>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

fn role_name(text: &str) -> Result<Role, String> {
    Role::from_name(text).ok_or_else(|| "roles are None, Viewer, Editor and Admin".to_owned())
}

fn organisation(text: &str) -> Result<(i64, String), String> {
    let (id, name) = text.split_once('=').ok_or("write ID=NAME")?;
    Ok((id.parse().map_err(|_| format!("`{id}` is no id"))?, name.to_owned()))
}

/// Explains the role.
pub(super) fn explain(options: &Options) -> Exit {
    let (expression, strict) = match &options.expression {
        Some(expression) => (expression.clone(), options.strict),
        None => match place::deployment(&options.which) {
            Ok(deployment) => match &deployment.apps.grafana {
                Some(grafana) => {
                    (grafana.role_attribute_path.to_string(), options.strict || grafana.role_attribute_strict)
                }
                None => (String::new(), options.strict),
            },
            Err(problem) => {
                place::complain(problem.with_help("or give the expression with `--expression`".to_owned()));
                return Exit::Parse;
            }
        },
    };
    let read = |name: &Option<String>| name.as_deref().map(input::claims).transpose();
    let sources = read(&options.claims).and_then(|id_token| {
        Ok(Sources {
            id_token,
            userinfo: read(&options.userinfo)?,
            access_token: read(&options.access_token)?,
        })
    });
    let sources = match sources {
        Ok(sources) => sources,
        Err(error) => return super::unreadable(&error),
    };
    let settings = RoleSettings {
        attribute_path: expression,
        strict,
        allow_assign_grafana_admin: options.allow_assign_grafana_admin,
        skip_org_role_sync: options.skip_org_role_sync,
        auto_assign_org_role: options.auto_assign_org_role,
    };
    let mut known = BTreeMap::from([("Main Org.".to_owned(), 1)]);
    known.extend(options.organisation.iter().map(|(id, name)| (name.clone(), *id)));
    let orgs = (!options.org_mapping.is_empty()).then(|| OrgQuestion {
        entries: options.org_mapping.clone(),
        attribute_path: options.org_attribute_path.clone(),
        known,
    });
    super::print(&role::explain(&RoleQuestion { settings, sources, orgs }), options.json)
}
