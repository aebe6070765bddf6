//! The syntax tree of a rule: Go's expression grammar as far as a rule can use it.

use super::token::{Kind, Token, position, tokens};

/// The deepest nesting of brackets and negations that is read.
const DEEPEST: usize = 100;

/// A parsed expression that has no meaning yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Syntax {
    /// `` `text` `` or `"text"`.
    Text(String),
    /// `'c'`.
    Char,
    /// `1`.
    Number,
    /// `a` or `a.b`.
    Name(String),
    /// `a(…).b`.
    Selector,
    /// `name(arguments)`; the name of a call of anything else is none.
    Call(Option<String>, Vec<Syntax>),
    /// `(…)`.
    Group(Box<Syntax>),
    /// `!…`.
    Not(Box<Syntax>),
    /// `… && …`.
    And(Vec<Syntax>),
    /// `… || …`.
    Or(Vec<Syntax>),
    /// Another unary operator.
    Unary(&'static str),
    /// Another binary operator.
    Binary(&'static str),
}

/// Reads `rule` as one expression.
///
/// # Errors
/// Go's parser's first error: `line:column: …`.
pub(super) fn parse(rule: &str) -> Result<Syntax, String> {
    let mut parser = Parser { rule, tokens: tokens(rule)?, at: 0, depth: 0 };
    let syntax = parser.binary(1)?;
    if *parser.peek() == Kind::Newline {
        parser.at += 1;
    }
    match parser.peek() {
        Kind::End => Ok(syntax),
        other => Err(parser.failed(&format!("expected 'EOF', found {}", other.found()))),
    }
}

struct Parser<'a> {
    rule: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &Kind {
        &self.token().kind
    }

    fn failed(&self, reason: &str) -> String {
        format!("{}: {reason}", position(self.rule, self.token().offset))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth == DEEPEST {
            return Err(self.failed("exceeded max nesting depth"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Reads operators that bind at least as tight as `tightness`, Go's levels 1 to 5.
    fn binary(&mut self, tightness: usize) -> Result<Syntax, String> {
        if tightness > 5 {
            return self.unary();
        }
        let mut left = self.binary(tightness + 1)?;
        while let Kind::Operator(operator) = *self.peek() {
            if level(operator) != tightness {
                break;
            }
            self.at += 1;
            let right = self.binary(tightness + 1)?;
            left = match (operator, left) {
                ("&&", Syntax::And(mut terms)) => {
                    terms.push(right);
                    Syntax::And(terms)
                }
                ("||", Syntax::Or(mut terms)) => {
                    terms.push(right);
                    Syntax::Or(terms)
                }
                ("&&", left) => Syntax::And(vec![left, right]),
                ("||", left) => Syntax::Or(vec![left, right]),
                (operator, _) => Syntax::Binary(operator),
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Syntax, String> {
        match *self.peek() {
            Kind::Operator("!") => {
                self.at += 1;
                Ok(Syntax::Not(Box::new(self.deeper(Self::unary)?)))
            }
            Kind::Operator(operator @ ("+" | "-" | "^" | "*" | "&" | "<-")) => {
                self.at += 1;
                self.deeper(Self::unary)?;
                Ok(Syntax::Unary(operator))
            }
            _ => self.primary(),
        }
    }

    fn primary(&mut self) -> Result<Syntax, String> {
        let mut syntax = match self.peek().clone() {
            Kind::Name(name) => self.step(Syntax::Name(name)),
            Kind::Text(text) => self.step(Syntax::Text(text)),
            Kind::Char => self.step(Syntax::Char),
            Kind::Number => self.step(Syntax::Number),
            Kind::Operator("(") => {
                self.at += 1;
                let inner = self.deeper(|parser| parser.binary(1))?;
                self.close("expected ')'")?;
                Syntax::Group(Box::new(inner))
            }
            other => return Err(self.failed(&format!("expected operand, found {}", other.found()))),
        };
        loop {
            syntax = match self.peek() {
                Kind::Operator("(") => self.call(syntax)?,
                Kind::Operator(".") => self.selector(syntax)?,
                _ => return Ok(syntax),
            };
        }
    }

    fn step(&mut self, syntax: Syntax) -> Syntax {
        self.at += 1;
        syntax
    }

    fn selector(&mut self, of: Syntax) -> Result<Syntax, String> {
        self.at += 1;
        let Kind::Name(name) = self.peek().clone() else {
            return Err(self.failed("expected selector or type assertion"));
        };
        self.at += 1;
        Ok(match of {
            Syntax::Name(outer) => Syntax::Name(format!("{outer}.{name}")),
            _ => Syntax::Selector,
        })
    }

    fn call(&mut self, of: Syntax) -> Result<Syntax, String> {
        self.at += 1;
        let mut arguments = Vec::new();
        while !matches!(self.peek(), Kind::Operator(")") | Kind::End) {
            arguments.push(self.deeper(|parser| parser.binary(1))?);
            match self.peek() {
                Kind::Operator(",") => self.at += 1,
                Kind::Operator(")") => break,
                Kind::Newline => return Err(self.failed("missing ',' before newline in argument list")),
                _ => return Err(self.failed("missing ',' in argument list")),
            }
        }
        self.close("expected ')'")?;
        let name = match of {
            Syntax::Name(name) => Some(name),
            _ => None,
        };
        Ok(Syntax::Call(name, arguments))
    }

    fn close(&mut self, expected: &str) -> Result<(), String> {
        match self.peek() {
            Kind::Operator(")") => {
                self.at += 1;
                Ok(())
            }
            other => Err(self.failed(&format!("{expected}, found {}", other.found()))),
        }
    }
}

/// How tight Go's operator binds; 0 for what is no binary operator.
fn level(operator: &str) -> usize {
    match operator {
        "||" => 1,
        "&&" => 2,
        "==" | "!=" | "<" | "<=" | ">" | ">=" => 3,
        "+" | "-" | "|" | "^" => 4,
        "*" | "/" | "%" | "<<" | ">>" | "&" | "&^" => 5,
        _ => 0,
    }
}
