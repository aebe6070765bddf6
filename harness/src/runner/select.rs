//! Which cases run.

use crate::scenario::{Case, ScenarioFile};

/// What a case must match to run; every part that is given counts.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Words of which one must be in the case's id.
    pub filters: Vec<String>,
    /// Tags of which the scenario must have one.
    pub tags: Vec<String>,
    /// Requirements of which the scenario must prove one; `HDR` means every `HDR-…`.
    pub requirements: Vec<String>,
}

impl Selection {
    /// Whether `case` runs.
    pub fn takes(&self, case: &Case) -> bool {
        self.fits(&case.id, &case.scenario.file)
    }

    /// Whether cases of `file` run whose names begin with `name`.
    pub fn fits(&self, name: &str, file: &ScenarioFile) -> bool {
        let any =
            |wanted: &[String], fits: &dyn Fn(&String) -> bool| wanted.is_empty() || wanted.iter().any(fits);
        any(&self.filters, &|word| name.contains(word.as_str()))
            && any(&self.tags, &|tag| file.tags.contains(tag))
            && any(&self.requirements, &|wanted| {
                file.requirements.iter().any(|id| {
                    id.eq_ignore_ascii_case(wanted)
                        || id.to_ascii_lowercase().starts_with(&format!("{}-", wanted.to_ascii_lowercase()))
                })
            })
    }
}
