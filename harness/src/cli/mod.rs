//! The command line.

mod args;
mod authentik;
mod check;
mod diff;
mod displayed;
mod doctor;
mod exit;
mod explain;
mod faults;
mod init;
mod list;
mod place;
mod run;
mod schema;
mod stack;
mod threads;
mod traefik;
mod up;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _};

pub use exit::Exit;
pub(crate) use place::draw;
pub(crate) use stack::choice_of_environment;
pub(crate) use threads::worker_threads;
pub(crate) use up::held;

/// Runs the command line `arguments`, program name first, and returns what the process ends with.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = match parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            // Nothing is left to tell it to when even this cannot be written.
            let _ = error.print();
            return exit.into();
        }
    };
    let exit = match parsed.command {
        args::Command::Run(options) => run::run(&options),
        args::Command::Up(options) => up::up(&options),
        args::Command::Down(options) => up::down(&options),
        args::Command::Status(which) => up::status(&which),
        args::Command::Hold(options) => up::hold(&options),
        args::Command::List(options) => list::list(&options),
        args::Command::Check(options) => check::check(&options),
        args::Command::Faults(options) => faults::faults(&options),
        args::Command::Diff(options) => diff::diff(&options),
        args::Command::Init(options) => init::init(&options),
        args::Command::Doctor(options) => doctor::doctor(&options),
        args::Command::Explain(options) => explain::explain(&options),
        args::Command::Schema => schema::print(),
        args::Command::Traefik(options) => traefik::traefik(&options),
        args::Command::Authentik(options) => authentik::authentik(&options),
    };
    exit.into()
}

/// Reads the arguments. One that is typed for a stack of another kind is an error, since it would do nothing; a
/// variable that is set for all of them is not.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<args::Arguments, clap::Error> {
    let mut command = args::Arguments::command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    let parsed = args::Arguments::from_arg_matches(&matches)?;
    if let (args::Command::Run(options), Some(("run", given))) = (&parsed.command, matches.subcommand())
        && let Some((name, kind)) = options.stack.misplaced(given)
    {
        let message = format!("`--{name}` is for `--stack {kind}`");
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    Ok(parsed)
}
