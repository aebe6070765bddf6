//! `ssoproof explain loop`.

use clap::Args;

use super::super::exit::Exit;
use crate::explain::{input, loops};
use crate::reports::out;

/// The arguments of `explain loop`.
#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// A HAR of a browser, or the JSON that `ssoproof run --json` writes; `-` reads standard input.
    file: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Explains every trail of the recording: 0 when none goes round, 100 when one does, 3 when it cannot be read.
pub(super) fn explain(options: &Options) -> Exit {
    let text = match input::text(&options.file) {
        Ok(text) => text,
        Err(error) => return super::unreadable(&error),
    };
    let trails = match loops::read(&text) {
        Ok(trails) => trails,
        Err(what) => return super::misshapen(&options.file, &what),
    };
    let explained: Vec<loops::LoopExplanation> = trails.iter().map(loops::explain).collect();
    let printed = if options.json {
        serde_json::to_string_pretty(&explained).map_or(Exit::Internal, |text| out(&format!("{text}\n")))
    } else {
        out(&explained.iter().map(ToString::to_string).collect::<String>())
    };
    match printed {
        Exit::Ok if explained.iter().any(|each| each.found.is_some()) => Exit::CaseFailed,
        other => other,
    }
}
