//! How a role came about: what every source and every search gave, for a diagnosis to tell.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::role::{Role, Source};

/// What one source gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceTrace {
    /// The source.
    pub source: Source,
    /// What its `groups` claim is: the claim the second search replaces.
    pub groups: Shape,
    /// The searches done, at most two.
    pub searches: Vec<Search>,
    /// What came of it.
    pub end: End,
}

/// What came of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The role, and whether it was `GrafanaAdmin`.
    Role(Role, bool),
    /// A string that is no role, as title-cased; the source is dropped.
    InvalidRole(String),
    /// Neither search gave a string.
    NoRole,
    /// `role_attribute_path` is not set.
    PathNotSet,
    /// There are no claims to read.
    Absent,
    /// An earlier source gave a role, so this one was never looked at.
    NotAsked,
    /// `skip_org_role_sync`.
    Skipped,
}

/// One search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Search {
    /// What was searched.
    pub on: Subject,
    /// What it gave.
    pub found: Found,
}

/// What a search looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The claims as they are.
    Claims,
    /// `{"groups":[]}` in their stead.
    EmptyGroups,
}

/// What a search gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// A string that is not empty.
    Text(String),
    /// Anything else, as JSON: it counts for nothing.
    Dropped(String),
    /// The expression failed.
    Error(String),
}

impl Found {
    /// The same, short enough to be remembered: claims may be as long as a provider likes.
    pub(super) fn shortened(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(shortened(text)),
            Self::Dropped(json) => Self::Dropped(shortened(json)),
            Self::Error(error) => Self::Error(shortened(error)),
        }
    }
}

/// The first 200 letters of `text`, with an ellipsis when there are more.
pub(super) fn shortened(text: String) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// What a claim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Not there.
    Missing,
    /// `null`.
    Null,
    /// One string.
    Text,
    /// A list of so many.
    List(usize),
    /// Anything else.
    Other,
}

impl Shape {
    pub(super) fn of(claim: Option<&Value>) -> Self {
        match claim {
            None => Self::Missing,
            Some(Value::Null) => Self::Null,
            Some(Value::String(_)) => Self::Text,
            Some(Value::Array(items)) => Self::List(items.len()),
            Some(_) => Self::Other,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("missing"),
            Self::Null => formatter.write_str("null"),
            Self::Text => formatter.write_str("a string"),
            Self::List(count) => write!(formatter, "a list of {count}"),
            Self::Other => formatter.write_str("no list and no string"),
        }
    }
}

impl fmt::Display for SourceTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.source)?;
        match &self.end {
            End::Absent => return formatter.write_str("no claims"),
            End::NotAsked => return formatter.write_str("not asked, the role is known"),
            End::Skipped => return formatter.write_str("not asked, skip_org_role_sync"),
            End::PathNotSet => return formatter.write_str("role_attribute_path not set"),
            End::Role(..) | End::InvalidRole(_) | End::NoRole => {}
        }
        write!(formatter, "groups {}", self.groups)?;
        for (number, search) in self.searches.iter().enumerate() {
            let subject = match search.on {
                Subject::Claims => "the claims",
                Subject::EmptyGroups => "{\"groups\":[]}",
            };
            write!(formatter, ", search {} on {subject} gave ", number + 1)?;
            match &search.found {
                Found::Text(text) => write!(formatter, "{text:?}")?,
                Found::Dropped(json) => write!(formatter, "{json}, no role")?,
                Found::Error(error) => write!(formatter, "error: {error}")?,
            }
        }
        match &self.end {
            End::InvalidRole(name) => write!(formatter, ", invalid role {name:?}"),
            End::Role(role, true) => write!(formatter, ", role {role} from GrafanaAdmin"),
            _ => Ok(()),
        }
    }
}
