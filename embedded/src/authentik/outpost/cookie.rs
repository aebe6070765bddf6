//! The proxy session cookie: its name, its values and how it is set (`10-unauth-chain-*`, `20-login-*`).

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::authentik::profile::Profile;
use crate::digest::hex;

/// `authentik_proxy_` and the first 8 hex digits of the client id's SHA-256.
pub(crate) fn name(client_id: &str) -> String {
    let mut digest = hex(&Sha256::digest(client_id.as_bytes()));
    digest.truncate(8);
    format!("authentik_proxy_{digest}")
}

/// A session id made where a login begins: 32 random bytes in base32, 52 characters.
pub(crate) fn login_id() -> String {
    base32(&rand::random::<[u8; 32]>())
}

fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut id, mut bits, mut held) = (String::with_capacity(bytes.len() * 2), 0_u32, 0_u32);
    for &byte in bytes {
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            id.push(char::from(ALPHABET[(bits >> held) as usize & 31]));
        }
        bits &= (1 << held) - 1;
    }
    id.push(char::from(ALPHABET[(bits << (5 - held)) as usize & 31]));
    id
}

/// A session id made where a session is stored without a login: sign_out and the nginx endpoint.
pub(crate) fn stored_id(profile: &Profile) -> String {
    if profile.needs_redis {
        // What the Redis store makes: 64 random bytes in base32, 103 characters.
        return base32(&[rand::random::<[u8; 32]>(), rand::random()].concat());
    }
    format!("authentik_proxy_session_{}", Uuid::new_v4())
}

/// The value of the cookie `name` in a request; the first one when it is sent twice.
pub(crate) fn sent<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, value)| *found == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// How a provider's cookie is set.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The cookie's name.
    pub(crate) name: String,
    /// Its domain; empty for the service's host alone.
    pub(crate) domain: String,
    /// Whether the service is on HTTPS.
    pub(crate) secure: bool,
}

/// The `Set-Cookie` of session `id` for `max_age` seconds.
pub(crate) fn set(scope: &Scope, id: &str, max_age: i64, now: Timestamp) -> Option<HeaderValue> {
    let mut text = format!("{}={id}; Path=/", scope.name);
    if !scope.domain.is_empty() {
        text.push_str("; Domain=");
        text.push_str(&scope.domain);
    }
    let expires = http_date(now.as_second().saturating_add(max_age))?;
    text.push_str(&format!("; Expires={expires}; Max-Age={max_age}; HttpOnly"));
    if scope.secure {
        text.push_str("; Secure");
    }
    text.push_str("; SameSite=Lax");
    HeaderValue::from_str(&text).ok()
}

fn http_date(second: i64) -> Option<String> {
    let date = Timestamp::from_second(second).ok()?;
    Some(date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_cut_from_the_client_id_hash() {
        assert_eq!(name("z0o3VhEXD1smHzjJr5B2Rqf9J3RTSQ156Mf1o8tX"), "authentik_proxy_1e4dfeb4");
        assert_eq!(name("ulh8ymBtmCfXvqiU1xFYJtktlnYefwAo2TNW8uXa"), "authentik_proxy_3da0f697");
    }

    #[test]
    fn attributes_stand_as_recorded() {
        let now: Timestamp = "2026-11-25T04:08:37Z".parse().expect("time");
        let scope = Scope { name: "authentik_proxy_3da0f697".into(), domain: String::new(), secure: true };
        let set = set(&scope, "AVVT", 3600, now).expect("header");
        assert_eq!(
            set,
            "authentik_proxy_3da0f697=AVVT; Path=/; Expires=Wed, 25 Nov 2026 05:08:37 GMT; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"
        );
    }

    #[test]
    fn login_id_is_base32_of_32_bytes() {
        let id = login_id();
        assert_eq!(id.len(), 52);
        assert!(id.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)));
        assert_ne!(id, login_id());
    }

    #[test]
    fn cookie_is_found_among_others_and_hostile_bytes_do_no_harm() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_bytes(b"\xff=\xfe").expect("bytes"));
        headers.append(COOKIE, HeaderValue::from_static("a=1; authentik_proxy_x=V; ;=;"));
        assert_eq!(sent(&headers, "authentik_proxy_x"), Some("V"));
        assert_eq!(sent(&headers, "b"), None);
    }
}
