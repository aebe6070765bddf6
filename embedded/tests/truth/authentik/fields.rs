//! JSON compared with recorded JSON, and what stands in no order.

use serde_json::Value;

use super::bindings::Bindings;

/// Lists whose order says nothing: the database gives them in any.
const SETS: [&str; 4] = ["property_mappings", "groups", "groups_obj", "system_permissions"];

/// Compares `got` with what was recorded and adds what differs, each with its place.
pub(super) fn json(
    bindings: &mut Bindings,
    place: &str,
    recorded: &Value,
    got: &Value,
    differences: &mut Vec<String>,
) {
    compare(bindings, place, false, None, recorded, got, differences);
}

/// The same where the recording lost the end: the last list may go on.
pub(super) fn beginning(
    bindings: &mut Bindings,
    place: &str,
    recorded: &Value,
    got: &Value,
    differences: &mut Vec<String>,
) {
    compare(bindings, place, true, None, recorded, got, differences);
}

fn compare(
    bindings: &mut Bindings,
    place: &str,
    cut: bool,
    issued: Option<f64>,
    recorded: &Value,
    got: &Value,
    differences: &mut Vec<String>,
) {
    match (recorded, got) {
        (Value::Object(recorded), Value::Object(got)) => {
            let issued = got.get("iat").and_then(Value::as_f64);
            for (name, value) in recorded {
                let inside = format!("{place}.{name}");
                match got.get(name) {
                    None => differences.push(format!("{inside} is missing, recorded {value}")),
                    Some(Value::String(found)) if name == "scope" => {
                        let recorded = value.as_str().unwrap_or_default();
                        words(&inside, ' ', recorded, found, differences);
                    }
                    Some(Value::Array(found)) if is_set(name) && value.is_array() => {
                        set(bindings, &inside, value.as_array().expect("an array"), found, differences);
                    }
                    Some(found) => {
                        compare(
                            bindings,
                            &inside,
                            cut && found.is_array(),
                            issued,
                            value,
                            found,
                            differences,
                        );
                    }
                }
            }
            for (name, value) in got.iter().filter(|(name, _)| !cut && !recorded.contains_key(*name)) {
                differences.push(format!("{place}.{name} is too much: {value}"));
            }
        }
        (Value::Array(recorded), Value::Array(got)) => {
            if recorded.len() > got.len() || !cut && recorded.len() < got.len() {
                differences.push(format!("{place}: {} items for {}", got.len(), recorded.len()));
            }
            for (index, (recorded, got)) in recorded.iter().zip(got).enumerate() {
                compare(bindings, &format!("{place}[{index}]"), false, None, recorded, got, differences);
            }
        }
        (Value::String(recorded), Value::String(got)) => {
            if let Err(unlike) = bindings.text(recorded, got) {
                differences.push(format!("{place}: {unlike}"));
            }
        }
        (Value::String(text), Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            match Bindings::time(text, number, issued) {
                Some(Ok(())) => {}
                Some(Err(unlike)) => differences.push(format!("{place}: {unlike} ({text})")),
                None => {
                    if let Err(unlike) = bindings.text(text, &number.to_string()) {
                        differences.push(format!("{place}: {unlike}"));
                    }
                }
            }
        }
        (recorded, got) if recorded != got => differences.push(format!("{place}: {got} for {recorded}")),
        _ => {}
    }
}

fn is_set(name: &str) -> bool {
    SETS.contains(&name) || name.ends_with("_supported")
}

/// Compares lists as sets: each recorded item takes one that is alike.
fn set(
    bindings: &mut Bindings,
    place: &str,
    recorded: &[Value],
    got: &[Value],
    differences: &mut Vec<String>,
) {
    let mut left: Vec<&Value> = got.iter().collect();
    for item in recorded {
        let alike = left.iter().enumerate().find_map(|(index, found)| {
            let (mut tried, mut unlike) = (bindings.clone(), Vec::new());
            json(&mut tried, place, item, found, &mut unlike);
            unlike.is_empty().then_some((index, tried))
        });
        match alike {
            Some((index, tried)) => {
                *bindings = tried;
                left.remove(index);
            }
            None => differences.push(format!("{place}: nothing like {item}")),
        }
    }
    differences.extend(left.into_iter().map(|item| format!("{place}: {item} is too much")));
}

/// Compares words that stand in no order.
pub(super) fn words(place: &str, between: char, recorded: &str, got: &str, differences: &mut Vec<String>) {
    let sorted = |text: &str| {
        let mut words: Vec<_> = text.split(between).map(str::to_owned).collect();
        words.sort();
        words
    };
    if sorted(recorded) != sorted(got) {
        differences.push(format!("{place}: got {got:?} for {recorded:?}"));
    }
}
