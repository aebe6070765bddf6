//! What a WSGI server makes of headers: the environment in which `-` and `_` are one.

use serde_json::{Map, Value};

use super::arrived::{Arrived, latin1};

/// The header part of a WSGI environment as gunicorn and wsgiref build it: names in upper case with `-` folded to
/// `_`, values of one folded name joined by a comma. `X_authentik_username` and `X-authentik-username` end up
/// together.
pub(super) fn of(arrived: &Arrived) -> Map<String, Value> {
    let mut environ = Map::new();
    for (name, value) in &arrived.headers {
        let folded = name.to_ascii_uppercase().replace('-', "_");
        let key = match folded.as_str() {
            "CONTENT_TYPE" | "CONTENT_LENGTH" => folded,
            _ => format!("HTTP_{folded}"),
        };
        let value = latin1(value);
        let joined = match environ.get(&key).and_then(Value::as_str) {
            Some(known) => format!("{known},{value}"),
            None => value,
        };
        environ.insert(key, Value::String(joined));
    }
    environ
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn underscore_twin_joins_the_real_header() {
        let header =
            |name: &str, value: &'static str| (name.to_owned(), Bytes::from_static(value.as_bytes()));
        let arrived = Arrived {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            version: 1,
            headers: vec![
                header("X_authentik_username", "root"),
                header("X-authentik-username", "alice"),
                header("Content-Type", "text/plain"),
            ],
            body_length: 0,
            user: None,
        };
        let environ = of(&arrived);
        assert_eq!(environ["HTTP_X_AUTHENTIK_USERNAME"], "root,alice");
        assert_eq!(environ["CONTENT_TYPE"], "text/plain");
    }
}
