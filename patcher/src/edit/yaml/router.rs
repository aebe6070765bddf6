//! A router that has no list of its own: a new field.

use granit_parser::ScalarStyle;

use super::item::Kind;
use super::layout::{Layout, ListStyle};
use super::list::{self, flow_list};
use crate::edit::splice::{Candidate, Splice, indentation, line_below, line_break, line_end, line_start};

impl Layout<'_> {
    /// The ways to give the router at `value` the middleware `name`; `listed` is what it has now.
    pub(super) fn router_candidates(&self, value: usize, listed: &[String], name: &str) -> Vec<Candidate> {
        let item = self.items.get(value);
        let Kind::Map { flow, entries } = &item.kind else {
            // `app: *other`
            let alias = self.text.get(item.range.clone()).filter(|_| matches!(item.kind, Kind::Alias(_)));
            let merged =
                alias.map(|alias| format!("{{<<: {alias}, middlewares: {}}}", self.flow_list(listed, name)));
            return merged
                .map(|merged| Candidate::copying(Splice::replace(item.range.clone(), merged)))
                .into_iter()
                .collect();
        };
        if let Some((key, list)) = self.items.field(value, "middlewares") {
            return self.list_candidates(key, list, listed, name);
        }
        let copies = !listed.is_empty();
        let style = self.style_of(value, "entryPoints").unwrap_or(self.style);
        let splices = if *flow {
            self.flow_field(entries, value, style, listed, name)
        } else {
            self.block_field(entries, value, style, listed, name)
        };
        splices.into_iter().map(|splice| Candidate { splices: vec![splice], copies }).collect()
    }

    /// The field's name, in quotes where the router's own fields are.
    fn field_name(&self, entries: &[(usize, usize)]) -> &'static str {
        let quoted = entries.first().is_some_and(|(key, _)| {
            matches!(self.items.get(*key).kind, Kind::Scalar { style: ScalarStyle::DoubleQuoted, .. })
        });
        if quoted { "\"middlewares\"" } else { "middlewares" }
    }

    /// A new field of a block: below the rule, else before a field that begins a line, else before the first one.
    fn block_field(
        &self,
        entries: &[(usize, usize)],
        router: usize,
        style: ListStyle,
        listed: &[String],
        name: &str,
    ) -> Vec<Splice> {
        let field = self.field_name(entries);
        let written = |indent: &str, at: usize| match style.dash {
            None => format!("{field}: {}", flow_list(style, listed, name)),
            Some(dash) => {
                let dash = " ".repeat(dash);
                let mut lines = format!("{field}:");
                for item in std::iter::once(name).chain(listed.iter().map(String::as_str)) {
                    let item = list::written(style, item);
                    lines.push_str(&format!("{}{indent}{dash}- {item}", line_break(self.text, at)));
                }
                lines
            }
        };
        let mut splices = Vec::new();
        if let Some((key, rule)) = self.items.field(router, "rule") {
            let (key, rule) = (self.items.get(key), self.items.get(rule));
            let one_line = matches!(
                rule.kind,
                Kind::Scalar {
                    style: ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted,
                    ..
                }
            ) && line_start(self.text, rule.range.end)
                == line_start(self.text, key.range.start);
            let rest = self.text[rule.range.end..line_end(self.text, rule.range.end).0].trim_start();
            if let Some(indent) = indentation(self.text, key.range.start)
                && one_line
                && (rest.is_empty() || rest.starts_with('#'))
            {
                let content = format!("{indent}{}", written(indent, rule.range.end));
                splices.push(line_below(self.text, rule.range.end, &content));
            }
        }
        let starts = entries.iter().skip(1).map(|(key, _)| self.items.get(*key).range.start);
        let begins_line = |at: &usize| {
            let line = line_start(self.text, *at);
            let above = &self.text[line_start(self.text, line.saturating_sub(1))..line];
            indentation(self.text, *at).is_some() && !above.trim_start().starts_with('#')
        };
        let first = entries.first().map(|(key, _)| self.items.get(*key).range.start);
        for at in starts.filter(begins_line).take(3).chain(first) {
            let indent = " ".repeat(self.column(at));
            let field = written(&indent, at);
            splices.push(Splice::insert(at, format!("{field}{}{indent}", line_break(self.text, at))));
        }
        splices
    }

    /// A new field of a mapping in braces: before the field after the rule, else before the first one.
    fn flow_field(
        &self,
        entries: &[(usize, usize)],
        router: usize,
        style: ListStyle,
        listed: &[String],
        name: &str,
    ) -> Vec<Splice> {
        let field = format!("{}: {}", self.field_name(entries), flow_list(style, listed, name));
        let rule = self.items.field(router, "rule").map(|(key, _)| key);
        let after_rule =
            entries.iter().position(|(key, _)| Some(*key) == rule).and_then(|index| entries.get(index + 1));
        let places = after_rule.into_iter().chain(entries.first());
        places
            .map(|(key, _)| {
                let at = self.items.get(*key).range.start;
                let between = match indentation(self.text, at) {
                    Some(indent) => format!("{}{indent}", line_break(self.text, at)),
                    None => " ".to_owned(),
                };
                Splice::insert(at, format!("{field},{between}"))
            })
            .collect()
    }
}
