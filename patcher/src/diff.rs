//! What would change, as people read it.

use std::path::Path;

/// The unified diff from `old` to `new`, both texts of the file at `path`; empty when they are the same.
pub fn unified(path: &Path, old: &str, new: &str) -> String {
    let name = path.display().to_string();
    similar::TextDiff::from_lines(old, new).unified_diff().context_radius(3).header(&name, &name).to_string()
}
