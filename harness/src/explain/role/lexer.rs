//! Where an expression splits: just enough of JMESPath's grammar to cut it at `||`, `&&` and `|` outside brackets
//! and quotes.

/// A quoted piece of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quoted {
    /// The quote.
    pub(super) quote: char,
    /// What stands between the quotes.
    pub(super) inside: String,
}

/// Cuts `text` at every `operator` that stands outside brackets and quotes, each piece trimmed.
pub(super) fn cut<'a>(text: &'a str, operator: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut skip = 0;
    for (at, depth) in outside(text) {
        let here = text.get(at..).unwrap_or_default();
        if depth > 0 || at < skip || !here.starts_with(operator) {
            continue;
        }
        // A pipe is no half of `||`.
        if operator == "|" && here.starts_with("||") {
            skip = at + 2;
            continue;
        }
        pieces.push(text.get(from..at).unwrap_or_default().trim());
        from = at + operator.len();
        skip = from;
    }
    pieces.push(text.get(from..).unwrap_or_default().trim());
    pieces
}

/// `text` without brackets that hold all of it.
pub(super) fn unwrapped(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
        && outside(text).all(|(at, depth)| depth > 0 || at + 1 >= text.len())
    {
        text = inner.trim();
    }
    text
}

/// The quoted pieces, in order.
pub(super) fn quoted(text: &str) -> Vec<Quoted> {
    let mut found = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if !matches!(letter, '\'' | '"' | '`') {
            continue;
        }
        let mut inside = String::new();
        while let Some(next) = letters.next() {
            match next {
                '\\' => match letters.next() {
                    Some(escaped) if escaped == letter => inside.push(escaped),
                    Some(other) => inside.extend(['\\', other]),
                    None => {}
                },
                end if end == letter => break,
                other => inside.push(other),
            }
        }
        found.push(Quoted { quote: letter, inside });
    }
    found
}

/// Every byte offset that is outside quotes, with the depth of brackets there; a bracket counts as inside itself.
fn outside(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut depth = 0_usize;
    text.char_indices().filter_map(move |(at, letter)| {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if letter == '\\' {
                escaped = true;
            } else if letter == open {
                quote = None;
            }
            return None;
        }
        match letter {
            '\'' | '"' | '`' => {
                quote = Some(letter);
                return None;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                return Some((at, depth));
            }
            _ => {}
        }
        Some((at, depth))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_in_quotes_and_brackets_do_not_cut() {
        assert_eq!(cut("a && 'x||y' || (b || c) && 'Z'", "||"), ["a && 'x||y'", "(b || c) && 'Z'"]);
        assert_eq!(cut(r"'it\'s || x' || b", "||"), [r"'it\'s || x'", "b"]);
        assert_eq!(cut("a || b | 'V'", "|"), ["a || b", "'V'"]);
        assert_eq!(cut("a", "||"), ["a"]);
    }

    #[test]
    fn brackets_around_everything_are_taken_off() {
        assert_eq!(unwrapped("((a || b))"), "a || b");
        assert_eq!(unwrapped("(a) || (b)"), "(a) || (b)");
    }

    #[test]
    fn quotes_are_told_apart() {
        let found = quoted("contains(groups, 'it\\'s') && \"Admin\"");
        assert_eq!(found[0], Quoted { quote: '\'', inside: "it's".to_owned() });
        assert_eq!(found[1], Quoted { quote: '"', inside: "Admin".to_owned() });
    }
}
