//! From a text to the text in which every router meant has the middleware.

use std::collections::HashSet;

use ssoproof_deployment::traefik::{Node, Outline, OutlinedRouter, parse_tree};
use ssoproof_deployment::{Problem, Source};

use super::splice::{Candidate, Splice, apply};
use super::verify::differs_only_in;
use super::{toml, yaml};
use crate::name::MiddlewareName;
use crate::scope::Scope;

/// How much text is read to find the edits of one file, in bytes, before it is given up.
const MOST_READ: usize = 64 << 20;

/// A text and what was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patched {
    /// The new text; the old one when nothing was to do.
    pub text: String,
    /// The routers that have the middleware now and had not, in the order of the file.
    pub routers: Vec<String>,
}

/// Why a text was left alone.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unpatched {
    /// It is not YAML or TOML: half-written, or a Go template.
    #[error("{0}")]
    Unreadable(Box<Problem>),
    /// There is no edit that changes the middlewares of these routers and nothing else.
    #[error("{0}")]
    NoEdit(Box<Problem>),
}

impl Unpatched {
    /// What is wrong and where.
    pub fn problem(&self) -> &Problem {
        match self {
            Self::Unreadable(problem) | Self::NoEdit(problem) => problem,
        }
    }
}

/// Puts `middleware` first in the list of every router of `source` that `scope` means and that does not pass it yet.
/// `others` is what the other files of the folder define.
///
/// The text is edited by place, so that everything else stays as it is written. Each edit is read again: the new text
/// says what the old one said, but for the middlewares of these routers.
///
/// # Errors
/// [`Unpatched`], with the place.
pub fn patch(
    source: &Source,
    middleware: &MiddlewareName,
    scope: &Scope,
    others: &Outline,
) -> Result<Patched, Unpatched> {
    let asked = Asked { middleware, scope, others };
    let first = asked
        .read(source.clone())
        .map_err(|problem| Unpatched::Unreadable(Box::new(told(source, problem))))?;
    let routers: Vec<String> = first.lacking.iter().map(|router| router.name.value.clone()).collect();
    let mut reading = first;
    let mut left = MOST_READ;
    while !reading.lacking.is_empty() {
        reading = asked.step(&reading, &mut left).map_err(|problem| Unpatched::NoEdit(Box::new(problem)))?;
    }
    Ok(Patched { text: reading.source.text.to_string(), routers })
}

fn told(source: &Source, problem: Problem) -> Problem {
    let template = source.text.contains("{{");
    problem
        .with_help(template.then(|| "it is a Go template; write the middleware into it by hand".to_owned()))
}

struct Asked<'a> {
    middleware: &'a MiddlewareName,
    scope: &'a Scope,
    others: &'a Outline,
}

/// A text that was read.
struct Reading {
    source: Source,
    root: Node,
    /// The routers that should have the middleware and have not.
    lacking: Vec<OutlinedRouter>,
}

impl Asked<'_> {
    fn read(&self, source: Source) -> Result<Reading, Problem> {
        let root = parse_tree(&source)?;
        let mut context = Outline::of(&source, &root);
        let routers = std::mem::take(&mut context.routers);
        context.add(self.others.clone());
        let lacking = routers
            .into_iter()
            .filter(|router| {
                !context.passes(&router.middlewares, self.middleware.as_str())
                    && self.scope.means(router, self.middleware, &context)
            })
            .collect();
        Ok(Reading { source, root, lacking })
    }

    /// A text with fewer routers that lack the middleware: all that can be given it at once, or the first.
    fn step(&self, reading: &Reading, left: &mut usize) -> Result<Reading, Problem> {
        let candidates = self.candidates(reading);
        let plain = |of: &&Vec<Candidate>| of.first().is_some_and(|first| !first.copies);
        let any_plain = candidates.iter().any(|of| plain(&of));
        let at_once: Vec<_> = candidates
            .iter()
            .filter(|of| plain(of) == any_plain)
            .filter_map(|of| of.first())
            .flat_map(|candidate| &candidate.splices)
            .collect();
        if let Some(next) = self.tried(reading, &at_once, left) {
            return Ok(next);
        }
        // Plain edits first, for they may serve routers that would copy.
        for copies in [false, true] {
            for candidate in candidates.iter().flatten().filter(|candidate| candidate.copies == copies) {
                let splices: Vec<_> = candidate.splices.iter().collect();
                if let Some(next) = self.tried(reading, &splices, left) {
                    return Ok(next);
                }
            }
        }
        let router = &reading.lacking[0];
        Err(reading
            .source
            .problem(
                router.name.place,
                format!(
                    "router `{}` cannot be given `{}` without changing something else",
                    router.name.value, self.middleware
                ),
            )
            .with_help(
                "its list comes from an anchor or a form that others share: write it out in the router"
                    .to_owned(),
            ))
    }

    fn candidates(&self, reading: &Reading) -> Vec<Vec<Candidate>> {
        let text = &reading.source.text;
        let name = self.middleware.as_str();
        if reading.source.path.extension().is_some_and(|extension| extension == "toml") {
            let Some(layout) = toml::Layout::read(text) else { return Vec::new() };
            reading.lacking.iter().map(|router| layout.candidates(router, name)).collect()
        } else {
            let Some(layout) = yaml::Layout::read(text) else { return Vec::new() };
            reading.lacking.iter().map(|router| layout.candidates(router, name)).collect()
        }
    }

    /// The text with `splices`, when it is a step forward and changes nothing else.
    fn tried(&self, reading: &Reading, splices: &[&Splice], left: &mut usize) -> Option<Reading> {
        if splices.is_empty() {
            return None;
        }
        let text = apply(&reading.source.text, splices)?;
        *left = left.checked_sub(text.len())?;
        let next = self.read(Source { path: reading.source.path.clone(), text: text.into() }).ok()?;
        let lacking: HashSet<_> = reading.lacking.iter().map(|router| router.name.as_str()).collect();
        let forward = next.lacking.len() < reading.lacking.len()
            && next.lacking.iter().all(|router| lacking.contains(router.name.as_str()));
        (forward && differs_only_in(&reading.root, &next.root, &lacking, self.middleware)).then_some(next)
    }
}
