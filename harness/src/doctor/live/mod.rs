//! What runs, read and never changed: Traefik's API, Authentik's discovery documents and keys, the outpost of every
//! host, versions and clocks.

mod apps;
mod ask;
mod authentik;
mod hosts;
mod traefik;

use secrecy::SecretString;

use super::examine::DoctorError;
use super::finding::Finding;
use super::subject::Subject;
use crate::stacks::{AttachOptions, attached_client};
pub(crate) use ask::Ask;
pub(crate) use authentik::pages;

/// How what runs is reached.
#[derive(Clone, Debug, Default)]
pub struct LiveOptions {
    /// Names, CAs and where Traefik's API answers.
    pub attach: AttachOptions,
    /// A token for Authentik's API.
    pub token: Option<SecretString>,
}

/// Asks what runs. With a token, what is set up in Authentik is taken for the rules where no file says it.
///
/// # Errors
/// [`DoctorError`] when the CAs cannot be read.
pub(super) async fn examine(
    subject: &mut Subject,
    options: &LiveOptions,
) -> Result<Vec<Finding>, DoctorError> {
    let ask = Ask::new(attached_client(&options.attach)?);
    let mut found = Vec::new();
    if let Some(token) = &options.token {
        found.extend(authentik::set_up(subject, &ask, token).await);
        found.extend(authentik::versions(subject, &ask, token).await);
    }
    if let Some(api) = &options.attach.traefik_api {
        found.extend(traefik::routers(subject, &ask, api).await);
    }
    found.extend(apps::discovery(subject, &ask).await);
    found.extend(hosts::outposts(subject, &ask).await);
    found.extend(hosts::clock(subject, &ask).await);
    Ok(found)
}
