//! Error texts as the Go standard library words them: MinIO hands them on to its clients.

use base64::DecodeError;
use serde_json::Value;

use crate::dial::{DialError, Names};

/// `value` as `fmt`'s `%v` prints it, near enough for a header parameter.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The offset in `illegal base64 data at input byte N`.
pub(super) fn base64_offset(error: &DecodeError) -> usize {
    match error {
        DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol(offset, _) => *offset,
        DecodeError::InvalidLength(length) => length - length % 4,
        DecodeError::InvalidPadding => 0,
    }
}

/// What `encoding/json` says about `bytes`, which gave `error`.
pub(super) fn json_error(bytes: &[u8], error: &serde_json::Error) -> String {
    let Some(first) = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) else { return "EOF".to_owned() };
    if !first.is_ascii_digit() && !b"{[\"-tfn".contains(first) {
        return format!("invalid character '{}' looking for beginning of value", first.escape_ascii());
    }
    if error.is_eof() { "unexpected EOF".to_owned() } else { error.to_string() }
}

/// What `net/http` says when `method` on `url` gave `error`; `names` tells the address dialled.
pub(super) fn dial_error(method: &str, url: &str, names: &Names, error: &DialError) -> String {
    let parsed = url::Url::parse(url).ok();
    let port = parsed.as_ref().and_then(url::Url::port_or_known_default).unwrap_or(443);
    let reason = match error {
        DialError::UnknownHost { host, .. } => format!("dial tcp: lookup {host}: no such host"),
        DialError::Connect { host, .. } => match names.lookup(host, port) {
            Some(address) => format!("dial tcp {address}: connect: connection refused"),
            None => format!("dial tcp: lookup {host}: no such host"),
        },
        // Plain HTTP where TLS was expected.
        DialError::Tls { reason, .. } if reason.contains("InvalidContentType") => {
            "tls: first record does not look like a TLS handshake".to_owned()
        }
        DialError::Tls { reason, .. } => format!("tls: {reason}"),
        DialError::TimedOut { .. } => "context deadline exceeded".to_owned(),
        DialError::Exchange { .. } => "EOF".to_owned(),
        DialError::BodyTooLong { .. } => "http: response body too large".to_owned(),
    };
    format!("{method} \"{url}\": {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn json_errors_are_worded_as_recorded() {
        let said = |text: &str| {
            json_error(text.as_bytes(), &serde_json::from_str::<serde_json::Map<_, Value>>(text).unwrap_err())
        };
        assert_eq!(said("<html>"), "invalid character '<' looking for beginning of value");
        assert_eq!(said(""), "EOF");
        assert_eq!(said("{"), "unexpected EOF");
    }

    #[test]
    fn incomplete_base64_is_blamed_on_its_last_group() {
        assert_eq!(base64_offset(&STANDARD.decode("xyz").unwrap_err()), 0);
        assert_eq!(base64_offset(&STANDARD.decode("ab*d").unwrap_err()), 2);
    }
}
