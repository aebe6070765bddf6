//! Texts as YAML takes them.

use std::fmt::Write as _;

use serde_json::Value;

/// A text as a YAML scalar, in quotes where it could be taken for something else.
pub(super) fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || " /._@+-".contains(c) || c == ':')
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text in quotes: JSON's texts are YAML's, but for characters that YAML does not take as they are.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for letter in Value::from(text).to_string().chars() {
        match letter {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            _ => quoted.push(letter),
        }
    }
    quoted
}

/// Texts as a YAML list in one line.
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts
        .into_iter()
        .map(|text| {
            let text = scalar(text);
            // Between brackets a comma ends a value.
            if text.contains(',') && !text.starts_with('"') { quoted(&text) } else { text }
        })
        .collect();
    format!("[{}]", texts.join(", "))
}

/// `text` as comment lines of at most 116 characters.
pub(super) fn comment(out: &mut String, indent: &str, text: &str) {
    let width = 116_usize.saturating_sub(indent.len());
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            let _ = writeln!(out, "{indent}# {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{indent}# {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_text_is_read_as_it_was(text in proptest::prop_oneof![".*", "[a-z:, #\\[\\]{}'\"&*!|>%@`-]{0,12}"]) {
            let source = ssoproof_deployment::Source::inline("x", &format!("a: {}\nb: {}\n", scalar(&text), list([text.as_str()])));
            let read: std::collections::BTreeMap<String, Value> = source.yaml().unwrap();
            proptest::prop_assert_eq!(&read["a"], &Value::from(text.as_str()));
            proptest::prop_assert_eq!(&read["b"], &Value::from(vec![text]));
        }
    }
}
