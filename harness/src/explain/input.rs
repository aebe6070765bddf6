//! Reading what is to be explained: claims and tokens from a file or from standard input.

use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use super::token::decode_segment;

/// The longest file that is read, in bytes.
pub const LONGEST: u64 = 64 << 20;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be read.
    #[error("cannot read `{name}`: {error}")]
    Read {
        /// The file.
        name: String,
        /// What went wrong.
        error: std::io::Error,
    },
    /// It is too long.
    #[error("`{0}` is longer than {LONGEST} bytes")]
    TooLong(String),
    /// It is not what it should be.
    #[error("`{name}` {what}")]
    Shape {
        /// The file.
        name: String,
        /// What is wrong.
        what: String,
    },
}

/// The text of the file `name`, or of standard input for `-`.
///
/// # Errors
/// [`InputError`] when it cannot be read, is longer than [`LONGEST`] or no UTF-8.
pub fn text(name: &str) -> Result<String, InputError> {
    let failed = |error| InputError::Read { name: name.to_owned(), error };
    let mut bytes = Vec::new();
    if name == "-" {
        std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        let file = std::fs::File::open(Path::new(name)).map_err(failed)?;
        file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() as u64 > LONGEST {
        return Err(InputError::TooLong(name.to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| shape(name, "is no UTF-8"))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// The JSON document in the file `name`.
///
/// # Errors
/// [`InputError`], with the place of what is no JSON.
pub fn json(name: &str) -> Result<Value, InputError> {
    serde_json::from_str(&text(name)?).map_err(|error| shape(name, format!("is no JSON: {error}")))
}

/// The claims in the file `name`: JSON, or a JWT whose payload is read without verifying it.
///
/// # Errors
/// [`InputError`].
pub fn claims(name: &str) -> Result<Value, InputError> {
    parse_claims(&text(name)?).map_err(|what| shape(name, what))
}

/// The claims in `text`: JSON, or a JWT whose payload is read without verifying it.
///
/// # Errors
/// Why it is neither.
pub fn parse_claims(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"));
    }
    match text.split('.').collect::<Vec<_>>()[..] {
        [_, payload, _] => decode_segment(payload).map_err(|what| format!("has a payload that {what}")),
        [_, _, _, _, _] => {
            Err("is an encrypted token (JWE): nobody but its recipient can read it; remove the \
                                encryption key from the provider"
                .to_owned())
        }
        _ => Err("is neither a JSON object nor a token of three parts".to_owned()),
    }
}

/// `value` as an object of claims.
///
/// # Errors
/// [`InputError::Shape`] when it is none.
pub fn object(name: &str, value: Value) -> Result<Map<String, Value>, InputError> {
    match value {
        Value::Object(claims) => Ok(claims),
        _ => Err(shape(name, "holds no object of claims")),
    }
}

fn shape(name: &str, what: impl Into<String>) -> InputError {
    InputError::Shape { name: name.to_owned(), what: what.into() }
}
