//! The scenarios that the program brings along, in `scenarios/library`: a deployment names those that it uses.
//!
//! A release build holds the files; a debug build reads them where they stand, so that a change needs no build.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::OnceLock;

use rust_embed::Embed;
use ssoproof_deployment::{Deployment, Located, Problem, Source, suggestion};

use super::load::STEPS_FOLDER;

/// What the paths of its files begin with, in messages and in `use:`.
pub const LIBRARY: &str = "library";
/// The file with the texts of the requirements that its scenarios prove.
const REQUIREMENTS: &str = "requirements.yaml";

#[derive(Embed)]
#[folder = "../scenarios/library"]
struct Files;

/// The file at `path`, which begins with `library/`.
pub(super) fn source(path: &Path) -> Option<Source> {
    let inside = path.strip_prefix(LIBRARY).ok()?.to_str()?;
    let file = Files::get(inside)?;
    Some(Source::inline(path.to_str()?, std::str::from_utf8(&file.data).ok()?))
}

/// The scenario at `path`.
///
/// # Errors
/// A [`Problem`] when there is none.
pub(super) fn read(path: &str) -> Result<Source, Problem> {
    source(Path::new(path)).ok_or_else(|| Problem::new(format!("the library has no `{path}`")))
}

/// The scenarios at or below `path`, in order.
///
/// # Errors
/// A [`Problem`] when there are none.
pub(super) fn below(path: &Path) -> Result<Vec<Used<'static>>, Problem> {
    let families = families();
    let all = families
        .iter()
        .flat_map(|(family, names)| names.iter().map(move |name| format!("{LIBRARY}/{family}/{name}.yaml")));
    let found: Vec<_> = all.clone().filter(|file| Path::new(file).starts_with(path)).collect();
    if found.is_empty() {
        let problem =
            Problem::new(format!("`{}` does not exist, nor does the library have it", path.display()));
        let known: Vec<String> =
            families.keys().map(|family| format!("{LIBRARY}/{family}")).chain(all).collect();
        let near = suggestion(&path.display().to_string(), &known);
        return Err(problem.with_help(near.filter(|help| help.starts_with("did you mean"))));
    }
    Ok(found.into_iter().map(|path| Used { path, asked: None }).collect())
}

/// Whether `path` names files of the library.
pub(super) fn holds(path: &Path) -> bool {
    path.starts_with(LIBRARY)
}

/// `path` below `folder`, without `.` and `..`; none when it leads out of the library.
pub(super) fn join(folder: &Path, path: &Path) -> Option<std::path::PathBuf> {
    let mut whole = std::path::PathBuf::new();
    for part in folder.components().chain(path.components()) {
        match part {
            Component::Normal(name) => whole.push(name),
            Component::CurDir => {}
            Component::ParentDir if whole.pop() => {}
            _ => return None,
        }
    }
    holds(&whole).then_some(whole)
}

/// The paths of its files that hold steps for others to use.
pub(super) fn steps() -> Vec<String> {
    let all = paths().into_iter().filter(|path| is_steps(path));
    all.map(|path| format!("{LIBRARY}/{path}")).collect()
}

fn is_steps(path: &str) -> bool {
    Path::new(path).components().any(|part| part.as_os_str() == STEPS_FOLDER)
}

/// The paths of its files, in order.
fn paths() -> Vec<String> {
    let mut paths: Vec<String> = Files::iter().map(|path| path.replace('\\', "/")).collect();
    paths.sort();
    paths
}

/// Its scenarios by family: names of files without `.yaml`, in order.
pub fn families() -> BTreeMap<String, Vec<String>> {
    let mut families: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in paths() {
        if let (Some((family, file)), false) = (path.split_once('/'), is_steps(&path))
            && let Some(name) = file.strip_suffix(".yaml")
        {
            families.entry(family.to_owned()).or_default().push(name.to_owned());
        }
    }
    families
}

/// A scenario of the library that a deployment uses.
#[derive(Clone, Debug)]
pub(super) struct Used<'a> {
    /// `library/login/login-redirect.yaml`.
    pub(super) path: String,
    /// The entry of `use:` that asks for this very scenario, and not for its family.
    pub(super) asked: Option<&'a Located<String>>,
}

/// What the `use:` of `deployment` names, in the order of the library.
///
/// # Errors
/// A [`Problem`] at the first name that is neither a family nor a scenario, with the nearest.
pub(super) fn used(deployment: &Deployment) -> Result<Vec<Used<'_>>, Problem> {
    let families = families();
    let mut found: BTreeMap<(&str, &str), Option<&Located<String>>> = BTreeMap::new();
    for entry in &deployment.used {
        match entry.split_once('/') {
            None => match families.get_key_value(entry.as_str()) {
                Some((family, names)) => {
                    for name in names {
                        found.entry((family, name)).or_default();
                    }
                }
                None => return Err(unknown(deployment, entry, "family of scenarios", &families)?),
            },
            Some((family, name)) => {
                let known = families.get_key_value(family);
                let known =
                    known.and_then(|(family, names)| Some((family, names.iter().find(|one| *one == name)?)));
                match known {
                    Some((family, name)) => found.insert((family, name), Some(entry)),
                    None => return Err(unknown(deployment, entry, "scenario", &families)?),
                };
            }
        }
    }
    let used = found
        .into_iter()
        .map(|((family, name), asked)| Used { path: format!("{LIBRARY}/{family}/{name}.yaml"), asked });
    Ok(used.collect())
}

fn unknown(
    deployment: &Deployment,
    entry: &Located<String>,
    what: &str,
    families: &BTreeMap<String, Vec<String>>,
) -> Result<Problem, Problem> {
    let names: Vec<String> = match entry.split_once('/') {
        None => families.keys().cloned().collect(),
        Some((family, _)) => {
            let whole = |(family, names): (&String, &Vec<String>)| -> Vec<String> {
                names.iter().map(|name| format!("{family}/{name}")).collect()
            };
            let own = families.get_key_value(family);
            own.map_or_else(|| families.iter().flat_map(whole).collect(), whole)
        }
    };
    let source = Source::read(&deployment.folder.join("deployment.yaml"))?;
    let near = suggestion(entry, &names).filter(|help| names.len() < 40 || help.starts_with("did you mean"));
    Ok(source.problem(entry.place, format!("the library has no {what} `{}`", **entry)).with_help(near))
}

/// What its scenarios prove, by id.
pub fn requirements() -> &'static BTreeMap<String, String> {
    static REQUIRED: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    REQUIRED.get_or_init(|| {
        let source = source(&Path::new(LIBRARY).join(REQUIREMENTS));
        source.and_then(|source| source.yaml().ok()).unwrap_or_default()
    })
}
