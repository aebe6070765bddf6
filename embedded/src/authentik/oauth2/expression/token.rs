//! Text of an expression to tokens, with Python's indentation rule.

use super::ExpressionError;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or keyword.
    Name(String),
    /// A string literal, escapes resolved.
    Text(String),
    /// An integer or a decimal number.
    Number(serde_json::Number),
    /// An operator or bracket.
    Mark(&'static str),
    /// The end of a logical line.
    Line,
    /// A deeper block begins.
    Indent,
    /// A block ends.
    Dedent,
}

/// How many tokens an expression may have.
const TOKENS: usize = 4_000;

const MARKS: [&str; 15] = ["==", "!=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "=", ";", "-", "+"];

/// The tokens of `source`.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, ExpressionError> {
    let mut found = Vec::new();
    let mut indents = vec![0];
    let mut open = 0_usize;
    for (number, line) in source.lines().enumerate() {
        let text = line.trim_start();
        if open == 0 {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let indent = line.len() - text.len();
            if indent > indents.last().copied().unwrap_or(0) {
                indents.push(indent);
                found.push(Token::Indent);
            }
            while indent < indents.last().copied().unwrap_or(0) {
                indents.pop();
                found.push(Token::Dedent);
            }
        }
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first.is_whitespace() {
                rest = &rest[first.len_utf8()..];
            } else if first == '#' {
                break;
            } else if first == '"' || first == '\'' {
                let (text, after) = string(rest, first).ok_or(ExpressionError::Text { line: number + 1 })?;
                found.push(Token::Text(text));
                rest = after;
            } else if first.is_ascii_digit() {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                let value = rest[..end].parse().map_err(|_| ExpressionError::Text { line: number + 1 })?;
                found.push(Token::Number(value));
                rest = &rest[end..];
            } else if first.is_alphabetic() || first == '_' {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                found.push(Token::Name(rest[..end].to_owned()));
                rest = &rest[end..];
            } else {
                let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark));
                let mark = mark.ok_or(ExpressionError::Text { line: number + 1 })?;
                match mark {
                    "(" | "[" | "{" => open += 1,
                    ")" | "]" | "}" => open = open.saturating_sub(1),
                    _ => {}
                }
                found.push(Token::Mark(mark));
                rest = &rest[mark.len()..];
            }
        }
        if open == 0 {
            found.push(Token::Line);
        }
        if found.len() > TOKENS {
            return Err(ExpressionError::TooLarge);
        }
    }
    found.extend(std::iter::repeat_n(Token::Dedent, indents.len() - 1));
    Ok(found)
}

/// The string literal at the start of `rest`, and what follows it.
fn string(rest: &str, quote: char) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => text.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            c if c == quote => return Some((text, &rest[at + 1..])),
            c => text.push(c),
        }
    }
    None
}
