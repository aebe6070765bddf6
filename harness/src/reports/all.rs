//! Every report of a run, fed with one stream of events.

use std::io::Write as _;
use std::path::Path;

use ssoproof_deployment::Problem;

use super::json::Json;
use super::junit::Junit;
use super::terminal::Terminal;
use crate::runner::Event;

/// The reports of one run.
pub struct Reports {
    terminal: Terminal,
    json: Option<Json>,
    junit: Option<Junit>,
}

impl Reports {
    /// The terminal, and the files that are named. The files are opened here, so that a wrong name is known
    /// before anything runs; they can be read by their owner only.
    ///
    /// # Errors
    /// A [`Problem`] when a file cannot be written.
    pub fn new(json: Option<&Path>, junit: Option<&Path>) -> Result<Self, Problem> {
        Ok(Self {
            terminal: Terminal::new(),
            json: json.map(|path| private_file(path).map(Json::new)).transpose()?,
            junit: junit.map(|path| private_file(path).map(Junit::new)).transpose()?,
        })
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        self.terminal.take(event);
        if let Some(json) = &mut self.json {
            json.take(event);
        }
        if let Some(junit) = &mut self.junit {
            junit.take(event);
        }
    }

    /// Completes the files.
    ///
    /// # Errors
    /// A [`Problem`] when one could not be written.
    pub fn finish(self) -> Result<(), Problem> {
        let written = |result: std::io::Result<()>, what: &str| {
            result.map_err(|error| Problem::new(format!("failed to write the {what} report: {error}")))
        };
        if let Some(json) = self.json {
            written(json.finish(), "JSON")?;
        }
        if let Some(junit) = self.junit {
            written(junit.finish(), "JUnit")?;
        }
        Ok(())
    }
}

/// Writes `text` to a file that its owner alone can read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Problem> {
    let failed =
        |error: std::io::Error| Problem::new(format!("failed to write `{}`: {error}", path.display()));
    private_file(path)?.write_all(text.as_bytes()).map_err(failed)
}

fn private_file(path: &Path) -> Result<std::fs::File, Problem> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| Problem::new(format!("failed to write `{}`: {error}", path.display())))
}
