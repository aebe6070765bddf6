//! The small part of Python that scope-mapping expressions of real deployments use.

mod eval;
mod parse;
mod token;

pub(crate) use eval::evaluate;

/// Why an expression gives no claims.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum ExpressionError {
    /// A character or an unclosed string that is no token.
    #[error("unreadable text at line {line}")]
    Text {
        /// The line, from 1.
        line: usize,
    },
    /// Python that this evaluator does not speak.
    #[error("unsupported syntax at `{near}`")]
    Syntax {
        /// The token at which reading stopped.
        near: String,
    },
    /// A name, attribute, method or operand with no meaning here.
    #[error("{0}")]
    Value(String),
    /// Nested too deep or too long to evaluate.
    #[error("too large to evaluate")]
    TooLarge,
}
