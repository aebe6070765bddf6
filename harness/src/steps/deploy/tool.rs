//! The tool that writes a file, and what became of its file.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use ssoproof_deployment::traefik::{qualified, unqualified};
use ssoproof_deployment::{Deployment, Problem, Source};
use url::Url;

use super::Writing;
use crate::routing::{Files, Routing};
use crate::stacks::write_by_rename;
use crate::steps::StepError;

/// A tool that writes the file of a service from what it knows, as devpush does: `yaml.dump` of rules, services and
/// entry points, and no middleware.
pub(super) struct Tool {
    folder: PathBuf,
    path: PathBuf,
    /// The routers of the service in the file.
    routers: Vec<String>,
    /// What the tool knows.
    tree: Value,
    /// What it has written last.
    text: String,
    /// The file that it has moved into place last, which nobody else should write to.
    moved: Option<File>,
    /// What was met in the file that is no whole file, and that the tool has not written.
    met: BTreeSet<String>,
}

/// What became of the file of a deploy.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The file, as the user knows it.
    pub file: PathBuf,
    /// The routers of the service in it.
    pub routers: Vec<String>,
    /// What the tool wrote last.
    pub written: Source,
    /// What the file says in the end.
    pub found: Source,
    /// Whether somebody has written into the very file that the tool had moved into place. None where the tool itself
    /// writes in place, so that nobody could tell.
    pub in_place: Option<bool>,
    /// What was met in it that is no whole file.
    pub met: Vec<String>,
}

impl Deployed {
    /// How the files of the tool begin; then comes the number of the deploy.
    pub(crate) const HEAD: &str = "# Written by a tool, which drops what it does not know: deployment";
}

impl Tool {
    /// The tool for the service at `url`, in the file called `name` or that of the router that takes its requests.
    pub(super) fn of(
        deployment: &Deployment,
        folder: &Path,
        url: &Url,
        name: Option<&str>,
    ) -> Result<Self, StepError> {
        let unusable = |problem: Problem| StepError::Broken(problem.to_string());
        let routing = Routing::read(deployment, folder).map_err(unusable)?;
        let taken = routing.taken(url);
        let path = match (name, &taken.winner) {
            (Some(name), _)
                if Path::new(name).components().any(|part| !matches!(part, Component::Normal(_))) =>
            {
                return Err(StepError::Broken(format!("`{name}` is no file in Traefik's folder")));
            }
            (Some(name), _) => folder.join(name),
            (None, Some(winner)) => winner.at().source.path.to_path_buf(),
            (None, None) => return Err(StepError::Missing(format!("no router takes requests for {url}"))),
        };
        if path.extension().is_some_and(|extension| extension == "toml") {
            let message = format!("`{}` is TOML, and tools of this kind write YAML", path.display());
            return Err(StepError::Unsupported(message));
        }
        let outpost = qualified(&deployment.traefik.outpost_router);
        let own = |router: &&ssoproof_deployment::traefik::Router| {
            router.name != outpost && *router.at().source.path == *path
        };
        let routers: Vec<String> =
            taken.of_host.iter().filter(own).map(|router| unqualified(&router.name).to_owned()).collect();
        if routers.is_empty() {
            return Err(StepError::Missing(format!(
                "no router in `{}` takes requests for {url}",
                path.display()
            )));
        }
        let mut tree: Value = Source::read(&path).and_then(|source| source.yaml()).map_err(unusable)?;
        for router in &routers {
            drop_middlewares(&mut tree, router);
        }
        let (text, met) = (String::new(), BTreeSet::new());
        Ok(Self { folder: folder.to_owned(), path, routers, tree, text, moved: None, met })
    }

    /// What the tool writes the `number`th time. Each text is another, and has comments to be kept.
    fn render(&self, number: u32) -> io::Result<String> {
        let tree = serde_saphyr::to_string(&self.tree).map_err(io::Error::other)?;
        let mut text = format!("{} {number}\n", Deployed::HEAD);
        for line in tree.lines() {
            let named =
                line.trim().strip_suffix(':').is_some_and(|name| self.routers.iter().any(|own| own == name));
            text.push_str(line);
            text.push_str(if named { " # of the project\n" } else { "\n" });
        }
        text.push_str("# End of the deployment.\n");
        Ok(text)
    }

    /// Writes the file the `number`th time; where it is left empty for a moment, `meanwhile` happens.
    pub(super) async fn write(
        &mut self,
        writing: Writing,
        number: u32,
        meanwhile: impl AsyncFnOnce(),
    ) -> io::Result<()> {
        let text = self.render(number)?;
        self.moved = None;
        match writing {
            Writing::Rename => self.moved = Some(write_by_rename(&self.path, text.as_bytes())?),
            Writing::InPlace => in_pieces(&mut File::create(&self.path)?, &text)?,
            Writing::Truncate => {
                let mut file = File::create(&self.path)?;
                meanwhile().await;
                in_pieces(&mut file, &text)?;
            }
        }
        self.text = text;
        Ok(())
    }

    /// Looks at the file as any reader could: what it meets is a whole file, or something that the tool is writing.
    pub(super) fn read(&mut self) {
        if self.moved.is_none() {
            return;
        }
        let Ok(text) = fs::read_to_string(&self.path) else { return };
        let source = Source { path: self.path.as_path().into(), text: text.as_str().into() };
        if text.trim().is_empty() {
            self.met.insert("an empty file".to_owned());
        } else if let Err(problem) = source.yaml::<Value>() {
            self.met.insert(problem.to_string());
        }
    }

    /// What became of the file.
    pub(super) fn deployed(mut self, deployment: &Deployment) -> Result<Deployed, StepError> {
        self.read();
        let failed = |error: io::Error| StepError::Broken(format!("{}: {error}", self.path.display()));
        let found = fs::read_to_string(&self.path).map_err(failed)?;
        let file = Files::of(deployment, &self.folder).known_as(&self.path);
        let source = |text: &str| Source { path: Arc::from(file.as_path()), text: text.into() };
        let in_place = match &mut self.moved {
            None => None,
            Some(moved) => Some(contents(moved).map_err(failed)? != self.text),
        };
        Ok(Deployed {
            written: source(&self.text),
            found: source(&found),
            file,
            routers: self.routers,
            in_place,
            met: self.met.into_iter().collect(),
        })
    }
}

/// Takes the list of middlewares off the router called `name`.
fn drop_middlewares(tree: &mut Value, name: &str) {
    let router = ["http", "routers", name].into_iter().try_fold(tree, |node, key| node.get_mut(key));
    if let Some(router) = router.and_then(Value::as_object_mut) {
        // Traefik reads fields in any case.
        router.retain(|key, _| !key.eq_ignore_ascii_case("middlewares"));
    }
}

/// Writes `text` in two pieces, as a tool does whose text is longer than its buffer.
fn in_pieces(file: &mut File, text: &str) -> io::Result<()> {
    let (begin, end) = text.as_bytes().split_at(text.len() / 2);
    file.write_all(begin)?;
    file.write_all(end)
}

fn contents(file: &mut File) -> io::Result<String> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}
