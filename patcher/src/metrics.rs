//! Counters of the watch, in the text format of Prometheus.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

/// What the watch has done since it started.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Files that got the middleware.
    pub files: u64,
    /// Routers that got it.
    pub routers: u64,
    /// Tries that failed.
    pub failures: u64,
    /// Files that are left without, because they cannot be read, patched or written.
    pub left: u64,
    /// From the first news of a change until the new file was in place: the last one, the longest, all.
    pub delay: [Duration; 3],
    /// When the folder was last looked through, in seconds since 1970.
    pub looked: f64,
}

impl Metrics {
    pub(crate) fn patched(&mut self, routers: usize, delay: Option<Duration>) {
        self.files += 1;
        self.routers += routers as u64;
        let delay = delay.unwrap_or_default();
        let [_, longest, all] = self.delay;
        self.delay = [delay, longest.max(delay), all + delay];
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let [last, longest, all] = self.delay.map(|delay| delay.as_secs_f64());
        let rows: [(&str, &str, &str, f64); 8] = [
            ("patched_files_total", "counter", "Files that got the middleware.", self.files as f64),
            ("patched_routers_total", "counter", "Routers that got the middleware.", self.routers as f64),
            ("failures_total", "counter", "Tries that failed.", self.failures as f64),
            ("left_files", "gauge", "Files that cannot be read, patched or written now.", self.left as f64),
            ("delay_seconds_total", "counter", "From news of changes until new files were in place.", all),
            ("delay_last_seconds", "gauge", "The same, of the last file.", last),
            ("delay_longest_seconds", "gauge", "The same, of the slowest file.", longest),
            ("looked_timestamp_seconds", "gauge", "When the folder was last looked through.", self.looked),
        ];
        let mut text = String::new();
        for (name, kind, help, value) in rows {
            let name = format!("ssoproof_traefik_patch_{name}");
            // A string takes everything.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
        text
    }

    /// Writes the text to the file at `path`, whole or not at all, for the text file collector.
    ///
    /// # Errors
    /// When the file beside it cannot be written or moved.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(self.text().as_bytes())?;
        std::fs::rename(&beside, path)
    }
}
