//! Tokens of a rule. Traefik reads rules as Go expressions, so the tokens are Go's, with the semicolon that Go
//! puts at a line end after an operand.

/// A token and where it starts, as bytes from the start of the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) offset: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name.
    Name(String),
    /// A string literal, unescaped.
    Text(String),
    /// A character literal.
    Char,
    /// A number.
    Number,
    /// An operator or a bracket.
    Operator(&'static str),
    /// A line end, or the end of the rule, after an operand.
    Newline,
    /// The end of the rule.
    End,
}

impl Kind {
    /// The token as Go's parser names it in `found …`.
    pub(super) fn found(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Text(text) => format!("`{text}`"),
            Self::Char => "CHAR".to_owned(),
            Self::Number => "INT".to_owned(),
            Self::Operator(operator) => format!("'{operator}'"),
            Self::Newline => "newline".to_owned(),
            Self::End => "'EOF'".to_owned(),
        }
    }

    fn ends_operand(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Text(_) | Self::Char | Self::Number)
            || matches!(self, Self::Operator(")" | "]" | "}" | "++" | "--"))
    }
}

/// Longest first, so that `&&` is not read as two `&`.
const OPERATORS: [&str; 38] = [
    "&&", "||", "==", "!=", "<=", ">=", "&^", "<<", ">>", "++", "--", "+=", "-=", "*=", "/=", "%=", ":=",
    "<-", "!", "&", "|", "(", ")", "[", "]", "{", "}", ",", ".", "+", "-", "*", "/", "%", "^", "=", "<", ">",
];

/// Reads all tokens of `rule`; the last one is [`Kind::End`].
///
/// # Errors
/// Go's text, with line and column, for a literal without an end or a character that starts no token.
pub(super) fn tokens(rule: &str) -> Result<Vec<Token>, String> {
    let mut scanner = Scanner { rule, offset: 0, tokens: Vec::new() };
    while scanner.step()? {}
    Ok(scanner.tokens)
}

/// `line:column` of `offset`, both from 1, columns in bytes as Go counts them.
pub(super) fn position(rule: &str, offset: usize) -> String {
    let before = &rule.as_bytes()[..offset.min(rule.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    format!("{line}:{column}")
}

struct Scanner<'a> {
    rule: &'a str,
    offset: usize,
    tokens: Vec<Token>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.rule[self.offset..]
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.tokens.push(Token { kind, offset: self.offset });
        self.offset += length;
    }

    fn failed(&self, offset: usize, reason: &str) -> String {
        format!("{}: {reason}", position(self.rule, offset))
    }

    /// Reads one token; `false` at the end.
    fn step(&mut self) -> Result<bool, String> {
        let after_operand = self.tokens.last().is_some_and(|token| token.kind.ends_operand());
        let Some(first) = self.rest().chars().next() else {
            if after_operand {
                self.push(Kind::Newline, 0);
            }
            self.push(Kind::End, 0);
            return Ok(false);
        };
        match first {
            '\n' if after_operand => self.push(Kind::Newline, 1),
            ' ' | '\t' | '\r' | '\n' => self.offset += 1,
            '`' => self.raw_text()?,
            '"' => self.text()?,
            '\'' => self.character()?,
            _ if self.rest().starts_with("//") => {
                self.offset += self.rest().find('\n').unwrap_or(self.rest().len());
            }
            _ if self.rest().starts_with("/*") => match self.rest().find("*/") {
                Some(end) => self.offset += end + 2,
                None => return Err(self.failed(self.offset, "comment not terminated")),
            },
            _ if first.is_alphabetic() || first == '_' => {
                let length = self.length_of(|letter| letter.is_alphanumeric() || letter == '_');
                self.push(Kind::Name(self.rest()[..length].to_owned()), length);
            }
            _ if first.is_ascii_digit() => {
                let length = self.length_of(|letter| letter.is_ascii_alphanumeric() || letter == '.');
                self.push(Kind::Number, length);
            }
            _ => match OPERATORS.iter().find(|operator| self.rest().starts_with(**operator)) {
                Some(operator) => self.push(Kind::Operator(operator), operator.len()),
                None => {
                    let reason = format!("illegal character U+{:04X} '{first}'", u32::from(first));
                    return Err(self.failed(self.offset, &reason));
                }
            },
        }
        Ok(true)
    }

    fn length_of(&self, belongs: impl Fn(char) -> bool) -> usize {
        let rest = self.rest();
        rest.find(|letter| !belongs(letter)).unwrap_or(rest.len())
    }

    fn raw_text(&mut self) -> Result<(), String> {
        let body = &self.rest()[1..];
        match body.find('`') {
            Some(end) => {
                let text = body[..end].replace('\r', "");
                self.push(Kind::Text(text), end + 2);
                Ok(())
            }
            None => Err(self.failed(self.offset, "raw string literal not terminated")),
        }
    }

    fn text(&mut self) -> Result<(), String> {
        let mut text = String::new();
        let start = self.offset;
        let mut at = start + 1;
        loop {
            let Some(letter) = self.rule[at..].chars().next().filter(|letter| *letter != '\n') else {
                return Err(self.failed(start, "string literal not terminated"));
            };
            at += letter.len_utf8();
            match letter {
                '"' => break,
                '\\' => at = self.escape(at, &mut text)?,
                _ => text.push(letter),
            }
        }
        self.push(Kind::Text(text), at - start);
        Ok(())
    }

    /// Reads the escape whose first letter stands at `at`; returns where it ends.
    fn escape(&self, at: usize, text: &mut String) -> Result<usize, String> {
        let Some(letter) = self.rule[at..].chars().next() else {
            return Err(self.failed(self.offset, "string literal not terminated"));
        };
        let simple = match letter {
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            '\\' | '"' => Some(letter),
            _ => None,
        };
        if let Some(simple) = simple {
            text.push(simple);
            return Ok(at + 1);
        }
        let (skip, digits, radix) = match letter {
            'x' => (1, 2, 16),
            'u' => (1, 4, 16),
            'U' => (1, 8, 16),
            '0'..='7' => (0, 3, 8),
            _ => return Err(self.failed(at - 1, "unknown escape sequence")),
        };
        let from = at + skip;
        for (index, digit) in self.rule[from..].chars().take(digits).enumerate() {
            if !digit.is_digit(radix) {
                let reason =
                    format!("illegal character U+{:04X} '{digit}' in escape sequence", u32::from(digit));
                return Err(self.failed(from + index, &reason));
            }
        }
        let number =
            self.rule.get(from..from + digits).and_then(|digits| u32::from_str_radix(digits, radix).ok());
        let value = number
            .and_then(char::from_u32)
            .ok_or_else(|| self.failed(at - 1, "escape sequence is invalid Unicode code point"))?;
        text.push(value);
        Ok(from + digits)
    }

    fn character(&mut self) -> Result<(), String> {
        let body = &self.rest()[1..];
        let mut escaped = false;
        for (index, letter) in body.char_indices() {
            match letter {
                '\n' => break,
                '\'' if !escaped => {
                    self.push(Kind::Char, index + 2);
                    return Ok(());
                }
                _ => escaped = letter == '\\' && !escaped,
            }
        }
        Err(self.failed(self.offset, "rune literal not terminated"))
    }
}
