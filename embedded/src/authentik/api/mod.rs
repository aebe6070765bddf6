//! The REST API, version 3: one file per resource, one line each in [`RESOURCES`].

mod applications;
mod bindings;
mod call;
mod collection;
mod fields;
mod flows;
mod groups;
mod key_pairs;
mod mappings;
mod outposts;
mod providers;
mod refusal;
mod routes;
mod sessions;
mod system;
mod tokens;
mod users;

use call::Call;
use collection::{Answered, edit, read};

pub(crate) use call::extended;
pub(crate) use routes::routes;

/// A resource: its path and what answers below it.
type Resource = (&'static str, fn(&Call<'_>, &[&str]) -> Answered);

const RESOURCES: &[Resource] = &[
    ("admin/version", system::version),
    ("core/applications", edit::<applications::Applications>),
    ("core/authenticated_sessions", read::<sessions::Sessions>),
    ("core/brands/current", system::brand),
    ("core/groups", edit::<groups::Groups>),
    ("core/tokens", edit::<tokens::Tokens>),
    ("core/users", edit::<users::Users>),
    ("crypto/certificatekeypairs", edit::<key_pairs::KeyPairs>),
    ("flows/instances", read::<flows::Flows>),
    ("outposts/instances", edit::<outposts::Outposts>),
    ("policies/bindings", edit::<bindings::Bindings>),
    ("propertymappings/provider/scope", edit::<mappings::ScopeMappings>),
    ("providers/all", read::<providers::all::AllProviders>),
    ("providers/oauth2", edit::<providers::oauth2::OAuth2Providers>),
    ("providers/proxy", edit::<providers::proxy::ProxyProviders>),
    ("root/config", system::config),
];
