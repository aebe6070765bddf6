//! Changes of a text by place.

use std::ops::Range;

/// A range of a text, in bytes, and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) with: String,
}

impl Splice {
    pub(super) fn insert(at: usize, with: impl Into<String>) -> Self {
        Self { range: at..at, with: with.into() }
    }

    pub(super) fn replace(range: Range<usize>, with: impl Into<String>) -> Self {
        Self { range, with: with.into() }
    }
}

/// One way to give a router its middleware. Which one is right shows when the new text is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) splices: Vec<Splice>,
    /// Whether it writes out what the router has from elsewhere: not needed when that place is edited first.
    pub(super) copies: bool,
}

impl Candidate {
    pub(super) fn new(splice: Splice) -> Self {
        Self { splices: vec![splice], copies: false }
    }

    pub(super) fn copying(splice: Splice) -> Self {
        Self { splices: vec![splice], copies: true }
    }
}

/// `text` with all `splices`, of which equal ones count once; none when two of them overlap or one is out of place.
pub(super) fn apply(text: &str, splices: &[&Splice]) -> Option<String> {
    let mut splices = splices.to_vec();
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    splices.dedup();
    let mut changed =
        String::with_capacity(text.len() + splices.iter().map(|splice| splice.with.len()).sum::<usize>());
    let mut at = 0;
    for splice in splices {
        changed.push_str(text.get(at..splice.range.start)?);
        changed.push_str(&splice.with);
        at = splice.range.end;
    }
    changed.push_str(text.get(at..)?);
    Some(changed)
}

/// Where the line that holds `at` starts.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |index| index + 1)
}

/// Where the line that holds `at` ends, its line end not counted, and where the next one starts, when there is one.
pub(super) fn line_end(text: &str, at: usize) -> (usize, Option<usize>) {
    match text[at..].find('\n') {
        None => (text.len(), None),
        Some(index) => {
            let end = at + index;
            let bare = if text[at..end].ends_with('\r') { end - 1 } else { end };
            (bare, Some(end + 1))
        }
    }
}

/// The line end in use around `at`: that of the line, or of the one before it.
pub(super) fn line_break(text: &str, at: usize) -> &'static str {
    let end = text[at..].find('\n').map(|index| at + index).or_else(|| text[..at].rfind('\n'));
    if end.is_some_and(|end| text[..end].ends_with('\r')) { "\r\n" } else { "\n" }
}

/// The blanks before `at` on its line, when there is nothing else.
pub(super) fn indentation(text: &str, at: usize) -> Option<&str> {
    let before = &text[line_start(text, at)..at];
    before.bytes().all(|byte| byte == b' ' || byte == b'\t').then_some(before)
}

/// A new line `content` below the line that holds `at`, which may be the last one and have no line end.
pub(super) fn line_below(text: &str, at: usize, content: &str) -> Splice {
    let line_break = line_break(text, at);
    match line_end(text, at) {
        (_, Some(next)) => Splice::insert(next, format!("{content}{line_break}")),
        (end, None) => Splice::insert(end, format!("{line_break}{content}")),
    }
}

/// `item` before everything in the list in brackets that opens at `open`, laid out as the list is.
pub(super) fn first_in_brackets(text: &str, open: usize, item: &str) -> Option<Splice> {
    let inner = text.get(open..)?.strip_prefix('[')?;
    let blank = &inner[..inner.len() - inner.trim_start_matches([' ', '\t', '\r', '\n']).len()];
    let at = open + 1;
    Some(match inner[blank.len()..].chars().next()? {
        ']' => Splice::insert(at, item),
        '#' => Splice::insert(at, format!("{item}, ")),
        _ if blank.contains('\n') => Splice::insert(at + blank.len(), format!("{item},{blank}")),
        _ => Splice::insert(at + blank.len(), format!("{item}, ")),
    })
}
