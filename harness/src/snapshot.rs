//! Snapshots of what cases do, kept by `insta`, with a difference of our own in the failure.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

use similar::{ChangeTag, TextDiff};

/// The most lines of a difference that are shown.
const LINES: usize = 60;

/// Compares `text` with the snapshot `name` in `folder`; a new or other one is handed to `insta`, which does what
/// `INSTA_UPDATE` says.
///
/// # Errors
/// The difference, line by line, when they are not the same.
pub(crate) fn compare(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    // `insta` counts a relative folder from the source file, a test from its package.
    let folder = &std::path::absolute(folder).map_err(|error| error.to_string())?;
    let file_name = name.replace('/', "__");
    let path = folder.join(format!("{file_name}.snap"));
    let stored = std::fs::read_to_string(&path).ok().map(|whole| contents(&whole).to_owned());
    if stored.as_deref().map(str::trim_end) == Some(text.trim_end()) {
        return Ok(());
    }
    quiet_panics();
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let asserted = panic::catch_unwind(AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(file_name.as_str(), text));
    }));
    if asserted.is_ok() {
        return Ok(());
    }
    Err(match stored {
        None => format!("there is no snapshot `{}` yet: run with `INSTA_UPDATE=always`", path.display()),
        Some(stored) => {
            let difference = difference(&stored, text);
            format!(
                "the hops differ from `{}`\n(`INSTA_UPDATE=always` takes them over)\n{difference}",
                path.display()
            )
        }
    })
}

/// What stands behind the header of a snapshot file.
fn contents(whole: &str) -> &str {
    whole
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .map_or(whole, |(_, contents)| contents)
}

fn difference(stored: &str, text: &str) -> String {
    let diff = TextDiff::from_lines(stored.trim_end(), text.trim_end());
    let mut out = String::new();
    let mut lines = 0;
    for group in diff.grouped_ops(2) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            lines += 1;
            if lines > LINES {
                out.push_str("  …\n");
                return out;
            }
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            out.push(sign);
            out.push_str(change.value().trim_end_matches('\n'));
            out.push('\n');
        }
    }
    out
}

/// `insta` tells of a difference by a panic, whose message would stand between the tests; ours is in the failure.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let text = info.payload_as_str().unwrap_or_default();
            if !text.contains("snapshot assertion") {
                usual(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_both_lines() {
        assert_eq!(difference("a\nb\nc\n", "a\nx\nc\n"), " a\n-b\n+x\n c\n");
    }

    #[test]
    fn the_header_of_a_snapshot_is_no_content() {
        assert_eq!(contents("---\nsource: x\n---\nhello\n"), "hello\n");
    }
}
