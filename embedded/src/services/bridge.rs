//! The SvelteKit auth bridge: `hooks.server.js` of the deployment's document, and one that resists forged cookies.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::arrived::{Arrived, User, UserSource, latin1};
use crate::digest::{hmac_sha256, hmac_sha256_fits};

/// Which bridge a probe has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bridge {
    /// None: the service reads no identity.
    #[default]
    None,
    /// As documented: identity headers are copied into plain cookies (`ak_username`, `ak_email`, `ak_name`), and
    /// without the header the cookies are believed.
    AsDocumented,
    /// The cookie is signed with a key of this process, bound to the user and good for five minutes after the last
    /// request that came with the header; anything else is ignored.
    Safe,
}

/// How long a safe cookie is good for, in seconds.
const LIFETIME: i64 = 300;
/// Nobody sends more than this in a cookie.
const MAX_COOKIE: usize = 4_096;
const NAME: &str = "ak_username";
/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// What the safe cookie holds.
#[derive(Serialize, Deserialize)]
struct Sealed {
    username: String,
    email: Option<String>,
    name: Option<String>,
    /// In seconds since 1970.
    expires: i64,
}

impl Bridge {
    /// Who the user is, and the values of the `Set-Cookie` headers that the answer gets. `key` is the process's
    /// own, `now` in seconds since 1970.
    pub(super) fn look(self, arrived: &Arrived, key: &[u8; 32], now: i64) -> (Option<User>, Vec<String>) {
        match (self, from_headers(arrived)) {
            (Self::None, _) => (None, Vec::new()),
            (Self::AsDocumented, Some(user)) => {
                let cookies = [
                    ("ak_username", Some(&user.username)),
                    ("ak_email", user.email.as_ref()),
                    ("ak_name", user.name.as_ref()),
                ];
                let set = |(name, value): (&str, Option<&String>)| {
                    value.map(|value| cookie(arrived, name, value, None))
                };
                let cookies = cookies.into_iter().filter_map(set).collect();
                (Some(user), cookies)
            }
            (Self::AsDocumented, None) => (from_plain_cookies(arrived), Vec::new()),
            (Self::Safe, Some(user)) => {
                let set = cookie(arrived, NAME, &seal(&user, key, now + LIFETIME), Some(LIFETIME));
                (Some(user), vec![set])
            }
            (Self::Safe, None) => {
                let user = read_cookie(arrived, NAME).and_then(|value| open(&value, key, now));
                (user, Vec::new())
            }
        }
    }
}

/// The identity in the headers; an empty user name counts as none. Node reads header bytes as Latin-1 and joins
/// duplicates with `, `, so a name in UTF-8 arrives garbled in JavaScript.
fn from_headers(arrived: &Arrived) -> Option<User> {
    let get = |name: &str| {
        let values: Vec<String> = arrived.values(name).map(latin1).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    let username = get("x-authentik-username").filter(|username| !username.is_empty())?;
    Some(User {
        username,
        email: get("x-authentik-email"),
        name: get("x-authentik-name"),
        source: UserSource::Header,
    })
}

fn from_plain_cookies(arrived: &Arrived) -> Option<User> {
    let username = read_cookie(arrived, NAME).filter(|username| !username.is_empty())?;
    Some(User {
        username,
        email: read_cookie(arrived, "ak_email"),
        name: read_cookie(arrived, "ak_name"),
        source: UserSource::Cookie,
    })
}

/// The first cookie of a name, decoded as SvelteKit does: a value that does not decode stays as it is.
fn read_cookie(arrived: &Arrived, name: &str) -> Option<String> {
    let (_, value) = arrived.cookies().into_iter().find(|(key, _)| key == name)?;
    let value = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(&value);
    Some(percent_decode_str(value).decode_utf8().map_or_else(|_| value.to_owned(), |text| text.into_owned()))
}

/// A cookie with SvelteKit's defaults: not for scripts, `Secure` everywhere but on `http://localhost`.
fn cookie(arrived: &Arrived, name: &str, value: &str, max_age: Option<i64>) -> String {
    let mut cookie = format!("{name}={}", utf8_percent_encode(value, COMPONENT));
    if let Some(seconds) = max_age {
        cookie.push_str(&format!("; Max-Age={seconds}"));
    }
    cookie.push_str("; Path=/; HttpOnly");
    let host = arrived.header("host").unwrap_or_default();
    let local = host.split(':').next() == Some("localhost")
        && arrived.header("x-forwarded-proto").is_none_or(|scheme| scheme == "http");
    if !local {
        cookie.push_str("; Secure");
    }
    cookie + "; SameSite=Lax"
}

fn seal(user: &User, key: &[u8; 32], expires: i64) -> String {
    let sealed = Sealed {
        username: user.username.clone(),
        email: user.email.clone(),
        name: user.name.clone(),
        expires,
    };
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_string(&sealed).unwrap_or_default());
    let tag = URL_SAFE_NO_PAD.encode(hmac_sha256(key, payload.as_bytes()));
    format!("{payload}.{tag}")
}

fn open(value: &str, key: &[u8; 32], now: i64) -> Option<User> {
    let (payload, tag) = value.split_once('.').filter(|_| value.len() <= MAX_COOKIE)?;
    hmac_sha256_fits(key, payload.as_bytes(), &URL_SAFE_NO_PAD.decode(tag).ok()?).then_some(())?;
    let sealed: Sealed = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    (now < sealed.expires).then_some(User {
        username: sealed.username,
        email: sealed.email,
        name: sealed.name,
        source: UserSource::Cookie,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const KEY: [u8; 32] = [7; 32];

    fn arrived(headers: &[(&str, &str)]) -> Arrived {
        let header =
            |(name, value): &(&str, &str)| ((*name).to_owned(), Bytes::copy_from_slice(value.as_bytes()));
        Arrived {
            method: "GET".to_owned(),
            target: "/__data.json".to_owned(),
            version: 1,
            headers: headers.iter().map(header).collect(),
            body_length: 0,
            user: None,
        }
    }

    fn username(user: Option<User>) -> Option<String> {
        user.map(|user| user.username)
    }

    /// The `name=value` part of a cookie that was set.
    fn pair(cookies: &[String]) -> &str {
        cookies[0].split(';').next().unwrap()
    }

    #[test]
    fn documented_bridge_believes_any_cookie() {
        let forged = arrived(&[("Cookie", "ak_username=root; ak_email=root%40sso.test")]);
        let (user, cookies) = Bridge::AsDocumented.look(&forged, &KEY, 0);
        let expected = User {
            username: "root".to_owned(),
            email: Some("root@sso.test".to_owned()),
            name: None,
            source: UserSource::Cookie,
        };
        assert_eq!((user, cookies), (Some(expected), Vec::new()));
    }

    #[test]
    fn documented_bridge_copies_the_headers_as_node_reads_them() {
        let signed_in = arrived(&[
            ("host", "stream.spacemusic.tv"),
            ("X-authentik-username", "zoe"),
            ("X-authentik-name", "Zoë"),
        ]);
        let (user, cookies) = Bridge::AsDocumented.look(&signed_in, &KEY, 0);
        assert_eq!(user.unwrap().name.as_deref(), Some("ZoÃ«"));
        assert_eq!(
            cookies,
            [
                "ak_username=zoe; Path=/; HttpOnly; Secure; SameSite=Lax",
                "ak_name=Zo%C3%83%C2%AB; Path=/; HttpOnly; Secure; SameSite=Lax",
            ]
        );
    }

    #[test]
    fn cookies_are_not_secure_on_plain_localhost_only() {
        let secure = |headers: &[(&str, &str)]| {
            let headers = [headers, &[("X-authentik-username", "zoe")]].concat();
            Bridge::AsDocumented.look(&arrived(&headers), &KEY, 0).1[0].contains("Secure")
        };
        assert!(!secure(&[("host", "localhost:5173")]));
        assert!(secure(&[("host", "localhost"), ("x-forwarded-proto", "https")]));
        assert!(secure(&[("host", "stream.spacemusic.tv"), ("x-forwarded-proto", "http")]));
    }

    #[test]
    fn safe_bridge_keeps_the_identity_for_its_lifetime() {
        let (_, cookies) = Bridge::Safe.look(&arrived(&[("x-authentik-username", "zoe")]), &KEY, 1_000);
        assert!(cookies[0].ends_with("; Max-Age=300; Path=/; HttpOnly; Secure; SameSite=Lax"), "{cookies:?}");
        let later = arrived(&[("Cookie", pair(&cookies))]);
        assert_eq!(username(Bridge::Safe.look(&later, &KEY, 1_299).0).as_deref(), Some("zoe"));
        assert_eq!(Bridge::Safe.look(&later, &KEY, 1_300).0, None);
        assert_eq!(Bridge::Safe.look(&later, &[8; 32], 1_000).0, None);
    }

    #[test]
    fn safe_bridge_ignores_forged_cookies_and_prefers_the_header() {
        let (_, cookies) = Bridge::Safe.look(&arrived(&[("x-authentik-username", "zoe")]), &KEY, 0);
        let tag = pair(&cookies).split_once('.').unwrap().1;
        let payload = URL_SAFE_NO_PAD.encode(r#"{"username":"root","expires":9999999999}"#);
        for forged in ["ak_username=root", "ak_username=.", &format!("ak_username={payload}.{tag}")] {
            assert_eq!(Bridge::Safe.look(&arrived(&[("cookie", forged)]), &KEY, 0).0, None, "{forged}");
        }
        let left_over = arrived(&[("cookie", pair(&cookies)), ("x-authentik-username", "bob")]);
        let (user, cookies) = Bridge::Safe.look(&left_over, &KEY, 1);
        assert_eq!(username(user).as_deref(), Some("bob"));
        assert_eq!(
            username(Bridge::Safe.look(&arrived(&[("cookie", pair(&cookies))]), &KEY, 2).0).as_deref(),
            Some("bob")
        );
    }
}
