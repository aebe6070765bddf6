//! The arms of an expression: what stands between its `||`, each evaluated by itself.

use serde::Serialize;
use serde_json::Value;

use super::lexer::{cut, unwrapped};
use super::values::{search, truthy};

/// What stands between two `||`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Arm {
    /// The arm as written.
    pub text: String,
    /// What it gave: JSON, or `error: …`; `null` when an earlier arm decided, or failed.
    pub gave: Option<String>,
    /// Whether its value is the expression's.
    pub decides: bool,
    /// What stands between its `&&`, when there is more than one.
    pub parts: Vec<Part>,
}

/// What stands between two `&&`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The part as written.
    pub text: String,
    /// What it gave, `null` when one before it ended the arm.
    pub gave: Option<String>,
}

/// Evaluates `expression` on `data`, arm by arm. After a pipe the arms are those behind the last one.
pub(super) fn evaluate(expression: &str, data: &Value) -> Vec<Arm> {
    let mut pieces = cut(expression, "|");
    let last = pieces.pop().unwrap_or_default();
    let data = match pieces.is_empty() {
        true => Ok(data.clone()),
        false => search(&pieces.join(" | "), data),
    };
    let arms = cut(unwrapped(last), "||");
    let count = arms.len();
    let mut ended = data.is_err();
    let data = data.unwrap_or_default();
    arms.iter()
        .enumerate()
        .map(|(place, text)| {
            if ended {
                return Arm { text: (*text).to_owned(), gave: None, decides: false, parts: Vec::new() };
            }
            let found = search(text, &data);
            ended = found.as_ref().map_or(true, truthy);
            let decides = found.is_ok() && (ended || place + 1 == count);
            Arm { text: (*text).to_owned(), gave: Some(shown(&found)), decides, parts: parts(text, &data) }
        })
        .collect()
}

fn parts(arm: &str, data: &Value) -> Vec<Part> {
    let texts = cut(arm, "&&");
    if texts.len() < 2 {
        return Vec::new();
    }
    let mut ended = false;
    let part = |text: &&str| {
        let found = (!ended).then(|| search(text, data));
        ended |= found.as_ref().is_some_and(|found| !found.as_ref().is_ok_and(truthy));
        Part { text: (*text).to_owned(), gave: found.as_ref().map(shown) }
    };
    texts.iter().map(part).collect()
}

/// The longest value shown, in characters.
const LONGEST: usize = 200;

fn shown(found: &Result<Value, String>) -> String {
    let text = match found {
        Ok(value) => value.to_string(),
        Err(error) => format!("error: {error}"),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arm_that_decides_and_the_part_that_ended_another() {
        let path = "contains(groups[*], 'a') && 'Admin' || contains(groups[*], 'b') && 'Editor' || 'Viewer'";
        let arms = evaluate(path, &json!({ "groups": ["b"] }));
        assert_eq!(arms.iter().map(|arm| arm.decides).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(arms[0].parts[0].gave.as_deref(), Some("false"));
        assert_eq!(arms[0].parts[1].gave, None);
        assert_eq!(arms[2].gave, None);
    }

    #[test]
    fn an_error_ends_the_expression() {
        let arms = evaluate("contains(groups, 'a') && 'Admin' || 'Viewer'", &json!({}));
        assert!(arms[0].gave.as_ref().unwrap().starts_with("error: "));
        assert!(arms.iter().all(|arm| !arm.decides));
    }

    #[test]
    fn behind_a_pipe_only_the_last_piece_counts() {
        let arms = evaluate("contains(groups[*], 'a') && 'Admin' | 'Viewer'", &json!({ "groups": ["a"] }));
        assert_eq!((arms.len(), arms[0].gave.as_deref()), (1, Some("\"Viewer\"")));
    }
}
