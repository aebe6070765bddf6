//! Files with their text, values with their place, and the error that shows both.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Error, Location, Options, Spanned};

/// The longest file read, in bytes.
const LONGEST_FILE: u64 = 4 << 20;

/// A file that was read: its name as the user would type it, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it came from.
    pub path: Arc<Path>,
    /// All of it.
    pub text: Arc<str>,
}

impl Source {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// A [`Problem`] without a place when it cannot be read, is no UTF-8 or is longer than 4 MiB.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let failed = |reason: String| Problem::new(format!("failed to read `{}`: {reason}", path.display()));
        let length = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
        if length > LONGEST_FILE {
            return Err(failed(format!("it is {length} bytes long, more than {LONGEST_FILE}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        Ok(Self { path: path.into(), text: text.into() })
    }

    /// A source that is no file, for tests and standard input.
    pub fn inline(name: &str, text: &str) -> Self {
        Self { path: Path::new(name).into(), text: text.into() }
    }

    /// Reads YAML of a known shape, every value with its place.
    ///
    /// # Errors
    /// A [`Problem`] at the first place that is no YAML or not of that shape.
    pub fn yaml<'text, T: Deserialize<'text>>(&'text self) -> Result<T, Problem> {
        self.yaml_prefix(&self.text, Options::default())
    }

    /// Reads `prefix`, the start of this file, as YAML with other rules.
    ///
    /// # Errors
    /// As [`Source::yaml`].
    pub(crate) fn yaml_prefix<'text, T: Deserialize<'text>>(
        &'text self,
        prefix: &'text str,
        options: Options,
    ) -> Result<T, Problem> {
        serde_saphyr::from_str_with_options(prefix, options).map_err(|error| self.yaml_problem(&error))
    }

    /// A problem at `place` in this file.
    pub fn problem(&self, place: Place, message: impl Into<String>) -> Problem {
        Problem { file: Some(self.clone()), place: Some(place), ..Problem::new(message) }
    }

    /// The line of the file that holds `place`, trimmed.
    pub fn line(&self, place: Place) -> &str {
        self.text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default().trim()
    }

    fn yaml_problem(&self, error: &Error) -> Problem {
        let bare = error.without_snippet();
        let (message, help) = match bare {
            Error::SerdeUnknownField { field, expected, .. } => {
                (format!("unknown key `{field}`"), suggestion(field, expected))
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                (format!("unknown value `{variant}`"), suggestion(variant, expected))
            }
            Error::SerdeMissingField { field, .. } => (format!("missing key `{field}`"), None),
            Error::DuplicateMappingKey { key, .. } => (
                match key {
                    Some(key) => format!("duplicate key `{key}`"),
                    None => "duplicate key".to_owned(),
                },
                Some("keep one of the two; YAML readers disagree on which one counts".to_owned()),
            ),
            other => (first_line(&other.to_string()), None),
        };
        Problem {
            file: Some(self.clone()),
            place: bare.location().map(Place::from),
            help,
            ..Problem::new(message)
        }
    }
}

/// The library's message without its own position suffix and snippet.
fn first_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    match line.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest.to_owned(),
        _ => line.to_owned(),
    }
}

/// The help line for a `word` that is none of `known`: the nearest one, or all of them when none is near.
pub fn suggestion<T: AsRef<str>>(word: &str, known: &[T]) -> Option<String> {
    let near = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(word, name.as_ref()), name.as_ref()))
        .filter(|(distance, name)| *distance <= (name.len().max(word.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance);
    match near {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() => None,
        None => {
            let names: Vec<_> = known.iter().map(|name| format!("`{}`", name.as_ref())).collect();
            Some(format!("known are {}", names.join(", ")))
        }
    }
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// Bytes from the start of the file.
    pub offset: usize,
    /// Bytes that the value takes.
    pub length: usize,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        let span = location.span();
        let whole =
            |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
        Self {
            line: whole(Some(location.line())),
            column: whole(Some(location.column())),
            offset: whole(span.byte_offset()),
            length: whole(span.byte_len()),
        }
    }
}

/// A value and its place in the file it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Located<T> {
    /// A value that stands in no file.
    pub fn nowhere(value: T) -> Self {
        Self { value, place: Place::default() }
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { value: spanned.value, place: spanned.referenced.into() })
    }
}

impl<T: serde::Serialize> serde::Serialize for Located<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Located<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

/// Something wrong in a file: what, where, and what to do about it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    message: String,
    file: Option<Source>,
    place: Option<Place>,
    help: Option<String>,
}

impl Problem {
    /// A problem that has no place in a file.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), file: None, place: None, help: None }
    }

    /// The same problem with a help line; none leaves it as it is.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into().or(self.help);
        self
    }

    /// `file:line:column`, as far as they are known.
    pub fn position(&self) -> Option<String> {
        let source = self.file.as_ref()?;
        Some(match self.place {
            Some(place) => format!("{}:{}:{}", source.path.display(), place.line, place.column),
            None => source.path.display().to_string(),
        })
    }

    /// The file and the place in it, when both are known.
    pub fn at(&self) -> Option<(&Source, Place)> {
        Some((self.file.as_ref()?, self.place?))
    }

    /// The help line, when there is one.
    pub fn help_line(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

/// `Problem` as `miette` draws it: the source line with a caret, and the help.
pub struct Drawn {
    problem: Problem,
    code: Option<NamedSource<String>>,
}

impl From<Problem> for Drawn {
    fn from(problem: Problem) -> Self {
        let code = problem
            .file
            .as_ref()
            .map(|source| NamedSource::new(source.path.display().to_string(), source.text.to_string()));
        Self { problem, code }
    }
}

impl std::fmt::Debug for Drawn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(formatter)
    }
}

impl std::fmt::Display for Drawn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(formatter)
    }
}

impl std::error::Error for Drawn {}

impl Diagnostic for Drawn {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.code.as_ref().map(|code| code as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.problem.place.filter(|_| self.code.is_some())?;
        Some(Box::new(std::iter::once(LabeledSpan::new(
            Some("here".to_owned()),
            place.offset,
            place.length.max(1),
        ))))
    }
}
