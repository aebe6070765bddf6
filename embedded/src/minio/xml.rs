//! XML as Go's `encoding/xml` escapes it.

/// `text` with the escapes Go writes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            // XML 1.0 has no other control characters; Go puts the replacement character.
            control if (control as u32) < 0x20 => out.push('\u{FFFD}'),
            other => out.push(other),
        }
    }
    out
}

/// `<name>text</name>`, escaped.
pub(super) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// `element`, or nothing for an empty text.
pub(super) fn optional(name: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { element(name, text) }
}

/// A whole document around `root`.
pub(super) fn document(root: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_angles_are_escaped_as_recorded() {
        assert_eq!(escape("Invalid kid value <nil>"), "Invalid kid value &lt;nil&gt;");
        assert_eq!(escape("'none' & \"x\"\u{1}"), "&#39;none&#39; &amp; &#34;x&#34;\u{FFFD}");
    }
}
