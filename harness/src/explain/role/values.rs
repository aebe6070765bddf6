//! Evaluating a piece of an expression.

use jmespath::ast::Ast;
use jmespath::{Expression, JmespathError};
use serde_json::Value;

/// What `text` gives on `data`.
pub(super) fn search(text: &str, data: &Value) -> Result<Value, String> {
    let compiled = jmespath::compile(text).map_err(|error| short(&error))?;
    value(compiled.search(data).map_err(|error| short(&error))?)
}

/// What a node of an expression gives on `data`.
pub(super) fn search_node(node: &Ast, data: &Value) -> Option<Value> {
    let expression = Expression::new("", node.clone(), &jmespath::DEFAULT_RUNTIME);
    value(expression.search(data).ok()?).ok()
}

/// Whether JMESPath takes `value` for true.
pub(super) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(holds) => *holds,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Number(_) => true,
    }
}

/// The error without the expression below it.
pub(super) fn short(error: &JmespathError) -> String {
    error.reason.to_string()
}

fn value(found: jmespath::Rcvar) -> Result<Value, String> {
    serde_json::to_value(&*found).map_err(|error| error.to_string())
}
