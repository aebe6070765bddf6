//! `ssoproof traefik`: tools for the files of Traefik's file provider.

mod patch;

use clap::{Args, Subcommand};

use super::exit::Exit;

/// The arguments of `traefik`.
#[derive(Clone, Debug, Args)]
pub(super) struct TraefikOptions {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Put the forward auth middleware on every router that should have it, once or whenever a file changes.
    Patch(Box<patch::Options>),
}

/// Does what is asked.
pub(super) fn traefik(options: &TraefikOptions) -> Exit {
    match &options.what {
        What::Patch(options) => patch::patch(options),
    }
}
