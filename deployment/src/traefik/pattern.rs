//! Regular expressions with the errors of Go's `regexp` package, which Traefik shows in its API.

use regex::Regex;
use regex_syntax::hir::Look;
use regex_syntax::hir::literal::{ExtractKind, Extractor};

/// The named classes both libraries know.
const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Compiles `pattern` as Go would.
///
/// # Errors
/// Go's text, `error parsing regexp: …`, with the part of the pattern that is wrong. Errors that have no
/// counterpart carry the reason of the Rust library.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let failed = |reason: String| format!("error parsing regexp: {reason}");
    let translated = translate(pattern).map_err(failed)?;
    Regex::new(&translated).map_err(|error| failed(go_reason(&translated, &error)))
}

/// Whether a text that ends in `suffix`, given in lower case, may match. Where that cannot be told, it may.
pub(crate) fn may_end_with(pattern: &Regex, suffix: &str) -> bool {
    let Ok(hir) = regex_syntax::parse(pattern.as_str()) else { return true };
    if !hir.properties().look_set_suffix().contains(Look::End) {
        return true;
    }
    let endings = Extractor::new().kind(ExtractKind::Suffix).extract(&hir);
    endings.literals().is_none_or(|literals| {
        literals.iter().any(|literal| {
            let ending = literal.as_bytes().to_ascii_lowercase();
            ending.ends_with(suffix.as_bytes()) || suffix.as_bytes().ends_with(&ending)
        })
    })
}

/// The pattern in Rust's syntax: a brace that counts nothing stands for itself in Go.
///
/// # Errors
/// What Rust's syntax allows and Go's does not: two repetitions in a row, counts over 1000, the flag `x`.
fn translate(pattern: &str) -> Result<String, String> {
    let bytes = pattern.as_bytes();
    let mut translated = String::with_capacity(pattern.len());
    let mut copied = 0;
    let (mut at, mut in_class, mut repeated) = (0, false, None::<usize>);
    while let Some(&byte) = bytes.get(at) {
        let length = match byte {
            b'\\' => {
                let braced =
                    matches!(bytes.get(at + 1), Some(b'p' | b'P' | b'x')) && bytes.get(at + 2) == Some(&b'{');
                let end = pattern.get(at..).and_then(|rest| rest.find('}')).filter(|_| braced);
                end.map_or(2, |end| end + 1)
            }
            b'[' if in_class && bytes.get(at + 1) == Some(&b':') => {
                let name = pattern.get(at + 2..).and_then(|rest| rest.split_once(":]")).map(|(name, _)| name);
                if let Some(name) = name
                    && !CLASSES.contains(&name.trim_start_matches('^'))
                {
                    return Err(format!("invalid character class range: `[:{name}:]`"));
                }
                name.map_or(1, |name| name.len() + 4)
            }
            b'[' if !in_class => {
                in_class = true;
                if bytes.get(at + 1) == Some(&b'^') { 2 } else { 1 }
            }
            b']' => {
                in_class = false;
                1
            }
            b'*' | b'+' | b'?' if !in_class => {
                let lazy = usize::from(bytes.get(at + 1) == Some(&b'?'));
                if let Some(first) = repeated {
                    let fragment = pattern.get(first..at + 1 + lazy).unwrap_or_default();
                    return Err(format!("invalid nested repetition operator: `{fragment}`"));
                }
                repeated = Some(at);
                at += 1 + lazy;
                continue;
            }
            b'{' if !in_class => {
                let end = pattern.get(at..).and_then(|rest| rest.find('}')).unwrap_or(0);
                let count = pattern.get(at + 1..at + end).unwrap_or_default();
                let digits = |count: &str| count.bytes().all(|byte| byte.is_ascii_digit());
                let counts = match count.split_once(',') {
                    Some((least, most)) => !least.is_empty() && digits(least) && digits(most),
                    None => !count.is_empty() && digits(count),
                };
                if !counts {
                    translated.push_str(&pattern[copied..at]);
                    translated.push('\\');
                    copied = at;
                } else if count.split(',').any(|count| count.parse::<u32>().is_ok_and(|count| count > 1000)) {
                    return Err(format!("invalid repeat count: `{{{count}}}`"));
                }
                1
            }
            b'(' if !in_class => {
                let flags: String = pattern
                    .get(at..)
                    .and_then(|rest| rest.strip_prefix("(?"))
                    .unwrap_or_default()
                    .chars()
                    .take_while(char::is_ascii_alphabetic)
                    .collect();
                if let Some(index) = flags.find(|flag| !"imsUP".contains(flag)) {
                    return Err(format!("invalid or unsupported Perl syntax: `(?{}`", &flags[..=index]));
                }
                1
            }
            _ => 1,
        };
        repeated = None;
        at += length;
    }
    translated.push_str(&pattern[copied..]);
    Ok(translated)
}

/// Go's words for the error of the Rust library.
fn go_reason(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or(&text);
    let marked = marked(pattern, &text);
    match reason {
        _ if reason.starts_with("unclosed character class") => {
            let start = unclosed_class(pattern);
            format!("missing closing ]: `{}`", &pattern[start..])
        }
        _ if reason.starts_with("unclosed group") => format!("missing closing ): `{pattern}`"),
        _ if reason.starts_with("unopened group") => format!("unexpected ): `{pattern}`"),
        _ if reason.starts_with("repetition operator missing expression") => {
            format!("missing argument to repetition operator: `{marked}`")
        }
        _ if reason.starts_with("invalid character class range") => {
            format!("invalid character class range: `{marked}`")
        }
        _ if reason.starts_with("invalid repetition count range") => {
            format!("invalid repeat count: `{marked}`")
        }
        _ if reason.starts_with("look-around") => {
            format!("invalid or unsupported Perl syntax: `{}`", marked.get(..3).unwrap_or(&marked))
        }
        _ if reason.starts_with("unrecognized escape") || reason.starts_with("backreferences") => {
            format!("invalid escape sequence: `{marked}`")
        }
        _ if reason.starts_with("incomplete escape") => {
            "trailing backslash at end of expression: ``".to_owned()
        }
        _ => reason.to_owned(),
    }
}

/// The part of `pattern` that carets stand under in the library's drawing.
fn marked(pattern: &str, drawing: &str) -> String {
    let carets = drawing.lines().find_map(|line| {
        let line = line.strip_prefix("    ")?;
        let bare = line.trim_start();
        (bare.starts_with('^') && bare.trim_end_matches('^').is_empty())
            .then(|| (line.len() - bare.len(), bare.len()))
    });
    let Some((start, length)) = carets else { return String::new() };
    pattern.chars().skip(start).take(length).collect()
}

/// Where the last class starts that has no end.
fn unclosed_class(pattern: &str) -> usize {
    let (mut start, mut open, mut escaped) = (0, false, false);
    for (index, letter) in pattern.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' if !open => (start, open) = (index, true),
            ']' => open = false,
            _ => {}
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[test]
    fn errors_are_gos() {
        for (pattern, reason) in [
            ("([", "missing closing ]: `[`"),
            ("(a", "missing closing ): `(a`"),
            ("a)", "unexpected ): `a)`"),
            ("*a", "missing argument to repetition operator: `*`"),
            ("a**", "invalid nested repetition operator: `**`"),
            ("a+?*", "invalid nested repetition operator: `+?*`"),
            ("[z-a]", "invalid character class range: `z-a`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
            ("a{2,1}", "invalid repeat count: `{2,1}`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("\\8", "invalid escape sequence: `\\8`"),
        ] {
            let error = compile(pattern).map(|_| ()).unwrap_err();
            assert_eq!(error, format!("error parsing regexp: {reason}"), "{pattern}");
        }
        for pattern in [
            "^[a-z*+]+$",
            "(?i)^x-authentik-",
            "a\\*\\*",
            "(?P<n>a)??",
            "[^]]*",
            "a{b}",
            "{",
            "\\p{Greek}{2}",
            "a{,2}",
        ] {
            assert!(compile(pattern).is_ok(), "{pattern}");
        }
    }
}
