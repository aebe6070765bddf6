//! The steps of a scenario with `use` replaced by the steps of the file it names.

use std::path::Path;

use ssoproof_deployment::{Located, Place, Problem, Source, suggestion};

use super::case::PlannedStep;
use super::file::StepsFile;
use super::library;
use crate::steps::{Step, Use};

/// How deep files of steps may use one another.
const DEEPEST_USE: usize = 8;

/// Where a file is, and where the files are that it uses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Files,
    Library,
}

/// The steps with `use` replaced by what it names.
pub(super) fn planned(
    source: &Source,
    room: Room,
    steps: &[Located<Step>],
    used_at: Option<Place>,
    depth: usize,
) -> Result<Vec<PlannedStep>, Problem> {
    let mut planned_steps = Vec::new();
    for step in steps {
        step.check(source, step.place)?;
        let Some(used) = &step.use_file else {
            planned_steps.push(PlannedStep { source: source.clone(), step: step.clone(), used_at });
            continue;
        };
        if depth == DEEPEST_USE {
            return Err(source.problem(used.place, "files of steps use one another without end"));
        }
        let (inner, room) = steps_file(source, room, used)?;
        let file: StepsFile = inner.yaml()?;
        planned_steps.extend(planned(&inner, room, &file.steps, used_at.or(Some(used.place)), depth + 1)?);
    }
    Ok(planned_steps)
}

/// The file that a `use` names: relative to the one it stands in, or in the library when it begins with `library/`.
fn steps_file(source: &Source, room: Room, used: &Located<Use>) -> Result<(Source, Room), Problem> {
    let (path, folder) = (&used.value.0, source.path.parent().unwrap_or(Path::new("")));
    if room == Room::Library || library::holds(path) {
        let folder = if library::holds(path) { Path::new("") } else { folder };
        let found = library::join(folder, path).and_then(|path| library::source(&path));
        return found.map(|inner| (inner, Room::Library)).ok_or_else(|| {
            let problem =
                source.problem(used.place, format!("the library has no steps `{}`", path.display()));
            problem.with_help(suggestion(&path.display().to_string(), &library::steps()))
        });
    }
    let path = folder.join(path);
    if !path.is_file() {
        return Err(source.problem(used.place, format!("`{}` does not exist", path.display())));
    }
    Ok((Source::read(&path)?, Room::Files))
}
