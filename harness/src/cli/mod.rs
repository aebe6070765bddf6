//! The command line.

mod args;
mod authentik;
mod check;
mod exit;
mod explain;
mod list;
mod place;
mod run;
mod schema;
mod stack;
mod threads;
mod up;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

pub use exit::Exit;
pub(crate) use place::draw;
pub(crate) use threads::worker_threads;

/// Runs the command line `arguments`, program name first, and returns what the process ends with.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = match args::Arguments::try_parse_from(arguments) {
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
        args::Command::Explain(options) => explain::explain(&options),
        args::Command::Schema => schema::print(),
        args::Command::Authentik(options) => authentik::authentik(&options),
    };
    exit.into()
}
