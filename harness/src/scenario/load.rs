//! From files to cases: everything that can be known wrong before a stack starts is found here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use ssoproof_deployment::{Deployment, Located, Place, Problem, Source, suggestion};

use super::case::{Actor, Case, Scenario};
use super::file::{Axis, ScenarioFile};
use super::known;
use super::library::{self, LIBRARY, Used};
use super::planned::{Room, planned};
use super::scope::Scope;
use super::text::{Template, Text, TextError};
use super::trouble::{Trouble, text_problem};
use super::values::values;
use crate::steps::Step;

/// The most cases of one scenario.
const MOST_CASES: usize = 20_000;

/// The folder, anywhere under a deployment, whose files hold steps and no scenarios.
pub(super) const STEPS_FOLDER: &str = "steps";

/// What is to run, and what the library has that does not fit.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The cases.
    pub cases: Vec<Case>,
    /// Scenarios of the library that are about what the deployment has not.
    pub left_out: Vec<LeftOut>,
}

/// A scenario of a family that the deployment uses, and that does not fit the deployment.
#[derive(Debug)]
pub struct LeftOut {
    /// The folder and the id, as names of cases begin: `minio/minio-console`.
    pub scenario: String,
    /// What it says of itself.
    pub file: ScenarioFile,
    /// What the deployment lacks.
    pub reason: String,
}

/// What is wrong with scenarios, and how many cases the others give.
#[derive(Debug)]
pub struct Checked {
    /// The cases of files without a problem, and what is left out.
    pub loaded: Loaded,
    /// The first problem of every file that has one.
    pub problems: Vec<Problem>,
}

/// The cases of every scenario in `paths`: files, or folders with files in them. The folder of the deployment stands
/// for the scenarios of the library that it uses as well, and a path that begins with `library/` for those there.
///
/// # Errors
/// The first [`Problem`], in the order of the files.
pub fn load(deployment: &Deployment, paths: &[PathBuf]) -> Result<Vec<Case>, Problem> {
    read(deployment, paths).map(|loaded| loaded.cases)
}

/// The same, with what is left out of the library.
///
/// # Errors
/// As [`load`].
pub fn read(deployment: &Deployment, paths: &[PathBuf]) -> Result<Loaded, Problem> {
    let Checked { loaded, problems } = check(deployment, paths);
    match problems.into_iter().next() {
        None => Ok(loaded),
        Some(problem) => Err(problem),
    }
}

/// The cases of what `deployment` uses of the library, and what is left out.
///
/// # Errors
/// A [`Problem`] at a name that the library does not have.
pub fn read_library(deployment: &Deployment) -> Result<Loaded, Problem> {
    let mut loader = Loader::new(deployment);
    library::used(deployment)?.into_iter().try_for_each(|used| loader.file(&File::Library(used)))?;
    Ok(loader.loaded)
}

/// Gives `deployment` the promises of the library that its `cases` prove, where it has no words of its own for them.
pub fn promise(deployment: &mut Deployment, cases: &[Case]) {
    let ids = cases.iter().flat_map(|case| &case.scenario.file.requirements);
    for id in ids.map(|id| &id.value).collect::<BTreeSet<_>>() {
        if let (false, Some(text)) =
            (deployment.requirements.contains_key(id), library::requirements().get(id))
        {
            deployment.requirements.insert(id.clone(), text.clone());
        }
    }
}

/// Reads everything in `paths` whatever is wrong with some of it.
pub fn check(deployment: &Deployment, paths: &[PathBuf]) -> Checked {
    let mut loader = Loader::new(deployment);
    let mut problems = Vec::from_iter(allowed(deployment).err());
    match files(deployment, paths) {
        Ok(files) => problems.extend(files.iter().filter_map(|file| loader.file(file).err())),
        Err(problem) => problems.push(problem),
    }
    // A file with a problem has no cases, and entries may be about those.
    let whole = problems.is_empty() && paths.iter().any(|path| is_folder_of(deployment, path));
    problems.extend(known::mark(deployment, &mut loader.loaded.cases, whole).err());
    Checked { loaded: loader.loaded, problems }
}

/// Proves that what the deployment allows are verbs.
fn allowed(deployment: &Deployment) -> Result<(), Problem> {
    let Some(other) = deployment.allow.iter().find(|verb| !Step::keys().contains(&verb.as_str())) else {
        return Ok(());
    };
    let source = Source::read(&deployment.folder.join("deployment.yaml"))?;
    let problem = source.problem(other.place, format!("`{}` is no verb", **other));
    Err(problem.with_help(suggestion(other, Step::keys())))
}

/// Whether `path` is the folder of the deployment, however it is written.
fn is_folder_of(deployment: &Deployment, path: &Path) -> bool {
    *path == *deployment.folder
        || matches!((path.canonicalize(), deployment.folder.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The files below `folder` that are read as scenarios.
///
/// # Errors
/// A [`Problem`] when a folder cannot be read.
pub fn scenario_files(deployment: &Deployment, folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut found = Vec::new();
    walk(folder, &deployment.folder.join(&deployment.traefik.dynamic.value), &mut found)?;
    Ok(found)
}

/// A scenario file, and where it is.
enum File<'a> {
    Own(PathBuf),
    Library(Used<'a>),
}

/// The scenario files in `paths`, sorted within each folder.
fn files<'a>(deployment: &'a Deployment, paths: &[PathBuf]) -> Result<Vec<File<'a>>, Problem> {
    let mut found = Vec::new();
    for path in paths {
        if is_folder_of(deployment, path) {
            found.extend(library::used(deployment)?.into_iter().map(File::Library));
        }
        if path.is_dir() {
            found.extend(scenario_files(deployment, path)?.into_iter().map(File::Own));
        } else if library::holds(path) && !path.exists() {
            found.extend(library::below(path)?.into_iter().map(File::Library));
        } else {
            found.push(File::Own(path.clone()));
        }
    }
    Ok(found)
}

fn walk(folder: &Path, traefik: &Path, found: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let failed =
        |error: std::io::Error| Problem::new(format!("failed to read `{}`: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    entries.sort();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name == STEPS_FOLDER || entry == traefik {
            continue;
        }
        if entry.is_dir() {
            walk(&entry, traefik, found)?;
        } else if entry.extension().is_some_and(|extension| extension == "yaml")
            && name != "deployment.yaml"
            && name != known::EXPECTED_FAILURES
            && name != known::CAUGHT
        {
            found.push(entry);
        }
    }
    Ok(())
}

struct Loader<'a> {
    deployment: &'a Deployment,
    values: Value,
    /// The same values, as cases begin with them.
    scope: Scope,
    ids: BTreeMap<String, PathBuf>,
    loaded: Loaded,
}

/// One value of a matrix name.
struct Element {
    name: String,
    value: Value,
    /// Whether its texts may hold variables: it was written in the scenario.
    written: bool,
}

impl<'a> Loader<'a> {
    fn new(deployment: &'a Deployment) -> Self {
        let values = values(deployment);
        let scope = Scope::new(values.clone());
        Self { deployment, values, scope, ids: BTreeMap::new(), loaded: Loaded::default() }
    }

    fn file(&mut self, file: &File<'_>) -> Result<(), Problem> {
        let (source, room) = match file {
            File::Own(path) => (Source::read(path)?, Room::Files),
            File::Library(used) => (library::read(&used.path)?, Room::Library),
        };
        let file_read: ScenarioFile = source.yaml()?;
        self.names(&source, &file_read, room)?;
        let steps = planned(&source, room, &file_read.steps, None, 0)?;
        let always = planned(&source, room, &file_read.always, None, 0)?;
        if steps.is_empty() {
            return Err(source.problem(file_read.id.place, "scenario without steps"));
        }
        let scenario = Arc::new(Scenario { source, file: file_read, steps, always });
        match (self.expand(&scenario), file) {
            (Ok(cases), _) => self.loaded.cases.extend(cases),
            (Err(Trouble::Lacks { what, .. }), File::Library(used)) => {
                self.leave_out(&scenario, used, what)?
            }
            (Err(Trouble::Lacks { problem, .. }), File::Own(_)) => return Err(*problem),
            (Err(Trouble::Wrong(problem)), _) => return Err(problem),
        }
        Ok(())
    }

    /// Leaves a scenario of the library out, unless it is asked for by its name.
    fn leave_out(&mut self, scenario: &Scenario, used: &Used<'_>, what: String) -> Result<(), Problem> {
        let name = format!("{}{}", self.family(&scenario.source.path), *scenario.file.id);
        let reason = format!("the deployment has no {what}");
        if let Some(entry) = used.asked {
            let source = Source::read(&self.deployment.folder.join("deployment.yaml"))?;
            let problem = source.problem(entry.place, format!("`{name}` does not fit: {reason}"));
            return Err(problem
                .with_help(format!("use `{}` to have what fits", name.split('/').next().unwrap_or(&name))));
        }
        self.loaded.left_out.push(LeftOut { scenario: name, file: scenario.file.clone(), reason });
        Ok(())
    }

    /// Proves that ids, requirements and statements are names that exist.
    fn names(&mut self, source: &Source, file: &ScenarioFile, room: Room) -> Result<(), Problem> {
        if file.id.is_empty()
            || file.id.contains(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        {
            return Err(source.problem(file.id.place, format!("`{}` is no id", *file.id)).with_help(
                "use letters, digits and `-`; cases are called by it on the command line".to_owned(),
            ));
        }
        if let Some(other) = self.ids.insert(file.id.value.clone(), source.path.to_path_buf()) {
            let message = format!("id `{}` is taken by `{}`", *file.id, other.display());
            return Err(source.problem(file.id.place, message));
        }
        let known = |names: Vec<&String>, given: &Located<String>, what: &str| {
            if names.contains(&&given.value) {
                return Ok(());
            }
            Err(source
                .problem(given.place, format!("unknown {what} `{}`", **given))
                .with_help(suggestion(given, &names)))
        };
        let requirements = self.deployment.requirements.keys().chain(library::requirements().keys());
        let requirements: BTreeSet<&String> = requirements.collect();
        for requirement in &file.requirements {
            known(requirements.iter().copied().collect(), requirement, "requirement")?;
        }
        if file.requirements.is_empty() {
            return Err(source.problem(file.id.place, "scenario that proves no requirement"));
        }
        // What the document of another deployment says is nothing to this one.
        for statement in file.drift.iter().filter(|_| room == Room::Files) {
            known(self.deployment.statements.keys().collect(), statement, "statement")?;
        }
        Ok(())
    }

    fn expand(&self, scenario: &Arc<Scenario>) -> Result<Vec<Case>, Trouble> {
        self.given(scenario)?;
        let mut combinations: Vec<(Scope, Vec<(String, String)>)> = vec![(self.scope.clone(), Vec::new())];
        for (name, axis) in &scenario.file.matrix.0 {
            if combinations.first().is_some_and(|(scope, _)| scope.has(name)) {
                let message = format!("matrix name `{}` is taken by the deployment's values", **name);
                return Err(scenario.source.problem(name.place, message).into());
            }
            let elements = self.elements(&scenario.source, name, axis)?;
            let mut longer = Vec::with_capacity(combinations.len() * elements.len());
            for (scope, chosen) in &combinations {
                for element in &elements {
                    let value = if element.written {
                        filled(&element.value, scope)
                            .map_err(|e| text_problem(&scenario.source, axis.place, &e))?
                    } else {
                        element.value.clone()
                    };
                    let (mut scope, mut chosen) = (scope.clone(), chosen.clone());
                    scope.set(name.value.clone(), value);
                    chosen.push((name.value.clone(), element.name.clone()));
                    longer.push((scope, chosen));
                }
            }
            if longer.len() > MOST_CASES {
                let message = format!("matrix with more than {MOST_CASES} cases");
                return Err(scenario.source.problem(axis.place, message).into());
            }
            combinations = longer;
        }
        let mut ids = BTreeSet::new();
        let mut cases = Vec::with_capacity(combinations.len());
        for (scope, chosen) in combinations {
            let case = self.case(scenario, scope, chosen)?;
            if !ids.insert(case.id.clone()) {
                let message = format!("two cases called `{}`", case.id);
                return Err(scenario.source.problem(scenario.file.id.place, message).into());
            }
            cases.push(case);
        }
        Ok(cases)
    }

    /// Proves that the deployment has what the scenario is about.
    fn given(&self, scenario: &Scenario) -> Result<(), Trouble> {
        for path in &scenario.file.given {
            let steps: Vec<String> = path.split('.').map(str::to_owned).collect();
            let found = self.scope.lookup(&steps);
            let value = found.map_err(|error| text_problem(&scenario.source, path.place, &error))?;
            let nothing = match value {
                Value::Null => true,
                Value::Array(items) => items.is_empty(),
                Value::Object(fields) => fields.is_empty(),
                _ => false,
            };
            if nothing {
                let problem =
                    scenario.source.problem(path.place, format!("there is nothing in `{}`", **path));
                return Err(Trouble::Lacks { what: format!("`{}`", **path), problem: problem.into() });
            }
        }
        Ok(())
    }

    fn elements(
        &self,
        source: &Source,
        name: &Located<String>,
        axis: &Located<Axis>,
    ) -> Result<Vec<Element>, Trouble> {
        let elements = match &axis.value {
            Axis::Selector(selector) => self.selected(source, axis.place, selector)?,
            Axis::List(items) => items
                .iter()
                .map(|item| self.listed(source, axis.place, name, item))
                .collect::<Result<Vec<_>, _>>()?,
        };
        if elements.is_empty() {
            let problem = source.problem(axis.place, format!("matrix name `{}` without values", **name));
            let what = match &axis.value {
                Axis::Selector(selector) => format!("`{}`", selector.trim_end_matches(".*")),
                Axis::List(_) => return Err(problem.into()),
            };
            return Err(Trouble::Lacks { what, problem: problem.into() });
        }
        Ok(elements)
    }

    fn selected(&self, source: &Source, place: Place, selector: &str) -> Result<Vec<Element>, Trouble> {
        let path = selector.strip_suffix(".*").ok_or_else(|| {
            source
                .problem(place, format!("`{selector}` selects nothing"))
                .with_help("write a path that ends in `.*`, or a list".to_owned())
        })?;
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        let value = self.scope.lookup(&path).map_err(|error| text_problem(source, place, &error))?;
        let element = |name: String, value: &Value| Element { name, value: value.clone(), written: false };
        Ok(match value {
            Value::Object(map) => map.iter().map(|(key, value)| element(key.clone(), value)).collect(),
            Value::Array(items) => {
                items.iter().map(|item| element(item.as_str().unwrap_or_default().to_owned(), item)).collect()
            }
            _ => return Err(source.problem(place, format!("`{selector}` selects nothing")).into()),
        })
    }

    fn listed(
        &self,
        source: &Source,
        place: Place,
        axis: &Located<String>,
        item: &Value,
    ) -> Result<Element, Trouble> {
        let kind = match axis.as_str() {
            "service" => Some("forward_auth"),
            "persona" => Some("personas"),
            "app" => Some("apps"),
            _ => None,
        };
        match (item, kind) {
            (Value::String(text), Some(_)) if text.starts_with('$') => {
                let value = filled(item, &self.scope).map_err(|error| text_problem(source, place, &error))?;
                match value["name"].as_str() {
                    Some(name) => Ok(Element { name: name.to_owned(), value, written: false }),
                    None => Err(source.problem(place, format!("`{text}` is no {}", **axis)).into()),
                }
            }
            (Value::String(name), Some(kind)) => match self.values[kind].get(name) {
                Some(value) => Ok(Element { name: name.clone(), value: value.clone(), written: false }),
                None => {
                    let known: Vec<&String> =
                        self.values[kind].as_object().into_iter().flat_map(|map| map.keys()).collect();
                    let problem = source.problem(place, format!("unknown {} `{name}`", **axis));
                    let problem = problem.with_help(suggestion(name, &known));
                    Err(Trouble::Lacks { what: format!("{} `{name}`", **axis), problem: problem.into() })
                }
            },
            (Value::Object(fields), _) => match fields.get("name").and_then(Value::as_str) {
                Some(name) => Ok(Element { name: name.to_owned(), value: item.clone(), written: true }),
                None => Err(source.problem(place, "matrix value without a `name`").into()),
            },
            (Value::String(text), None) => {
                Ok(Element { name: text.clone(), value: item.clone(), written: true })
            }
            (other, None) => Ok(Element { name: other.to_string(), value: other.clone(), written: false }),
            (_, Some(_)) => Err(source.problem(place, format!("`{item}` is no name")).into()),
        }
    }

    fn case(
        &self,
        scenario: &Arc<Scenario>,
        scope: Scope,
        values: Vec<(String, String)>,
    ) -> Result<Case, Trouble> {
        let mut id = format!("{}{}", self.family(&scenario.source.path), *scenario.file.id);
        for (_, value) in &values {
            id.push('/');
            id.extend(value.chars().map(|c| if c.is_whitespace() { '-' } else { c }));
        }
        let actors = self.actors(scenario, &scope)?;
        let expect_failure = scenario.file.expect_failure.as_ref().map(|reason| reason.value.clone());
        let case = Case { id, scenario: scenario.clone(), values, scope, actors, expect_failure };
        check_steps(&case)?;
        Ok(case)
    }

    /// The folders between the deployment or the library and a scenario file, which begin the names of its cases:
    /// `logout/`.
    fn family(&self, file: &Path) -> String {
        let own = file.strip_prefix(&self.deployment.folder);
        let inside = own.or_else(|_| file.strip_prefix(LIBRARY)).ok().and_then(Path::parent);
        let folders = inside.into_iter().flat_map(Path::components);
        folders.map(|folder| format!("{}/", folder.as_os_str().to_string_lossy())).collect()
    }

    fn actors(&self, scenario: &Scenario, scope: &Scope) -> Result<Vec<Actor>, Trouble> {
        let source = &scenario.source;
        if scenario.file.actors.is_empty() {
            return Ok(vec![Actor { name: "browser".to_owned(), persona: None }]);
        }
        let actor = |(name, who): (&String, &Located<String>)| {
            let value = Text::parse(who)
                .and_then(|text| text.value(scope))
                .map_err(|error| text_problem(source, who.place, &error))?;
            let persona = match &value {
                Value::Object(persona) => persona.get("name").and_then(Value::as_str).unwrap_or_default(),
                other => other.as_str().unwrap_or_default(),
            };
            let persona = match persona {
                "anonymous" => None,
                known if self.deployment.personas.contains_key(known) => Some(known.to_owned()),
                unknown => {
                    let mut known: Vec<&str> = self.deployment.personas.keys().map(String::as_str).collect();
                    known.push("anonymous");
                    let problem = source.problem(who.place, format!("unknown persona `{unknown}`"));
                    let problem = problem.with_help(suggestion(unknown, &known));
                    return Err(Trouble::Lacks {
                        what: format!("persona `{unknown}`"),
                        problem: problem.into(),
                    });
                }
            };
            Ok(Actor { name: name.clone(), persona })
        };
        scenario.file.actors.iter().map(actor).collect()
    }
}

/// Proves that every step's actor and variables exist.
fn check_steps(case: &Case) -> Result<(), Trouble> {
    let names: Vec<&str> = case.actors.iter().map(|actor| actor.name.as_str()).collect();
    let mut saved: BTreeSet<&str> = BTreeSet::new();
    for planned in case.scenario.steps.iter().chain(&case.scenario.always) {
        let (source, step) = (&planned.source, &planned.step);
        match &step.actor {
            Some(actor) if !names.contains(&actor.as_str()) => {
                let problem = source.problem(actor.place, format!("unknown actor `{}`", **actor));
                return Err(problem.with_help(suggestion(actor, &names)).into());
            }
            None if names.len() > 1 && step.verb().is_some_and(|(_, _, verb)| verb.by_actor()) => {
                let problem = source.problem(step.place, "step without an actor");
                return Err(problem
                    .with_help(format!("write `as:` with one of `{}`", names.join("`, `")))
                    .into());
            }
            _ => {}
        }
        for (path, place) in step.parts().variables {
            let is_saved = path.first().is_some_and(|first| saved.contains(first.as_str()));
            if !is_saved {
                case.scope.lookup(&path).map_err(|error| text_problem(source, place, &error))?;
            }
        }
        saved.extend(step.save.keys().map(String::as_str));
    }
    Ok(())
}

fn filled(value: &Value, scope: &Scope) -> Result<Value, TextError> {
    let template: Template = serde_json::from_value(value.clone()).map_err(|_| TextError::Unclosed)?;
    template.value(scope)
}
