//! A YAML text with its routers.

use std::collections::HashMap;

use ssoproof_deployment::traefik::OutlinedRouter;

use super::item::{Items, Kind};
use crate::edit::splice::Candidate;

/// Where everything of a text stands.
pub(in crate::edit) struct Layout<'a> {
    pub(super) text: &'a str,
    pub(super) items: Items,
    /// The mapping of routers.
    routers: usize,
    /// The value of each router.
    by_name: HashMap<String, usize>,
    pub(super) style: ListStyle,
}

/// How the file writes lists of names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ListStyle {
    /// How far the dash of a block stands right of its key; none for lists in brackets.
    pub(super) dash: Option<usize>,
    /// The quote around names.
    pub(super) quote: Option<char>,
}

impl ListStyle {
    pub(super) fn quoted(self, name: &str) -> String {
        let quote = self.quote.map(String::from).unwrap_or_default();
        format!("{quote}{name}{quote}")
    }
}

impl<'a> Layout<'a> {
    /// Reads `text`; none when it has no routers.
    pub(in crate::edit) fn read(text: &'a str) -> Option<Self> {
        let items = Items::read(text)?;
        let (_, http) = items.field(0, "http")?;
        let (_, routers) = items.field(http, "routers")?;
        let by_name = items.entries(routers).iter().filter_map(|(key, value)| match &items.get(*key).kind {
            Kind::Scalar { text, .. } => Some((text.clone(), *value)),
            _ => None,
        });
        let by_name = by_name.collect();
        let mut layout = Self { text, items, routers, by_name, style: ListStyle::default() };
        layout.style = layout.common_style();
        Some(layout)
    }

    /// The ways to give `router` the middleware `name`, the best first.
    pub(in crate::edit) fn candidates(&self, router: &OutlinedRouter, name: &str) -> Vec<Candidate> {
        match self.by_name.get(&router.name.value) {
            Some(value) => self.router_candidates(*value, &router.middlewares, name),
            None => Vec::new(),
        }
    }

    /// The style of the first list of names that the file's routers have.
    fn common_style(&self) -> ListStyle {
        let lists = |field: &'static str| {
            self.items
                .entries(self.routers)
                .iter()
                .filter_map(move |(_, router)| self.style_of(*router, field))
        };
        lists("middlewares").next().or_else(|| lists("entryPoints").next()).unwrap_or_default()
    }

    /// The style of a router's list.
    pub(super) fn style_of(&self, router: usize, field: &str) -> Option<ListStyle> {
        let (key, value) = self.items.field(router, field)?;
        let Kind::List { flow, items } = &self.items.get(value).kind else { return None };
        let first = self.items.get(*items.first()?);
        let quote =
            self.text[first.range.start..].chars().next().filter(|letter| matches!(letter, '"' | '\''));
        let dash = if *flow {
            None
        } else {
            let dash = self.column(self.first_dash(key)?);
            Some(dash.saturating_sub(self.column(self.items.get(key).range.start)))
        };
        Some(ListStyle { dash, quote })
    }

    /// Bytes before `at` on its line.
    pub(super) fn column(&self, at: usize) -> usize {
        at - crate::edit::splice::line_start(self.text, at)
    }
}
