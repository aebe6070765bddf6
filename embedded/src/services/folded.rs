//! What a service that folds header names reads: `-`, `_`, `.` and case are one.

use serde_json::{Map, Value};

use super::arrived::{Arrived, text};

/// Every value by folded name, lower case with `-`, in the order of arrival. A service that keeps one value of a
/// name takes the first or the last of them, and one that joins them (WSGI, CGI) gets all.
pub(super) fn of(arrived: &Arrived) -> Map<String, Value> {
    let mut folded = Map::new();
    for (name, value) in &arrived.headers {
        let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
        let values = folded.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(values) = values {
            values.push(Value::String(text(value)));
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    #[test]
    fn underscore_dot_and_case_are_one_with_the_dash() {
        let header =
            |name: &str, value: &'static str| (name.to_owned(), Bytes::from_static(value.as_bytes()));
        let arrived = Arrived {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            version: 1,
            headers: vec![
                header("X-Authentik-Username", "alice"),
                header("X_authentik_USERNAME", "root"),
                header("X.Authentik.Username", "admin"),
                header("X-Authentik-Name", "Alice"),
            ],
            body_length: 0,
            user: None,
        };
        let folded = of(&arrived);
        assert_eq!(folded["x-authentik-username"], json!(["alice", "root", "admin"]));
        assert_eq!(folded["x-authentik-name"], json!(["Alice"]));
    }
}
