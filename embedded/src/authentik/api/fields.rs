//! Reading a body as Django REST framework's serializers do, with its errors (`02-config-errors`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::model::Lifetime;
use super::refusal::Refusal;

const REQUIRED: &str = "This field is required.";
const NOT_NULL: &str = "This field may not be null.";

/// A body under way into an object. A field left out keeps what the old object has; a new object takes the
/// default, or complains when there is none. Errors are gathered, so an answer names them all.
pub(super) struct Fields<'b> {
    body: &'b Map<String, Value>,
    /// Whether a required field may be left out: PATCH.
    partial: bool,
    errors: Map<String, Value>,
}

/// A primary key as bodies name it.
pub(super) trait Pk: Copy {
    /// The key, or the error about a value of the wrong kind.
    fn read(value: &Value) -> Result<Self, String>;
    fn text(&self) -> String;
}

impl Pk for Uuid {
    fn read(value: &Value) -> Result<Self, String> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse().map_err(|_| format!("“{text}” is not a valid UUID."))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Pk for u64 {
    fn read(value: &Value) -> Result<Self, String> {
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number.ok_or_else(|| format!("Incorrect type. Expected pk value, received {}.", python_type(value)))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl<'b> Fields<'b> {
    pub(super) fn new(body: &'b Map<String, Value>, partial: bool) -> Self {
        Self { body, partial, errors: Map::new() }
    }

    /// The value sent for a field.
    pub(super) fn sent(&self, name: &str) -> Option<&'b Value> {
        self.body.get(name)
    }

    /// Adds an error to a field.
    pub(super) fn complain(&mut self, name: &str, text: impl Into<String>) {
        let errors = self.errors.entry(name.to_owned()).or_insert_with(|| json!([]));
        if let Some(errors) = errors.as_array_mut() {
            errors.push(Value::String(text.into()));
        }
    }

    /// Sets a field's errors in a shape of their own.
    pub(super) fn complain_deep(&mut self, name: &str, errors: Value) {
        self.errors.insert(name.to_owned(), errors);
    }

    /// Whether nothing was wrong so far: object-wide rules are looked at only then.
    pub(super) fn fine(&self) -> bool {
        self.errors.is_empty()
    }

    /// The refusal, when something was wrong.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.errors)) }
    }

    /// The value sent, past the rules for fields left out and null.
    fn given(&mut self, name: &str, required: bool) -> Option<&'b Value> {
        let value = self.sent(name);
        match value {
            None if required && !self.partial => self.complain(name, REQUIRED),
            Some(Value::Null) => {
                self.complain(name, NOT_NULL);
                return None;
            }
            _ => {}
        }
        value
    }

    /// A text that must be sent and hold something.
    pub(super) fn required(&mut self, name: &str, old: Option<&str>) -> String {
        let text = self.given(name, true).and_then(|value| self.as_text(name, value));
        if text.as_deref() == Some("") {
            self.complain(name, "This field may not be blank.");
        }
        text.or_else(|| old.map(str::to_owned)).unwrap_or_default()
    }

    /// A text that may be left out or empty.
    pub(super) fn text(&mut self, name: &str, old: Option<&str>, default: &str) -> String {
        let text = self.given(name, false).and_then(|value| self.as_text(name, value));
        text.unwrap_or_else(|| old.unwrap_or(default).to_owned())
    }

    fn as_text(&mut self, name: &str, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => {
                self.complain(name, "Not a valid string.");
                None
            }
        }
    }

    pub(super) fn flag(&mut self, name: &str, old: Option<bool>, default: bool) -> bool {
        let value = self.given(name, false).and_then(|value| {
            let flag = match value {
                Value::Bool(flag) => Some(*flag),
                Value::String(text) => text.to_lowercase().parse().ok(),
                _ => None,
            };
            if flag.is_none() {
                self.complain(name, "Must be a valid boolean.");
            }
            flag
        });
        value.or(old).unwrap_or(default)
    }

    pub(super) fn integer(&mut self, name: &str, old: Option<i64>, default: Option<i64>) -> i64 {
        let value = self.given(name, default.is_none()).and_then(|value| {
            let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
            if number.is_none() {
                self.complain(name, "A valid integer is required.");
            }
            number
        });
        value.or(old).or(default).unwrap_or_default()
    }

    /// One of `choices`, the first of them when left out.
    pub(super) fn choice(&mut self, name: &str, old: Option<&str>, choices: &[&str]) -> String {
        let value = self.given(name, false).map(|value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !choices.contains(&text.as_str()) {
                self.complain(name, format!("\"{text}\" is not a valid choice."));
            }
            text
        });
        value.unwrap_or_else(|| old.or(choices.first().copied()).unwrap_or_default().to_owned())
    }

    pub(super) fn object(
        &mut self,
        name: &str,
        old: Option<&Map<String, Value>>,
        default: impl FnOnce() -> Map<String, Value>,
    ) -> Map<String, Value> {
        let value = self.given(name, false).and_then(|value| {
            if !value.is_object() {
                self.complain(name, "Value must be a dictionary.");
            }
            value.as_object()
        });
        value.or(old).cloned().unwrap_or_else(default)
    }

    /// An object named by its key that must be sent.
    pub(super) fn one<K: Pk>(&mut self, name: &str, old: Option<K>, exists: impl Fn(K) -> bool) -> Option<K> {
        let value = self.given(name, true).and_then(|value| self.as_pk(name, value, &exists));
        value.or(old)
    }

    /// An object named by its key, or null.
    pub(super) fn maybe<K: Pk>(
        &mut self,
        name: &str,
        old: Option<K>,
        exists: impl Fn(K) -> bool,
    ) -> Option<K> {
        match self.sent(name) {
            None => old,
            Some(Value::Null) => None,
            Some(value) => self.as_pk(name, value, &exists),
        }
    }

    /// A list of objects named by their keys, empty when left out.
    pub(super) fn many<K: Pk>(
        &mut self,
        name: &str,
        old: Option<&[K]>,
        exists: impl Fn(K) -> bool,
    ) -> Vec<K> {
        let Some(value) = self.given(name, false) else { return old.unwrap_or_default().to_vec() };
        let Some(values) = value.as_array() else {
            self.complain(name, format!("Expected a list of items but got type \"{}\".", python_type(value)));
            return Vec::new();
        };
        values.iter().filter_map(|value| self.as_pk(name, value, &exists)).collect()
    }

    fn as_pk<K: Pk>(&mut self, name: &str, value: &Value, exists: &impl Fn(K) -> bool) -> Option<K> {
        match K::read(value) {
            Ok(pk) if exists(pk) => return Some(pk),
            Ok(pk) => self.complain(name, format!("Invalid pk \"{}\" - object does not exist.", pk.text())),
            Err(error) => self.complain(name, error),
        }
        None
    }

    /// A lifetime such as `hours=1;minutes=30`.
    pub(super) fn lifetime(&mut self, name: &str, old: Option<&Lifetime>, default: &str) -> Lifetime {
        let text = self.given(name, false).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let Some(text) = text else {
            return old.cloned().or_else(|| lifetime(default)).unwrap_or_else(nothing);
        };
        lifetime(&text).unwrap_or_else(|| {
            self.complain(name, format!("{text} is not in the correct format of 'hours=3;minutes=1'."));
            nothing()
        })
    }
}

fn nothing() -> Lifetime {
    Lifetime { text: String::new(), seconds: 0 }
}

/// Reads a lifetime; none for text of another form.
fn lifetime(text: &str) -> Option<Lifetime> {
    let mut seconds = 0_i64;
    for part in text.split(';') {
        let (unit, count) = part.split_once('=')?;
        let count: i64 = count.trim().parse().ok()?;
        let unit = match unit.trim() {
            "milliseconds" | "microseconds" => 0,
            "seconds" => 1,
            "minutes" => 60,
            "hours" => 3_600,
            "days" => 86_400,
            "weeks" => 604_800,
            _ => return None,
        };
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
    }
    Some(Lifetime { text: text.to_owned(), seconds })
}

/// The name Python gives to the type of a value.
pub(super) fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read_as_authentik_writes_them() {
        assert_eq!(lifetime("hours=1").map(|found| found.seconds), Some(3_600));
        assert_eq!(lifetime("hours=3;minutes=1").map(|found| found.seconds), Some(10_860));
        assert_eq!(lifetime("3600"), None);
        assert_eq!(lifetime("weeks=9223372036854775807"), None);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let body = json!({ "flag": "perhaps", "pk": "default-flow" });
        let body = body.as_object().expect("object");
        let mut fields = Fields::new(body, false);
        fields.required("name", None);
        fields.flag("flag", None, false);
        fields.one::<Uuid>("pk", None, |_| true);
        let Err(Refusal::Invalid(errors)) = fields.finish() else { panic!("accepted") };
        assert_eq!(
            Value::Object(errors),
            json!({
                "name": ["This field is required."], "flag": ["Must be a valid boolean."],
                "pk": ["“default-flow” is not a valid UUID."],
            })
        );
    }
}
