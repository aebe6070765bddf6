//! Settings of Grafana and MinIO as they stand in env files and `grafana.ini`, every value with its place.

use std::collections::BTreeMap;
use std::path::Path;

use ssoproof_deployment::traefik::At;
use ssoproof_deployment::{Located, Place, Problem, Source};

use super::finding::at;

/// Settings by the names of environment variables.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) source: Source,
    values: BTreeMap<String, Located<String>>,
}

/// A value and the file it stands in.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) value: String,
    pub(super) at: Option<At>,
}

impl Said {
    pub(super) fn new(value: impl Into<String>, at: Option<At>) -> Self {
        Self { value: value.into(), at }
    }
}

impl Settings {
    /// Reads the file at `path`: lines of `NAME=VALUE`, with `export`, quotes and comments as shells have them, or
    /// sections of an ini file, whose keys become `<prefix>_SECTION_KEY`.
    ///
    /// # Errors
    /// A [`Problem`] when it cannot be read, or at the first line that is neither.
    pub(super) fn read(path: &Path, prefix: &str) -> Result<Self, Problem> {
        Self::parse(Source::read(path)?, prefix)
    }

    fn parse(source: Source, prefix: &str) -> Result<Self, Problem> {
        let mut values = BTreeMap::new();
        let mut section: Option<String> = None;
        let mut offset = 0;
        for (index, whole) in source.text.split_inclusive('\n').enumerate() {
            let line = whole.trim();
            let start = offset + (whole.len() - whole.trim_start().len());
            offset += whole.len();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let column = whole.get(..start + whole.len() - offset).unwrap_or_default().chars().count() + 1;
            let place = |from: usize, length: usize| Place {
                line: index + 1,
                column: column + line.get(..from).unwrap_or_default().chars().count(),
                offset: start + from,
                length,
            };
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = Some(name.to_owned());
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                let problem = source.problem(place(0, line.len()), "this line sets nothing");
                return Err(problem.with_help("write `NAME=VALUE`".to_owned()));
            };
            let behind = name.len() + 1 + (value.len() - value.trim_start().len());
            let value = unquoted(value.trim());
            let name = name.trim().trim_start_matches("export ").trim();
            let name = match &section {
                Some(section) => variable(prefix, section, name),
                None => name.to_owned(),
            };
            values.insert(name, Located { place: place(behind, value.len()), value: value.to_owned() });
        }
        Ok(Self { source, values })
    }

    /// The value of the variable `name`; none where it is not set or empty.
    pub(super) fn get(&self, name: &str) -> Option<Said> {
        let found = self.values.get(name).filter(|value| !value.is_empty())?;
        Some(Said::new(found.value.clone(), Some(at(&self.source, found.place))))
    }

    /// Whether the variable `name` is set to something that counts as true.
    pub(super) fn flag(&self, name: &str) -> Option<(bool, Option<At>)> {
        let said = self.get(name)?;
        Some((matches!(said.value.to_ascii_lowercase().as_str(), "true" | "1" | "on" | "yes"), said.at))
    }

    /// Every variable whose name begins with `prefix`.
    pub(super) fn beginning(&self, prefix: &str) -> impl Iterator<Item = (&str, At)> {
        let found = self.values.iter().filter(move |(name, _)| name.starts_with(prefix));
        found.map(|(name, value)| (name.as_str(), at(&self.source, value.place)))
    }
}

/// The variable that stands for a key of an ini file.
fn variable(prefix: &str, section: &str, key: &str) -> String {
    let plain = |text: &str| text.to_ascii_uppercase().replace(['.', '-', ' '], "_");
    match section {
        "DEFAULT" | "" => format!("{prefix}_{}", plain(key)),
        section => format!("{prefix}_{}_{}", plain(section), plain(key)),
    }
}

/// The value without the quotes around it.
fn unquoted(value: &str) -> &str {
    for quote in ["\"\"\"", "'", "\"", "`"] {
        let inner = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Settings {
        Settings::parse(Source::inline("x.env", text), "GF").unwrap()
    }

    #[test]
    fn variables_and_sections_are_one() {
        let env = "# x\nexport GF_AUTH_GENERIC_OAUTH_SCOPES=\"openid profile\"\n";
        let ini = "; x\n[auth.generic_oauth]\n  scopes = openid profile\n";
        for (text, place) in [(env, (2, 38)), (ini, (3, 12))] {
            let said = read(text).get("GF_AUTH_GENERIC_OAUTH_SCOPES").unwrap();
            assert_eq!(said.value, "openid profile");
            let found = said.at.unwrap().place;
            let unquoted = usize::from(text == env);
            assert_eq!((found.line, found.column), (place.0, place.1 - unquoted), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*(\n\\PC*){0,4}") {
            let _ = Settings::parse(Source::inline("x.env", &text), "GF");
        }
    }

    #[test]
    fn a_line_that_sets_nothing_is_shown() {
        let problem = Settings::parse(Source::inline("x.env", "A=1\nnonsense\n"), "GF").unwrap_err();
        assert_eq!(problem.position().as_deref(), Some("x.env:2:1"));
    }
}
