//! A folder as seen from another.

use std::path::{Path, PathBuf};

/// The way from the folder `from` to `to`, both whole; `to` itself where they share nothing.
pub(super) fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    if shared == 0 {
        return to.to_owned();
    }
    let up = from.components().skip(shared).map(|_| "..");
    let down = to.components().skip(shared).map(|part| part.as_os_str());
    let way: PathBuf = up.map(std::ffi::OsStr::new).chain(down).collect();
    if way.as_os_str().is_empty() { PathBuf::from(".") } else { way }
}

/// `path` from the root and without links, as far as it is there: a folder may be about to be made.
///
/// # Errors
/// When the folder that this process is in cannot be found.
pub(super) fn from_root(path: &Path) -> std::io::Result<PathBuf> {
    let whole = std::path::absolute(path)?;
    let found = whole.ancestors().find_map(|there| Some((there, there.canonicalize().ok()?)));
    Ok(found.map_or_else(
        || whole.clone(),
        |(there, real)| real.join(whole.strip_prefix(there).unwrap_or(Path::new(""))),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_goes_up_and_down() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to)).display().to_string();
        assert_eq!(way("/a/sso", "/a/traefik/dynamic"), "../traefik/dynamic");
        assert_eq!(way("/a", "/a/traefik"), "traefik");
        assert_eq!(way("/a/b", "/a/b"), ".");
        assert_eq!(way("/a/b/c", "/a"), "../..");
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_found_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("a")).unwrap();
        std::os::unix::fs::symlink(root.join("a"), root.join("link")).unwrap();
        assert_eq!(from_root(&root.join("link/../link/b/c")).unwrap(), root.join("a/b/c"));
    }
}
