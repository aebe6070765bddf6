//! A folder of Traefik files that a fault edits.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use ssoproof_deployment::traefik::{dynamic_files, unqualified};
use ssoproof_deployment::{Deployment, Problem, Source};

/// The files below a folder, as trees. They are written as JSON, which is YAML as well; those that were TOML in a YAML
/// file that takes their place.
pub struct Files {
    trees: BTreeMap<PathBuf, Value>,
    raw: BTreeMap<PathBuf, String>,
    /// The files that others take the place of.
    replaced: Vec<PathBuf>,
}

/// Why a folder could not be edited.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file does not parse.
    #[error(transparent)]
    Parse(#[from] Problem),
    /// A file could not be written.
    #[error("failed to write `{path}`: {error}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl Files {
    /// Reads every file below `folder`.
    ///
    /// # Errors
    /// [`FilesError::Parse`].
    pub fn read(folder: &Path) -> Result<Self, FilesError> {
        let (mut trees, mut replaced) = (BTreeMap::new(), Vec::new());
        for path in dynamic_files(folder)? {
            let source = Source::read(&path)?;
            if path.extension().is_some_and(|extension| extension == "toml") {
                let tree = toml::from_str(&source.text);
                let tree = tree.map_err(|error| Problem::new(format!("`{}`: {error}", path.display())))?;
                trees.insert(path.with_added_extension("yml"), tree);
                replaced.push(path);
            } else {
                let tree = source.yaml::<Value>()?;
                trees.insert(path, tree);
            }
        }
        Ok(Self { trees, raw: BTreeMap::new(), replaced })
    }

    /// Writes what was read and changed.
    ///
    /// # Errors
    /// [`FilesError::Write`].
    pub fn write(&self) -> Result<(), FilesError> {
        let trees = self.trees.iter().map(|(path, tree)| (path, format!("{tree:#}\n")));
        let raw = self.raw.iter().map(|(path, text)| (path, text.clone()));
        let failed = |path: &PathBuf, error| FilesError::Write { path: path.clone(), error };
        for (path, text) in trees.chain(raw) {
            std::fs::write(path, text).map_err(|error| failed(path, error))?;
        }
        self.replaced
            .iter()
            .try_for_each(|path| std::fs::remove_file(path).map_err(|error| failed(path, error)))
    }

    /// The definition of `name`, with its provider or without, among the `kind`: `routers`, `middlewares`, `services`.
    pub fn definition(&mut self, kind: &str, name: &str) -> Option<&mut Map<String, Value>> {
        let name = unqualified(name);
        self.trees
            .values_mut()
            .find_map(|tree| tree.get_mut("http")?.get_mut(kind)?.get_mut(name)?.as_object_mut())
    }

    /// What the middleware that protects services asks.
    pub fn forward_auth(&mut self, deployment: &Deployment) -> Option<&mut Map<String, Value>> {
        let middleware = self.definition("middlewares", &deployment.traefik.middleware)?;
        middleware.get_mut("forwardAuth")?.as_object_mut()
    }

    /// Makes that middleware ask `address`.
    pub fn ask(&mut self, deployment: &Deployment, address: String) -> bool {
        let asked = self.forward_auth(deployment);
        asked.map(|auth| auth.insert("address".to_owned(), address.into())).is_some()
    }

    /// The routers whose rules hold `` `host` ``, each with its name.
    pub fn routers_of(&mut self, host: &str) -> Vec<(String, &mut Map<String, Value>)> {
        let quoted = format!("`{host}`");
        self.routers()
            .filter(|(_, router)| {
                router.get("rule").and_then(Value::as_str).is_some_and(|rule| rule.contains(&quoted))
            })
            .collect()
    }

    /// Every router, with its name.
    pub fn routers(&mut self) -> impl Iterator<Item = (String, &mut Map<String, Value>)> {
        self.trees
            .values_mut()
            .filter_map(|tree| tree.get_mut("http")?.get_mut("routers")?.as_object_mut())
            .flat_map(|routers| {
                routers.iter_mut().filter_map(|(name, router)| Some((name.clone(), router.as_object_mut()?)))
            })
    }

    /// Puts `to` in the place of `from` in every text.
    pub fn replace(&mut self, from: &str, to: &str) -> bool {
        self.trees.values_mut().map(|tree| replaced(tree, from, to)).sum::<usize>() > 0
    }

    /// The routers, middlewares and services that `before` defines otherwise, each by its kind and name. None where the two
    /// differ in something else.
    pub fn differences(&self, before: &Self) -> Option<BTreeSet<(String, String)>> {
        let (now, before) = (self.definitions(), before.definitions());
        let names = now.keys().chain(before.keys()).filter(|key| now.get(*key) != before.get(*key));
        let kinds = ["routers", "middlewares", "services"];
        names.map(|key| kinds.contains(&key.0.as_str()).then(|| key.clone())).collect()
    }

    /// Every definition by its kind and name, in the order of the files. What is no definition is one without a name.
    fn definitions(&self) -> BTreeMap<(String, String), Vec<&Value>> {
        let mut found: BTreeMap<(String, String), Vec<&Value>> = BTreeMap::new();
        for (section, below) in self.trees.values().flat_map(Value::as_object).flatten() {
            match (section.as_str(), below.as_object()) {
                ("http", Some(kinds)) => {
                    for (kind, below) in kinds {
                        match below.as_object() {
                            Some(definitions) => definitions.iter().for_each(|(name, definition)| {
                                found.entry((kind.clone(), name.clone())).or_default().push(definition);
                            }),
                            None => found.entry((kind.clone(), String::new())).or_default().push(below),
                        }
                    }
                }
                _ => found.entry((section.clone(), String::new())).or_default().push(below),
            }
        }
        found
    }

    /// Adds a file called `name` beside the first one, with `text` as it is. It is read in the order of the names.
    pub fn add(&mut self, name: &str, text: impl Into<String>) -> bool {
        let Some(folder) = self.trees.keys().next().and_then(|path| path.parent()) else { return false };
        self.raw.insert(folder.join(name), text.into());
        true
    }
}

/// Replaces in `tree` and returns in how many texts.
fn replaced(tree: &mut Value, from: &str, to: &str) -> usize {
    match tree {
        Value::String(text) if text.contains(from) => {
            *text = text.replace(from, to);
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| replaced(item, from, to)).sum(),
        Value::Object(fields) => fields.values_mut().map(|field| replaced(field, from, to)).sum(),
        _ => 0,
    }
}
