//! A deployment in the making, with what a person has to decide.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ssoproof_deployment::Deployment;

use crate::routing::Routing;

/// A deployment in the making.
pub struct Draft {
    /// What is known of it.
    pub(super) deployment: Deployment,
    /// What Traefik makes of its files.
    pub(super) routing: Arc<Routing>,
    /// The folder of those files, from the root.
    pub(super) traefik: PathBuf,
    /// What it was read from, in words.
    pub(super) sources: Vec<String>,
    /// What a person has to decide or to know, by the key of `deployment.yaml` that it is about.
    pub(super) notes: BTreeMap<&'static str, Vec<String>>,
    /// The families of the library that fit, with the number of their cases.
    pub(super) families: BTreeMap<String, usize>,
    /// How many scenarios of these families do not fit.
    pub(super) left_out: usize,
    /// Cases that fail now, and why.
    pub(super) failures: BTreeMap<String, String>,
}

impl Draft {
    /// Adds what a person has to decide or to know about `key`.
    pub(super) fn note(&mut self, key: &'static str, text: impl Into<String>) {
        self.notes.entry(key).or_default().push(text.into());
    }

    /// How many cases of the library fit.
    pub fn cases(&self) -> usize {
        self.families.values().sum()
    }

    /// How many of them fail now.
    pub fn failing(&self) -> usize {
        self.failures.len()
    }

    /// How many scenarios of the families that fit do not.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// How many services, apps, groups and personas there are.
    pub fn counts(&self) -> [(usize, &'static str); 4] {
        let deployment = &self.deployment;
        [
            (deployment.services.len(), "service"),
            (deployment.providers().len(), "app"),
            (deployment.groups.len(), "group"),
            (deployment.personas.len(), "persona"),
        ]
    }

    /// How many things a person has to decide.
    pub fn decisions(&self) -> usize {
        self.notes.values().flatten().filter(|note| note.starts_with(DECIDE)).count()
    }
}

/// What a note begins with that asks a person to decide.
pub(super) const DECIDE: &str = "Decide: ";
