//! A router's list that is there: a new first item, or the list written anew.

use granit_parser::ScalarStyle;

use super::item::Kind;
use super::layout::{Layout, ListStyle};
use crate::edit::splice::{
    Candidate, Splice, first_in_brackets, indentation, line_break, line_end, line_start,
};

impl Layout<'_> {
    /// The ways to put `name` first in the list at `value`, the value of `key`; `listed` is what it says now.
    pub(super) fn list_candidates(
        &self,
        key: usize,
        value: usize,
        listed: &[String],
        name: &str,
    ) -> Vec<Candidate> {
        let item = self.items.get(value);
        let mut candidates = Vec::new();
        match &item.kind {
            Kind::List { flow, items } => {
                let quoted = self.quoted_as(items.first().copied(), name);
                if *flow {
                    candidates
                        .extend(first_in_brackets(self.text, item.range.start, &quoted).map(Candidate::new));
                } else {
                    candidates.extend(self.first_in_block(key, &quoted).into_iter().map(Candidate::new));
                }
                candidates.extend(self.anchor_moved(value, listed, name));
            }
            Kind::Alias(_) => {
                let splice = Splice::replace(item.range.clone(), self.flow_list(listed, name));
                candidates.push(Candidate::copying(splice));
            }
            Kind::Scalar { .. } if item.range.is_empty() => {
                candidates.extend(self.after_colon(key, name).map(Candidate::new));
            }
            Kind::Scalar {
                style: ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted,
                ..
            } => {
                candidates
                    .push(Candidate::new(Splice::replace(item.range.clone(), self.flow_list(listed, name))));
            }
            Kind::Map { flow: true, entries } if entries.is_empty() => {
                candidates
                    .push(Candidate::new(Splice::replace(item.range.clone(), self.flow_list(listed, name))));
            }
            Kind::Scalar { .. } | Kind::Map { .. } => {}
        }
        candidates
    }

    /// `name` and what is listed, in brackets.
    pub(super) fn flow_list(&self, listed: &[String], name: &str) -> String {
        flow_list(self.style, listed, name)
    }

    /// `name` in the quotes of the list's first item.
    fn quoted_as(&self, first: Option<usize>, name: &str) -> String {
        let Some(first) = first else { return self.style.quoted(name) };
        let start = self.items.get(first).range.start;
        let quote = self.text[start..].chars().next().filter(|letter| matches!(letter, '"' | '\''));
        ListStyle { dash: None, quote }.quoted(name)
    }

    /// Where the first dash of the block list under `key` stands: on the first line below that is more than a
    /// comment.
    pub(super) fn first_dash(&self, key: usize) -> Option<usize> {
        let mut at = line_end(self.text, self.items.get(key).range.end).1?;
        loop {
            let (end, next) = line_end(self.text, at);
            let line = &self.text[at..end];
            let content = line.trim_start();
            if content.starts_with('-') {
                return Some(at + line.len() - content.len());
            }
            if !(content.is_empty() || content.starts_with(['#', '&', '!'])) {
                return None;
            }
            at = next?;
        }
    }

    /// A first item of a block list: right below the key, so that comments stay with their items, or before the
    /// first dash.
    fn first_in_block(&self, key: usize, quoted: &str) -> Vec<Splice> {
        let Some(dash) = self.first_dash(key) else { return Vec::new() };
        let Some(indent) = indentation(self.text, dash) else { return Vec::new() };
        let line = format!("{indent}- {quoted}{}", line_break(self.text, dash));
        let below = line_end(self.text, self.items.get(key).range.end).1;
        below
            .into_iter()
            .chain([line_start(self.text, dash)])
            .map(|at| Splice::insert(at, line.clone()))
            .collect()
    }

    /// A list after the colon of a key that has no value.
    fn after_colon(&self, key: usize, name: &str) -> Option<Splice> {
        let end = self.items.get(key).range.end;
        let rest = &self.text[end..];
        let colon = end + rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let list = self.flow_list(&[], name);
        match self.text[colon..].strip_prefix(':') {
            Some(_) => Some(Splice::insert(colon + 1, format!(" {list}"))),
            // `{middlewares}` has neither.
            None => Some(Splice::insert(end, format!(": {list}"))),
        }
    }

    /// An anchored list in brackets that others use: the anchor goes to the first of them.
    fn anchor_moved(&self, value: usize, listed: &[String], name: &str) -> Option<Candidate> {
        let item = self.items.get(value);
        let anchor = item.anchor.clone()?;
        let alias = self.items.first_alias_of(value)?;
        let Kind::List { items, flow } = &item.kind else { return None };
        let end = if *flow { item.range.end } else { self.items.get(*items.last()?).range.end };
        let written = self.text.get(anchor.start..end)?;
        if written.contains('#') {
            return None;
        }
        let old = listed.iter().map(|name| quoted_if_needed(name)).collect::<Vec<_>>().join(", ");
        let with_anchor = format!("{} [{old}]", self.text.get(anchor.clone())?);
        Some(Candidate {
            splices: vec![
                Splice::replace(anchor.start..end, self.flow_list(listed, name)),
                Splice::replace(alias.range.clone(), with_anchor),
            ],
            copies: true,
        })
    }
}

/// `name` and `listed` in brackets.
pub(super) fn flow_list(style: ListStyle, listed: &[String], name: &str) -> String {
    let items: Vec<_> = std::iter::once(name)
        .chain(listed.iter().map(String::as_str))
        .map(|item| written(style, item))
        .collect();
    format!("[{}]", items.join(", "))
}

/// A name as an item of a list.
pub(super) fn written(style: ListStyle, name: &str) -> String {
    if is_plain(name) && style.quote.is_some() { style.quoted(name) } else { quoted_if_needed(name) }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte))
}

/// The name, in quotes where YAML would read another value.
fn quoted_if_needed(name: &str) -> String {
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if is_plain(name) && !word.contains(&name.to_ascii_lowercase().as_str()) {
        return name.to_owned();
    }
    // A JSON string is a YAML string.
    serde_json::Value::from(name).to_string()
}
