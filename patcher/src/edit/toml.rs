//! Where routers stand in a TOML text, and how one is given a middleware there.

use ssoproof_deployment::traefik::OutlinedRouter;
use toml_edit::{Document, Item, Key, TableLike, Value};

use super::splice::{Candidate, Splice, first_in_brackets, indentation, line_below, line_start};

/// Where everything of a text stands.
pub(super) struct Layout<'a> {
    text: &'a str,
    document: Document<&'a str>,
}

/// A table, and whether it stands in braces.
#[derive(Clone, Copy)]
struct Table<'a> {
    fields: &'a dyn TableLike,
    inline: bool,
}

impl<'a> Table<'a> {
    /// The field `name`, written in any case.
    fn field(self, name: &str) -> Option<(&'a Key, &'a Item)> {
        let written = self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.0.to_owned();
        self.fields.get_key_value(&written)
    }

    fn table(self, name: &str, exact: bool) -> Option<(&'a Key, Self)> {
        let (key, item) = if exact { self.fields.get_key_value(name)? } else { self.field(name)? };
        let fields = item.as_table_like()?;
        Some((key, Self { fields, inline: self.inline || item.is_inline_table() }))
    }
}

impl<'a> Layout<'a> {
    /// Reads `text`; none when it is no TOML.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        Some(Self { text, document: Document::parse(text).ok()? })
    }

    /// The ways to give `router` the middleware `name`, the best first.
    pub(super) fn candidates(&self, router: &OutlinedRouter, name: &str) -> Vec<Candidate> {
        self.splice(router, name).map(Candidate::new).into_iter().collect()
    }

    fn splice(&self, router: &OutlinedRouter, name: &str) -> Option<Splice> {
        let root = Table { fields: self.document.as_table(), inline: false };
        let (_, http) = root.table("http", false)?;
        let (_, routers) = http.table("routers", false)?;
        let (key, table) = routers.table(&router.name.value, true)?;
        let Some((_, list)) = table.field("middlewares") else { return self.new_field(key, table, name) };
        let range = list.span()?;
        match list.as_value()? {
            Value::Array(items) => {
                let first = items.get(0).and_then(Value::span).map(|span| &self.text[span]);
                let quote = if first.is_some_and(|first| first.starts_with('\'')) { '\'' } else { '"' };
                first_in_brackets(self.text, range.start, &format!("{quote}{name}{quote}"))
            }
            Value::String(_) => {
                let listed = router.middlewares.iter().map(String::as_str);
                // A JSON string is a TOML string.
                let items: Vec<_> = std::iter::once(name)
                    .chain(listed)
                    .map(|item| serde_json::Value::from(item).to_string())
                    .collect();
                Some(Splice::replace(range, format!("[{}]", items.join(", "))))
            }
            _ => None,
        }
    }

    /// A field beside the rule.
    fn new_field(&self, router: &Key, table: Table<'_>, name: &str) -> Option<Splice> {
        let (key, rule) = table.field("rule")?;
        let (key, end) = (key.span()?.start, rule.span()?.end);
        let field = format!("middlewares = [\"{name}\"]");
        if table.inline {
            let dotted = table.fields.is_dotted();
            let prefix = if dotted { self.text.get(router.span()?.start..key)? } else { "" };
            return Some(Splice::insert(end, format!(", {prefix}{field}")));
        }
        // `[http.routers]` may have `app.rule = …`.
        let line = line_start(self.text, key);
        let blank = self.text[line..].len() - self.text[line..].trim_start_matches([' ', '\t']).len();
        let indent = indentation(self.text, line + blank)?;
        let prefix = &self.text[line + blank..key];
        Some(line_below(self.text, end, &format!("{indent}{prefix}{field}")))
    }
}
