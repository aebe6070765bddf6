//! The first document of a YAML text as it is written: aliases and merge keys are not followed.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

/// A node as written. Other nodes are named by their index in [`Items`].
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    /// Where it stands; of a block its start only.
    pub(super) range: Range<usize>,
    /// Where its `&anchor` stands.
    pub(super) anchor: Option<Range<usize>>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Scalar {
        text: String,
        style: ScalarStyle,
    },
    /// `*name`, and what it stands for.
    Alias(Option<usize>),
    List {
        flow: bool,
        items: Vec<usize>,
    },
    Map {
        flow: bool,
        entries: Vec<(usize, usize)>,
    },
}

/// All nodes of a document.
#[derive(Debug, Default)]
pub(super) struct Items {
    all: Vec<Item>,
}

/// A mapping or list that is being read.
struct Open {
    item: usize,
    /// The key that waits for its value.
    key: Option<usize>,
}

impl Items {
    /// Reads the first document of `text`, whose root is the first item; none when there is no such thing.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut items = Self::default();
        let mut open: Vec<Open> = Vec::new();
        let mut anchors: HashMap<usize, usize> = HashMap::new();
        let mut last = None;
        let options = granit_parser::options! { emit_anchor_events: true };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.ok()?;
            let (kind, anchor) = match event {
                Event::DocumentEnd => break,
                Event::Anchor(..) => {
                    let item: usize = last?;
                    items.all[item].anchor = Some(range(span)?);
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let closed = open.pop()?;
                    items.all[closed.item].range.end = range(span)?.end;
                    continue;
                }
                Event::Alias(anchor) => (Kind::Alias(anchors.get(&anchor).copied()), 0),
                Event::Scalar(value, style, anchor, _) => {
                    (Kind::Scalar { text: value.into_owned(), style }, anchor)
                }
                Event::SequenceStart(style, anchor, _) => {
                    (Kind::List { flow: style == StructureStyle::Flow, items: Vec::new() }, anchor)
                }
                Event::MappingStart(style, anchor, _) => {
                    (Kind::Map { flow: style == StructureStyle::Flow, entries: Vec::new() }, anchor)
                }
                _ => continue,
            };
            let index = items.all.len();
            last = Some(index);
            if anchor != 0 {
                anchors.insert(anchor, index);
            }
            items.hang(&mut open, index);
            if matches!(kind, Kind::List { .. } | Kind::Map { .. }) {
                open.push(Open { item: index, key: None });
            }
            items.all.push(Item { kind, range: range(span)?, anchor: None });
        }
        (!items.all.is_empty()).then_some(items)
    }

    /// Hangs the item that comes next into the one that is open.
    fn hang(&mut self, open: &mut [Open], index: usize) {
        let Some(parent) = open.last_mut() else { return };
        match &mut self.all[parent.item].kind {
            Kind::List { items, .. } => items.push(index),
            Kind::Map { entries, .. } => match parent.key.take() {
                Some(key) => entries.push((key, index)),
                None => parent.key = Some(index),
            },
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
    }

    pub(super) fn get(&self, index: usize) -> &Item {
        &self.all[index]
    }

    /// What an alias stands for; the item itself when it is none.
    pub(super) fn resolved(&self, index: usize) -> usize {
        match self.all[index].kind {
            Kind::Alias(Some(target)) => target,
            _ => index,
        }
    }

    /// The entries of a mapping, or of what an alias stands for.
    pub(super) fn entries(&self, index: usize) -> &[(usize, usize)] {
        match &self.all[self.resolved(index)].kind {
            Kind::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The key and the value of the field `name`, written in any case, that stands in the mapping itself.
    pub(super) fn field(&self, map: usize, name: &str) -> Option<(usize, usize)> {
        let mut found = self.entries(map).iter().filter(|(key, _)| {
            matches!(&self.all[*key].kind, Kind::Scalar { text, .. } if text.eq_ignore_ascii_case(name))
        });
        found.next().copied()
    }

    /// The first alias of `target` in the text.
    pub(super) fn first_alias_of(&self, target: usize) -> Option<&Item> {
        self.all.iter().find(|item| matches!(item.kind, Kind::Alias(Some(of)) if of == target))
    }
}

fn range(span: Span) -> Option<Range<usize>> {
    span.byte_range()
}
