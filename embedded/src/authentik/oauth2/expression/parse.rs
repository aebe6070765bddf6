//! Tokens to statements. Nesting is bounded, so hostile text cannot exhaust the stack.

use serde_json::Value;

use super::ExpressionError;
use super::token::{Token, tokens};

/// The deepest nesting read.
const DEPTH: usize = 40;

/// One statement.
#[derive(Debug)]
pub(super) enum Statement {
    /// `return x`
    Return(Expression),
    /// `name = x`
    Assign(String, Expression),
    /// `if`, every `elif`, and the block of `else`.
    If(Vec<(Expression, Vec<Statement>)>, Vec<Statement>),
}

/// One expression.
#[derive(Debug)]
pub(super) enum Expression {
    /// A literal.
    Value(Value),
    /// A variable.
    Name(String),
    /// `[a, b]`
    List(Vec<Expression>),
    /// `{k: v}`
    Dict(Vec<(Expression, Expression)>),
    /// `[item for name in source if condition]`
    Comprehension(Box<Comprehension>),
    /// `object.name`
    Attribute(Box<Expression>, String),
    /// `function(a, name=b)`
    Call(Box<Expression>, Vec<Expression>, Vec<(String, Expression)>),
    /// `object[key]`
    Index(Box<Expression>, Box<Expression>),
    /// `not x`
    Not(Box<Expression>),
    /// `a and b`; the flag says `or`.
    Both(Box<Expression>, Box<Expression>, bool),
    /// `a == b`, `!=`, `in`, `not in`
    Compare(Box<Expression>, Comparison, Box<Expression>),
    /// `a + b`
    Add(Box<Expression>, Box<Expression>),
    /// `then if condition else otherwise`
    Choice(Box<[Expression; 3]>),
}

/// The parts of a list comprehension.
#[derive(Debug)]
pub(super) struct Comprehension {
    /// What each element becomes.
    pub(super) item: Expression,
    /// The loop variable.
    pub(super) name: String,
    /// What is looped over.
    pub(super) source: Expression,
    /// The filter, if any.
    pub(super) condition: Option<Expression>,
}

/// A comparison operator.
#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

/// The statements of `source`.
pub(super) fn parse(source: &str) -> Result<Vec<Statement>, ExpressionError> {
    let mut parser = Parser { tokens: tokens(source)?, at: 0, depth: 0 };
    let mut statements = Vec::new();
    while parser.at < parser.tokens.len() {
        statements.push(parser.statement()?);
    }
    Ok(statements)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.tokens.get(self.at) == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn mark(&mut self, mark: &'static str) -> bool {
        self.take(&Token::Mark(mark))
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Name(name)) if name == word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, found: bool) -> Result<(), ExpressionError> {
        if found { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> ExpressionError {
        let near = match self.tokens.get(self.at) {
            Some(Token::Name(text) | Token::Text(text)) => text.clone(),
            Some(Token::Number(number)) => number.to_string(),
            Some(Token::Mark(mark)) => (*mark).to_owned(),
            Some(Token::Line | Token::Indent | Token::Dedent) => "line break".to_owned(),
            None => "end".to_owned(),
        };
        ExpressionError::Syntax { near }
    }

    fn name(&mut self) -> Result<String, ExpressionError> {
        match self.tokens.get(self.at) {
            Some(Token::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn statement(&mut self) -> Result<Statement, ExpressionError> {
        if self.keyword("return") {
            let value = self.expression()?;
            let ended = self.take(&Token::Line);
            self.expect(ended)?;
            return Ok(Statement::Return(value));
        }
        if self.keyword("if") {
            let mut branches = vec![(self.expression()?, self.block()?)];
            while self.keyword("elif") {
                branches.push((self.expression()?, self.block()?));
            }
            let otherwise = if self.keyword("else") { self.block()? } else { Vec::new() };
            return Ok(Statement::If(branches, otherwise));
        }
        let name = self.name()?;
        let assigned = self.mark("=");
        self.expect(assigned)?;
        let value = self.expression()?;
        let ended = self.take(&Token::Line);
        self.expect(ended)?;
        Ok(Statement::Assign(name, value))
    }

    fn block(&mut self) -> Result<Vec<Statement>, ExpressionError> {
        self.enter()?;
        let begun = self.mark(":") && self.take(&Token::Line) && self.take(&Token::Indent);
        self.expect(begun)?;
        let mut statements = Vec::new();
        while !self.take(&Token::Dedent) {
            statements.push(self.statement()?);
        }
        self.depth -= 1;
        Ok(statements)
    }

    fn enter(&mut self) -> Result<(), ExpressionError> {
        self.depth += 1;
        if self.depth > DEPTH { Err(ExpressionError::TooLarge) } else { Ok(()) }
    }

    fn expression(&mut self) -> Result<Expression, ExpressionError> {
        self.enter()?;
        let then = self.either()?;
        let whole = if self.keyword("if") {
            let condition = self.either()?;
            let other = self.keyword("else");
            self.expect(other)?;
            Expression::Choice(Box::new([then, condition, self.expression()?]))
        } else {
            then
        };
        self.depth -= 1;
        Ok(whole)
    }

    fn either(&mut self) -> Result<Expression, ExpressionError> {
        let mut left = self.both()?;
        while self.keyword("or") {
            left = Expression::Both(Box::new(left), Box::new(self.both()?), true);
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, ExpressionError> {
        let mut left = self.negation()?;
        while self.keyword("and") {
            left = Expression::Both(Box::new(left), Box::new(self.negation()?), false);
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Expression, ExpressionError> {
        if self.keyword("not") {
            self.enter()?;
            let inner = self.negation()?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(inner)));
        }
        let left = self.sum()?;
        let comparison = if self.mark("==") {
            Comparison::Equal
        } else if self.mark("!=") {
            Comparison::Unequal
        } else if self.keyword("in") {
            Comparison::In
        } else if self.keyword("not") {
            let member = self.keyword("in");
            self.expect(member)?;
            Comparison::NotIn
        } else {
            return Ok(left);
        };
        Ok(Expression::Compare(Box::new(left), comparison, Box::new(self.sum()?)))
    }

    fn sum(&mut self) -> Result<Expression, ExpressionError> {
        let mut left = self.postfix()?;
        while self.mark("+") {
            left = Expression::Add(Box::new(left), Box::new(self.postfix()?));
        }
        Ok(left)
    }

    fn postfix(&mut self) -> Result<Expression, ExpressionError> {
        let mut value = self.atom()?;
        loop {
            if self.mark(".") {
                value = Expression::Attribute(Box::new(value), self.name()?);
            } else if self.mark("[") {
                value = Expression::Index(Box::new(value), Box::new(self.expression()?));
                let closed = self.mark("]");
                self.expect(closed)?;
            } else if self.mark("(") {
                let (arguments, named) = self.arguments()?;
                value = Expression::Call(Box::new(value), arguments, named);
            } else {
                return Ok(value);
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "positional and named arguments of one call")]
    fn arguments(&mut self) -> Result<(Vec<Expression>, Vec<(String, Expression)>), ExpressionError> {
        let (mut arguments, mut named) = (Vec::new(), Vec::new());
        while !self.mark(")") {
            if self.tokens.get(self.at + 1) == Some(&Token::Mark("=")) {
                let name = self.name()?;
                self.at += 1;
                named.push((name, self.expression()?));
            } else {
                arguments.push(self.expression()?);
            }
            if !self.mark(",") && self.tokens.get(self.at) != Some(&Token::Mark(")")) {
                return Err(self.unexpected());
            }
        }
        Ok((arguments, named))
    }

    fn atom(&mut self) -> Result<Expression, ExpressionError> {
        let Some(token) = self.tokens.get(self.at).cloned() else { return Err(self.unexpected()) };
        match token {
            Token::Text(text) => {
                self.at += 1;
                Ok(Expression::Value(Value::String(text)))
            }
            Token::Number(number) => {
                self.at += 1;
                Ok(Expression::Value(Value::Number(number)))
            }
            Token::Name(name) => {
                let value = match name.as_str() {
                    "True" => Expression::Value(Value::Bool(true)),
                    "False" => Expression::Value(Value::Bool(false)),
                    "None" => Expression::Value(Value::Null),
                    "for" | "if" | "else" | "elif" | "in" | "lambda" | "return" | "import" => {
                        return Err(self.unexpected());
                    }
                    _ => Expression::Name(name),
                };
                self.at += 1;
                Ok(value)
            }
            Token::Mark("(") => {
                self.at += 1;
                let inner = self.expression()?;
                let closed = self.mark(")");
                self.expect(closed)?;
                Ok(inner)
            }
            Token::Mark("[") => {
                self.at += 1;
                self.list()
            }
            Token::Mark("{") => {
                self.at += 1;
                self.dict()
            }
            _ => Err(self.unexpected()),
        }
    }

    fn list(&mut self) -> Result<Expression, ExpressionError> {
        let mut items = Vec::new();
        while !self.mark("]") {
            let item = self.expression()?;
            if items.is_empty() && self.keyword("for") {
                let name = self.name()?;
                let member = self.keyword("in");
                self.expect(member)?;
                let source = self.either()?;
                let condition = if self.keyword("if") { Some(self.either()?) } else { None };
                let closed = self.mark("]");
                self.expect(closed)?;
                return Ok(Expression::Comprehension(Box::new(Comprehension {
                    item,
                    name,
                    source,
                    condition,
                })));
            }
            items.push(item);
            if !self.mark(",") && self.tokens.get(self.at) != Some(&Token::Mark("]")) {
                return Err(self.unexpected());
            }
        }
        Ok(Expression::List(items))
    }

    fn dict(&mut self) -> Result<Expression, ExpressionError> {
        let mut entries = Vec::new();
        while !self.mark("}") {
            let key = self.expression()?;
            let colon = self.mark(":");
            self.expect(colon)?;
            entries.push((key, self.expression()?));
            if !self.mark(",") && self.tokens.get(self.at) != Some(&Token::Mark("}")) {
                return Err(self.unexpected());
            }
        }
        Ok(Expression::Dict(entries))
    }
}
