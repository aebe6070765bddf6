//! Finding and reading the deployment and its scenarios.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme};
use ssoproof_deployment::{Deployment, Drawn, Problem};

use super::args::{Chosen, Files, Which};
use super::exit::Exit;
use crate::reports::{colours_on_stderr, err, write_private};
use crate::runner::Selection;
use crate::scenario::{self, Case};

/// The deployment that is named, or the only one there is.
pub(super) fn deployment(which: &Which) -> Result<Deployment, Problem> {
    match &which.deployment {
        Some(path) => Deployment::load(path),
        None => Deployment::load(&only_one(Path::new("."))?),
    }
}

/// The deployment of `files`: the one that is named, else the one in a folder that is, else the only one there is.
pub(super) fn deployment_of(files: &Files) -> Result<Deployment, Problem> {
    let named = files.paths.iter().find(|path| path.join("deployment.yaml").is_file());
    match (&files.which.deployment, named) {
        (None, Some(folder)) => Deployment::load(folder),
        _ => deployment(&files.which),
    }
}

/// Where the scenarios are: as given, or beside the deployment.
pub(super) fn paths(files: &Files, deployment: &Deployment) -> Vec<PathBuf> {
    if files.paths.is_empty() { vec![deployment.folder.clone()] } else { files.paths.clone() }
}

/// The deployment and the chosen cases of it.
pub(super) fn chosen(chosen: &Chosen) -> Result<(Deployment, Vec<Arc<Case>>), Problem> {
    let mut deployment = deployment_of(&chosen.files)?;
    let cases = cases(&mut deployment, chosen)?;
    Ok((deployment, cases))
}

/// The deployment and the chosen cases of it, at least one.
///
/// # Errors
/// What the process ends with, once it was complained.
pub(super) fn some_chosen(of: &Chosen) -> Result<(Deployment, Vec<Arc<Case>>), Exit> {
    let (deployment, cases) = chosen(of).map_err(|problem| refuse(problem, Exit::Parse))?;
    if cases.is_empty() {
        return Err(none_selected());
    }
    Ok((deployment, cases))
}

/// Says what a stack that others use is waited for.
pub(super) fn waiting() {
    err("waiting for another run that uses this stack\n");
}

/// Complains that there is no case to run.
pub(super) fn none_selected() -> Exit {
    let help = "`ssoproof list` shows them all".to_owned();
    refuse(Problem::new("no case is selected").with_help(help), Exit::NothingSelected)
}

/// The chosen cases of `deployment`, which gets the promises that scenarios of the library prove here.
pub(super) fn cases(deployment: &mut Deployment, chosen: &Chosen) -> Result<Vec<Arc<Case>>, Problem> {
    let cases = scenario::load(deployment, &paths(&chosen.files, deployment))?;
    scenario::promise(deployment, &cases);
    let selection = selection(chosen);
    Ok(cases.into_iter().filter(|case| selection.takes(case)).map(Arc::new).collect())
}

/// What is chosen by name, tag and requirement.
pub(super) fn selection(chosen: &Chosen) -> Selection {
    Selection {
        filters: chosen.filter.clone(),
        tags: chosen.tag.clone(),
        requirements: chosen.requirement.clone(),
    }
}

/// The only deployment in `folder` or under its `scenarios/`.
pub(super) fn only_one(folder: &Path) -> Result<PathBuf, Problem> {
    let here = folder.join("deployment.yaml");
    if here.is_file() {
        return Ok(here);
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder.join("scenarios"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("deployment.yaml")))
        .filter(|file| file.is_file())
        .map(|file| file.strip_prefix(".").map(Path::to_owned).unwrap_or(file))
        .collect();
    found.sort();
    if found.len() < 2 {
        return found.pop().ok_or_else(|| {
            Problem::new("no `deployment.yaml` here or under `scenarios/`")
                .with_help("name it with `--deployment PATH`; `ssoproof init` writes one".to_owned())
        });
    }
    let mut usual = Vec::new();
    for file in &found {
        if Deployment::load(file)?.default {
            usual.push(file.clone());
        }
    }
    match usual.as_slice() {
        [one] => Ok(one.clone()),
        several => {
            let what = if several.is_empty() {
                "none says `default: true`"
            } else {
                "more than one says `default: true`"
            };
            let problem = Problem::new(format!("more than one deployment under `scenarios/`, and {what}"));
            Err(problem.with_help("choose one with `--deployment PATH`".to_owned()))
        }
    }
}

/// Complains, and says what the process ends with.
pub(super) fn refuse(problem: Problem, exit: Exit) -> Exit {
    complain(problem);
    exit
}

/// Writes the report that `text` makes to the file at `path`, when one is asked for.
///
/// # Errors
/// What the process ends with, once it was complained.
pub(super) fn write_report(path: Option<&Path>, text: impl FnOnce() -> String) -> Result<(), Exit> {
    let Some(path) = path else { return Ok(()) };
    write_private(path, &text()).map_err(|problem| refuse(problem, Exit::Internal))
}

/// Shows a problem with its source line on standard error.
pub(super) fn complain(problem: Problem) {
    err(&draw(problem, colours_on_stderr()));
}

/// A problem with its source line, a caret and its help.
pub(crate) fn draw(problem: Problem, colours: bool) -> String {
    let theme = if colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(120).with_context_lines(1);
    match handler.render_report(&mut text, &Drawn::from(problem)) {
        Ok(()) => text,
        Err(_) => "the report could not be written".to_owned(),
    }
}
