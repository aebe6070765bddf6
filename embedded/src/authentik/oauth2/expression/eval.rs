//! Statements to a value. Objects of the real program (`request.user`, its groups) are plain JSON here.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::ExpressionError;
use super::parse::{Comparison, Expression, Statement, parse};

/// How many expressions one evaluation may visit.
const STEPS: usize = 10_000;

/// How deep expressions may nest when they run.
const DEPTH: usize = 120;

/// What `source` returns when its names are `variables`; `null` when it runs off the end.
///
/// `request.user` is an object with the attributes `username`, `name`, `email`, `is_superuser`, `attributes`,
/// `groups` (direct) and `all_groups` (with parents); a group is `{"name": …}`.
///
/// # Errors
/// [`ExpressionError`] for anything outside the forms read here; the caller logs it and leaves the claims out.
pub(crate) fn evaluate(source: &str, variables: HashMap<String, Value>) -> Result<Value, ExpressionError> {
    let statements = parse(source)?;
    let mut run = Run { variables, steps: 0, depth: 0 };
    Ok(run.block(&statements)?.unwrap_or(Value::Null))
}

struct Run {
    variables: HashMap<String, Value>,
    steps: usize,
    depth: usize,
}

impl Run {
    fn block(&mut self, statements: &[Statement]) -> Result<Option<Value>, ExpressionError> {
        for statement in statements {
            let returned = match statement {
                Statement::Return(value) => Some(self.value(value)?),
                Statement::Assign(name, value) => {
                    let value = self.value(value)?;
                    self.variables.insert(name.clone(), value);
                    None
                }
                Statement::If(branches, otherwise) => {
                    let mut chosen = otherwise;
                    for (condition, block) in branches {
                        if truthy(&self.value(condition)?) {
                            chosen = block;
                            break;
                        }
                    }
                    self.block(chosen)?
                }
            };
            if returned.is_some() {
                return Ok(returned);
            }
        }
        Ok(None)
    }

    fn value(&mut self, expression: &Expression) -> Result<Value, ExpressionError> {
        self.steps += 1;
        self.depth += 1;
        if self.steps > STEPS || self.depth > DEPTH {
            return Err(ExpressionError::TooLarge);
        }
        let value = self.compute(expression)?;
        self.depth -= 1;
        Ok(value)
    }

    fn compute(&mut self, expression: &Expression) -> Result<Value, ExpressionError> {
        match expression {
            Expression::Value(value) => Ok(value.clone()),
            Expression::Name(name) => self
                .variables
                .get(name)
                .cloned()
                .ok_or_else(|| wrong(format!("name `{name}` is not defined"))),
            Expression::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Expression::Dict(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let Value::String(key) = self.value(key)? else {
                        return Err(wrong("a key is not a string"));
                    };
                    map.insert(key, self.value(value)?);
                }
                Ok(Value::Object(map))
            }
            Expression::Comprehension(parts) => {
                let Value::Array(elements) = self.value(&parts.source)? else {
                    return Err(wrong("a loop goes over something that is no list"));
                };
                let outer = self.variables.remove(&parts.name);
                let mut items = Vec::new();
                for element in elements {
                    self.variables.insert(parts.name.clone(), element);
                    let kept = match &parts.condition {
                        Some(condition) => truthy(&self.value(condition)?),
                        None => true,
                    };
                    if kept {
                        items.push(self.value(&parts.item)?);
                    }
                }
                self.variables.remove(&parts.name);
                self.variables.extend(outer.map(|value| (parts.name.clone(), value)));
                Ok(Value::Array(items))
            }
            Expression::Attribute(object, name) => {
                let object = self.value(object)?;
                object.get(name).cloned().ok_or_else(|| wrong(format!("no attribute `{name}`")))
            }
            Expression::Index(object, key) => {
                let (object, key) = (self.value(object)?, self.value(key)?);
                let found = match &key {
                    Value::String(key) => object.get(key),
                    key => key.as_u64().and_then(|at| object.get(usize::try_from(at).ok()?)),
                };
                found.cloned().ok_or_else(|| wrong(format!("no element {key}")))
            }
            Expression::Call(function, arguments, named) => {
                let arguments = arguments.iter().map(|a| self.value(a)).collect::<Result<Vec<_>, _>>()?;
                let named = named
                    .iter()
                    .map(|(n, a)| Ok((n.as_str(), self.value(a)?)))
                    .collect::<Result<Vec<_>, _>>()?;
                match &**function {
                    Expression::Attribute(object, method) => {
                        let object = self.value(object)?;
                        call_method(object, method, &arguments, &named)
                    }
                    Expression::Name(name) => call_function(name, &arguments, &named),
                    _ => Err(wrong("only names and methods can be called")),
                }
            }
            Expression::Not(inner) => Ok(Value::Bool(!truthy(&self.value(inner)?))),
            Expression::Both(left, right, or) => {
                let left = self.value(left)?;
                if truthy(&left) == *or { Ok(left) } else { self.value(right) }
            }
            Expression::Compare(left, comparison, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Ok(Value::Bool(match comparison {
                    Comparison::Equal => left == right,
                    Comparison::Unequal => left != right,
                    Comparison::In => contains(&right, &left)?,
                    Comparison::NotIn => !contains(&right, &left)?,
                }))
            }
            Expression::Add(left, right) => match (self.value(left)?, self.value(right)?) {
                (Value::String(left), Value::String(right)) => Ok(Value::String(left + &right)),
                (Value::Array(mut left), Value::Array(right)) => {
                    left.extend(right);
                    Ok(Value::Array(left))
                }
                _ => Err(wrong("only strings and lists are added")),
            },
            Expression::Choice(parts) => {
                let [then, condition, otherwise] = &**parts;
                let chosen = if truthy(&self.value(condition)?) { then } else { otherwise };
                self.value(chosen)
            }
        }
    }
}

fn wrong(text: impl Into<String>) -> ExpressionError {
    ExpressionError::Value(text.into())
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn contains(whole: &Value, part: &Value) -> Result<bool, ExpressionError> {
    match (whole, part) {
        (Value::Array(items), part) => Ok(items.contains(part)),
        (Value::Object(map), Value::String(key)) => Ok(map.contains_key(key)),
        (Value::String(text), Value::String(part)) => Ok(text.contains(part.as_str())),
        _ => Err(wrong("`in` needs a list, a dictionary or a string")),
    }
}

fn call_function(name: &str, arguments: &[Value], named: &[(&str, Value)]) -> Result<Value, ExpressionError> {
    match (name, arguments, named) {
        ("ak_is_group_member", [user], [("name", group)]) => {
            let groups = user["all_groups"].as_array();
            Ok(Value::Bool(groups.is_some_and(|groups| groups.iter().any(|member| member["name"] == *group))))
        }
        ("list", [Value::Array(items)], []) => Ok(Value::Array(items.clone())),
        ("str", [Value::String(text)], []) => Ok(Value::String(text.clone())),
        ("str", [value @ Value::Number(_)], []) => Ok(Value::String(value.to_string())),
        ("len", [Value::Array(items)], []) => Ok(json!(items.len())),
        _ => Err(wrong(format!("function `{name}` is not known with these arguments"))),
    }
}

fn call_method(
    object: Value,
    method: &str,
    arguments: &[Value],
    named: &[(&str, Value)],
) -> Result<Value, ExpressionError> {
    match (object, method, arguments, named) {
        (groups @ Value::Array(_), "all", [], []) => Ok(groups),
        (object @ Value::Object(_), "all_groups", [], []) => Ok(object["all_groups"].clone()),
        (object @ Value::Object(_), "group_attributes", [_] | [], []) => {
            Ok(object["group_attributes"].clone())
        }
        // Nobody has entitlements here.
        (Value::Object(_), "app_entitlements", [_] | [], []) => Ok(Value::Array(Vec::new())),
        (Value::Array(items), "filter", [], [(attribute, wanted)]) => {
            Ok(Value::Array(items.into_iter().filter(|item| item.get(*attribute) == Some(wanted)).collect()))
        }
        (Value::Array(items), "exists", [], []) => Ok(Value::Bool(!items.is_empty())),
        (Value::Object(map), "get", [Value::String(key)], []) => {
            Ok(map.get(key).cloned().unwrap_or(Value::Null))
        }
        (Value::Object(map), "get", [Value::String(key), other], []) => {
            Ok(map.get(key).unwrap_or(other).clone())
        }
        (Value::String(text), "lower", [], []) => Ok(Value::String(text.to_lowercase())),
        (Value::String(text), "upper", [], []) => Ok(Value::String(text.to_uppercase())),
        (Value::String(text), "split", [Value::String(by)], []) if !by.is_empty() => {
            Ok(text.split(by.as_str()).map(|part| Value::String(part.to_owned())).collect())
        }
        (Value::String(text), "startswith", [Value::String(start)], []) => {
            Ok(Value::Bool(text.starts_with(start.as_str())))
        }
        (Value::String(by), "join", [Value::Array(items)], []) => {
            let parts =
                items.iter().map(|item| item.as_str().ok_or_else(|| wrong("only strings are joined")));
            Ok(Value::String(parts.collect::<Result<Vec<_>, _>>()?.join(&by)))
        }
        _ => Err(wrong(format!("method `{method}` is not known here"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The custom mappings of `01-config-api.json`.
    const GROUPS: &str = r#"return {"groups": [g.name for g in request.user.groups.all()]}"#;
    const MINIO: &str = r#"if ak_is_group_member(request.user, name="spacemusic-admins"):
    return {"policy": "consoleAdmin"}
elif ak_is_group_member(request.user, name="spacemusic-studio"):
    return {"policy": "readwrite"}
return {"policy": "readonly"}"#;

    fn with_groups(groups: &[&str]) -> HashMap<String, Value> {
        let groups: Vec<Value> = groups.iter().map(|name| json!({ "name": name })).collect();
        let user = json!({
            "username": "alice", "name": "Alice Admin", "email": "alice@spacemusic.tv",
            "groups": groups, "all_groups": groups, "attributes": { "locale": "de" },
        });
        HashMap::from([("request".to_owned(), json!({ "user": user }))])
    }

    #[test]
    fn groups_comprehension_lists_direct_groups() {
        let value =
            evaluate(GROUPS, with_groups(&["spacemusic-studio", "spacemusic-viewers"])).expect("claims");
        assert_eq!(value, json!({ "groups": ["spacemusic-studio", "spacemusic-viewers"] }));
    }

    #[test]
    fn minio_policy_follows_the_first_matching_branch() {
        for (groups, policy) in [
            (&["spacemusic-admins", "spacemusic-studio"][..], "consoleAdmin"),
            (&["spacemusic-studio"], "readwrite"),
            (&[], "readonly"),
        ] {
            assert_eq!(evaluate(MINIO, with_groups(groups)).expect("claims"), json!({ "policy": policy }));
        }
    }

    #[test]
    fn usual_forms_of_custom_mappings_evaluate() {
        let cases = [
            (r#"return {"a": 1, "b": [True, None], 'c': "x"}"#, json!({"a": 1, "b": [true, null], "c": "x"})),
            ("# comment\nreturn {}", json!({})),
            ("x = request.user.name.split(\" \")\nreturn {\"given\": x[0]}", json!({"given": "Alice"})),
            (
                "return {\n  \"l\": request.user.attributes.get(\"locale\", \"en\"),  # said\n  \"z\": request.user.attributes.get(\"zone\", \"UTC\"),\n}",
                json!({"l": "de", "z": "UTC"}),
            ),
            (
                "return {\"groups\": [g.name for g in request.user.groups.all() if g.name.startswith(\"a\")]}",
                json!({"groups": ["a1"]}),
            ),
            (
                "return {\"role\": \"admin\" if request.user.groups.filter(name=\"a1\").exists() else \"viewer\"}",
                json!({"role": "admin"}),
            ),
            ("return {\"x\": not (\"a1\" in [\"b\"]) and \"y\" or \"z\"}", json!({"x": "y"})),
        ];
        for (source, wanted) in cases {
            assert_eq!(evaluate(source, with_groups(&["a1", "b2"])).expect(source), wanted, "{source}");
        }
    }

    #[test]
    fn what_is_not_spoken_is_an_error_that_names_it() {
        let cases = [
            ("return {g.name for g in x}", "unsupported syntax at `for`"),
            ("import os", "unsupported syntax at `os`"),
            ("return nobody", "name `nobody` is not defined"),
            ("return request.user.ssn", "no attribute `ssn`"),
            ("return ak_call_policy(\"x\")", "function `ak_call_policy` is not known with these arguments"),
            ("return \"open", "unreadable text at line 1"),
            ("return", "unsupported syntax at `line break`"),
            ("if True:\nreturn 1", "unsupported syntax at `return`"),
        ];
        for (source, text) in cases {
            assert_eq!(evaluate(source, with_groups(&[])).expect_err(source).to_string(), text, "{source}");
        }
    }

    #[test]
    fn hostile_expressions_end() {
        let deep = format!("return {}1{}", "(".repeat(5_000), ")".repeat(5_000));
        assert_eq!(evaluate(&deep, HashMap::new()), Err(ExpressionError::TooLarge));
        let nots = format!("return {}1", "not ".repeat(5_000));
        assert_eq!(evaluate(&nots, HashMap::new()), Err(ExpressionError::TooLarge));
        let chain = format!("return request{}", ".user".repeat(1_500));
        assert_eq!(
            evaluate(&chain, HashMap::from([("request".to_owned(), json!({}))])),
            Err(ExpressionError::TooLarge)
        );
        assert_eq!(evaluate(&"x = 1\n".repeat(5_000), HashMap::new()), Err(ExpressionError::TooLarge));
        let wide = vec!["1"; 300].join(",");
        let long = format!("a = [{wide}]\nreturn [[[z for z in a] for y in a] for x in a]");
        assert_eq!(evaluate(&long, HashMap::new()), Err(ExpressionError::TooLarge));
    }
}
