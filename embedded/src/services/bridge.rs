//! The SvelteKit bridge: identity headers kept in cookies for client-side navigation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use super::arrived::Arrived;

/// How long a safe cookie is believed, in seconds.
const LIFETIME: i64 = 3600;

/// How a service keeps the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bridge {
    /// As the document has it: plain cookies set from the headers, and believed when the headers are absent.
    AsDocumented,
    /// One cookie that only this service can make, bound to the user and good for an hour.
    Safe,
}

/// The key of a safe bridge, new in every process.
pub(super) type Key = [u8; 32];

/// Who the service takes the request to be from, and the `Set-Cookie` lines that it answers with.
pub(super) fn identify(bridge: Bridge, arrived: &Arrived, key: &Key) -> (Value, Vec<String>) {
    let header = |name: &str| arrived.header(name).unwrap_or_default().to_owned();
    let username = header("x-authentik-username");
    if !username.is_empty() {
        let (email, name) = (header("x-authentik-email"), header("x-authentik-name"));
        let user = json!({ "username": username, "email": email, "name": name, "source": "header" });
        let attributes = "Path=/; HttpOnly; Secure; SameSite=Lax";
        let cookies = match bridge {
            Bridge::AsDocumented => [("ak_username", username), ("ak_email", email), ("ak_name", name)]
                .into_iter()
                .map(|(name, value)| format!("{name}={}; {attributes}", encoded(&value)))
                .collect(),
            Bridge::Safe => {
                let until = Timestamp::now().as_second() + LIFETIME;
                let sealed = seal(&json!({ "u": username, "e": email, "n": name, "until": until }), key);
                vec![format!("ak_session={sealed}; Max-Age={LIFETIME}; {attributes}")]
            }
        };
        return (user, cookies);
    }
    let remembered = match bridge {
        Bridge::AsDocumented => arrived.cookie("ak_username").map(|username| {
            let cookie = |name: &str| decoded(arrived.cookie(name).unwrap_or_default());
            json!({
                "username": decoded(username), "email": cookie("ak_email"), "name": cookie("ak_name"),
                "source": "cookie",
            })
        }),
        Bridge::Safe => arrived.cookie("ak_session").and_then(|sealed| open(sealed, key)).map(|kept| {
            json!({ "username": kept["u"], "email": kept["e"], "name": kept["n"], "source": "cookie" })
        }),
    };
    (remembered.unwrap_or(Value::Null), Vec::new())
}

fn seal(value: &Value, key: &Key) -> String {
    let payload = URL_SAFE_NO_PAD.encode(value.to_string());
    let seal = mac(&payload, key).map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    format!("{payload}.{}", seal.unwrap_or_default())
}

/// What was sealed, when the seal is this service's and its time is not over.
fn open(sealed: &str, key: &Key) -> Option<Value> {
    let (payload, seal) = sealed.split_once('.')?;
    mac(payload, key)?.verify_slice(&URL_SAFE_NO_PAD.decode(seal).ok()?).ok()?;
    let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    (value["until"].as_i64()? > Timestamp::now().as_second()).then_some(value)
}

/// An HMAC takes a key of any length, so there always is one.
fn mac(payload: &str, key: &Key) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(payload.as_bytes());
    Some(mac)
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(headers: &[(&str, &str)]) -> Arrived {
        Arrived {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            version: 1,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: Vec::new(),
        }
    }

    const KEY: Key = [7; 32];

    #[test]
    fn the_documented_bridge_believes_any_cookie() {
        let (user, _) = identify(Bridge::AsDocumented, &arrived(&[("Cookie", "ak_username=root")]), &KEY);
        assert_eq!((user["username"].as_str(), user["source"].as_str()), (Some("root"), Some("cookie")));
    }

    #[test]
    fn the_safe_bridge_believes_its_own_cookie_alone() {
        let named = arrived(&[("X-Authentik-Username", "zoë")]);
        let (_, cookies) = identify(Bridge::Safe, &named, &KEY);
        let pair = cookies[0].split(';').next().unwrap().to_owned();
        let (user, _) = identify(Bridge::Safe, &arrived(&[("Cookie", &pair)]), &KEY);
        assert_eq!((user["username"].as_str(), user["source"].as_str()), (Some("zoë"), Some("cookie")));
        for forged in ["ak_username=root", "ak_session=root", &pair.replace('.', "A."), "ak_session=."] {
            let (user, _) = identify(Bridge::Safe, &arrived(&[("Cookie", forged)]), &KEY);
            assert_eq!(user, Value::Null, "{forged}");
        }
        let (user, _) = identify(Bridge::Safe, &arrived(&[("Cookie", &pair)]), &[8; 32]);
        assert_eq!(user, Value::Null);
    }

    #[test]
    fn the_header_wins_over_a_left_over_cookie() {
        for bridge in [Bridge::AsDocumented, Bridge::Safe] {
            let request = arrived(&[("Cookie", "ak_username=root"), ("X-Authentik-Username", "bob")]);
            let (user, cookies) = identify(bridge, &request, &KEY);
            assert_eq!(user["username"], "bob");
            assert!(!cookies.is_empty());
        }
    }
}
