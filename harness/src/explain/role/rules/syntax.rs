//! How the expression is written.

use super::super::lexer::{cut, quoted, unwrapped};
use super::super::lint::Scene;
use super::super::values::short;
use super::results::is_role;
use crate::explain::Advice;

/// It does not parse: every login meets the same error.
pub(in super::super) fn error(scene: &Scene<'_>) -> Vec<Advice> {
    let Err(error) = jmespath::compile(scene.path()) else { return Vec::new() };
    let line = scene.path().lines().nth(error.line).unwrap_or_default();
    let caret = " ".repeat(error.column);
    let what = format!("the expression does not parse at column {}: {}", error.column + 1, short(&error));
    let end =
        if scene.settings.strict { "every login is refused" } else { "everybody gets the default role" };
    let help = format!("{line}\n     {caret}^ {}; until it is mended {end}", hint(line));
    vec![Advice::new("syntax-error", what, help)]
}

/// What people write instead.
fn hint(line: &str) -> &'static str {
    let bare: String = {
        let mut quote = None;
        let outside = line.chars().filter(|letter| match (quote, letter) {
            (None, '\'' | '"' | '`') => {
                quote = Some(*letter);
                false
            }
            (Some(open), letter) if open == *letter => {
                quote = None;
                false
            }
            (open, _) => open.is_none(),
        });
        outside.collect()
    };
    let words: Vec<&str> = bare.split_whitespace().collect();
    let count = |letter: char| bare.matches(letter).count();
    if count('(') != count(')') {
        "the round brackets do not pair"
    } else if count('[') != count(']') {
        "the square brackets do not pair"
    } else if words.iter().any(|word| ["and", "or", "not"].contains(&word.to_ascii_lowercase().as_str())) {
        "write `&&`, `||` and `!` for and, or and not"
    } else if bare.contains('=') && !["==", "!=", "<=", ">="].iter().any(|sign| bare.contains(sign)) {
        "compare with `==`"
    } else if line.matches('\'').count() % 2 == 1 {
        "a quote is not closed; inside of quotes write `\\'`"
    } else if line.contains(['‘', '’', '“', '”']) {
        "quotes are straight: 'Admin'"
    } else {
        "mend what stands here"
    }
}

/// A field where text was meant.
pub(in super::super) fn double_quotes(scene: &Scene<'_>) -> Vec<Advice> {
    let claims = scene.searched();
    let absent = |name: &str| claims.iter().all(|claims| claims.get(name).is_none());
    quoted(scene.path())
        .into_iter()
        .filter(|quoted| quoted.quote == '"' && absent(&quoted.inside))
        .map(|quoted| {
            let name = quoted.inside;
            let what = format!("\"{name}\" is the claim of that name, which is missing and so null: no text");
            Advice::new("double-quotes", what, format!("text stands in single quotes: '{name}'"))
        })
        .collect()
}

/// JSON where text was meant.
pub(in super::super) fn backticks(scene: &Scene<'_>) -> Vec<Advice> {
    let bare = |inside: &str| serde_json::from_str::<serde_json::Value>(inside).is_err();
    quoted(scene.path())
        .into_iter()
        .filter(|quoted| quoted.quote == '`' && bare(&quoted.inside))
        .map(|quoted| {
            let name = quoted.inside;
            let what = format!("`{name}` stands in backticks, which hold JSON");
            Advice::new("backticks", what, format!("text stands in single quotes: '{name}'"))
        })
        .collect()
}

/// A pipe where `||` was meant.
pub(in super::super) fn single_pipe(scene: &Scene<'_>) -> Vec<Advice> {
    let mut pieces = cut(unwrapped(scene.path()), "|");
    let Some(last) = pieces.pop().filter(|_| !pieces.is_empty()) else { return Vec::new() };
    let arms_before = pieces
        .iter()
        .any(|piece| quoted(piece).iter().any(|quoted| quoted.quote == '\'' && is_role(&quoted.inside)));
    if !arms_before {
        return Vec::new();
    }
    let what = format!("`|` hands the value on its left to `{last}`, so what stands before it is lost");
    vec![Advice::new("single-pipe", what, "write `||` between arms")]
}
