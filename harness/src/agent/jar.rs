//! The cookie jar: RFC 6265bis as browsers ship it.
//!
//! Matching of domains, paths and expiry is `cookie_store`'s; on top of it stand the public suffix list, the
//! name prefixes, `SameSite`, the order of cookies, and a record of everything that happened.

use cookie::Cookie as RawCookie;
use cookie_store::{Cookie, CookieDomain};
use url::Url;

use super::outgoing::Mode;
use super::site::{is_public_suffix, same_site};
use crate::evidence::{ChangeKind, CookieAttributes, JarChange, SameSite};

/// A cookie's name and value together may be this long, in bytes.
const MAX_PAIR: usize = 4096;
/// An attribute's value may be this long, in bytes.
const MAX_ATTRIBUTE: usize = 1024;
/// A jar holds this many cookies; the oldest goes first.
const MAX_COOKIES: usize = 3000;

/// The cookies of one actor.
#[derive(Debug, Clone, Default)]
pub struct Jar {
    cookies: Vec<Entry>,
    created: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    cookie: Cookie<'static>,
    /// A replaced cookie keeps the place of the one before it.
    created: u64,
}

/// A cookie that is in a jar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCookie {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// The attributes, after defaults.
    pub attributes: CookieAttributes,
}

/// What the cookie rules must know about a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestContext<'a> {
    /// The URL asked for.
    pub url: &'a Url,
    /// The page that asked for it; `None` when a person typed the address.
    pub initiator: Option<&'a Url>,
    /// What kind of request it is.
    pub mode: Mode,
    /// Whether the method is GET or HEAD.
    pub safe_method: bool,
}

impl RequestContext<'_> {
    fn cross_site(&self) -> bool {
        self.initiator.is_some_and(|initiator| !same_site(initiator, self.url))
    }

    /// Whether a cookie of this `SameSite` goes along. One without the attribute counts as `Lax`; a redirect on
    /// the way does not make a request cross-site, only the page that began it does, as in browsers today.
    fn admits(&self, same_site: Option<SameSite>) -> bool {
        if !self.cross_site() {
            return true;
        }
        match same_site {
            Some(SameSite::None) => true,
            Some(SameSite::Strict) => false,
            Some(SameSite::Lax) | None => self.mode == Mode::Navigation && self.safe_method,
        }
    }

    /// Whether a response to this request may set a cookie of this `SameSite`: any navigation may, even a POST.
    fn may_set(&self, same_site: Option<SameSite>) -> bool {
        same_site == Some(SameSite::None) || self.mode == Mode::Navigation || !self.cross_site()
    }
}

impl Jar {
    /// An empty jar.
    pub fn new() -> Self {
        Self::default()
    }

    /// Drops what has run out and says what it was.
    pub fn expire(&mut self) -> Vec<JarChange> {
        let mut gone = Vec::new();
        self.cookies.retain(|entry| {
            let keep = !entry.cookie.is_expired();
            if !keep {
                gone.push(change(ChangeKind::Removed, &entry.cookie));
            }
            keep
        });
        gone
    }

    /// The name and value pairs for a request: longest path first, then oldest first.
    pub fn matching(&self, request: &RequestContext<'_>) -> Vec<(&str, &str)> {
        let mut matching: Vec<&Entry> = self
            .cookies
            .iter()
            .filter(|entry| !entry.cookie.is_expired() && entry.cookie.matches(request.url))
            .filter(|entry| request.admits(same_site_of(&entry.cookie)))
            .collect();
        matching.sort_by_key(|entry| (std::cmp::Reverse(entry.cookie.path.len()), entry.created));
        matching.into_iter().map(|entry| (entry.cookie.name(), entry.cookie.value())).collect()
    }

    /// The `Cookie` header for a request; `None` when no cookie goes along.
    pub fn header(&self, request: &RequestContext<'_>) -> Option<String> {
        let pairs = self.matching(request);
        if pairs.is_empty() {
            return None;
        }
        Some(pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; "))
    }

    /// Takes one `Set-Cookie` value from the response to a request. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// `None` when an already expired cookie was not there in the first place.
    pub fn take(&mut self, line: &[u8], request: &RequestContext<'_>) -> Option<JarChange> {
        let line = String::from_utf8_lossy(line);
        match read(&line, request) {
            Ok(cookie) => self.store(cookie, request),
            Err(refusal) => {
                let (raw, reason) = *refusal;
                Some(rejected(raw, request.url, reason))
            }
        }
    }

    fn store(&mut self, cookie: Cookie<'static>, request: &RequestContext<'_>) -> Option<JarChange> {
        if cookie.secure() != Some(true)
            && !is_secure(request.url)
            && self.shadows_secure(&cookie, request.url)
        {
            let reason = "a cookie from http may not stand in for a `Secure` one".to_owned();
            return Some(change(ChangeKind::Rejected { reason }, &cookie));
        }
        let place = self.cookies.iter().position(|entry| same_cookie(&entry.cookie, &cookie));
        if cookie.is_expired() {
            self.cookies.remove(place?);
            return Some(change(ChangeKind::Removed, &cookie));
        }
        match place {
            Some(place) => {
                let entry = self.cookies.get_mut(place)?;
                let value_changed = entry.cookie.value() != cookie.value();
                let change = change(ChangeKind::Replaced { value_changed }, &cookie);
                entry.cookie = cookie;
                Some(change)
            }
            None => {
                if self.cookies.len() >= MAX_COOKIES {
                    self.cookies.remove(0);
                }
                self.created += 1;
                let change = change(ChangeKind::Set, &cookie);
                self.cookies.push(Entry { cookie, created: self.created });
                Some(change)
            }
        }
    }

    /// RFC 6265bis 5.7 step 16: http must not overlay a `Secure` cookie of the same name.
    fn shadows_secure(&self, cookie: &Cookie<'static>, url: &Url) -> bool {
        self.cookies.iter().any(|entry| {
            let old = &entry.cookie;
            old.secure() == Some(true)
                && old.name() == cookie.name()
                && old.domain.matches(url)
                && (cookie.path.starts_with(&*old.path))
        })
    }

    /// Everything in the jar, oldest first, expired cookies left out.
    pub fn cookies(&self) -> Vec<StoredCookie> {
        let live = self.cookies.iter().filter(|entry| !entry.cookie.is_expired());
        live.map(|Entry { cookie, .. }| StoredCookie {
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            attributes: attributes(cookie),
        })
        .collect()
    }

    /// The value of the first cookie of this name that a script of the page `url` could read or not.
    pub fn value(&self, name: &str, url: &Url) -> Option<&str> {
        let context = RequestContext { url, initiator: None, mode: Mode::Navigation, safe_method: true };
        self.matching(&context).into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Removes every cookie that `url` would get, and says which.
    pub fn clear_for(&mut self, url: &Url) -> Vec<JarChange> {
        let mut gone = Vec::new();
        self.cookies.retain(|entry| {
            let hit = entry.cookie.domain.matches(url);
            if hit {
                gone.push(change(ChangeKind::Removed, &entry.cookie));
            }
            !hit
        });
        gone
    }

    /// Empties the jar.
    pub fn clear(&mut self) {
        self.cookies.clear();
    }

    /// How many cookies it holds.
    pub fn len(&self) -> usize {
        self.cookies.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }
}

/// The cookie that was refused, as far as it could be read, and why.
type Refusal<'a> = (Option<RawCookie<'a>>, String);

/// Reads a `Set-Cookie` line under every rule that needs no jar.
fn read<'a>(line: &'a str, request: &RequestContext<'_>) -> Result<Cookie<'static>, Box<Refusal<'a>>> {
    let raw = RawCookie::parse(line).map_err(|error| Box::new((None, error.to_string())))?;
    if let Some(reason) = refuse(&raw, line, request) {
        return Err(Box::new((Some(raw), reason)));
    }
    let own_suffix = raw.domain().is_some_and(|domain| is_public_suffix(&domain.to_ascii_lowercase()));
    let mut host_only = raw.clone();
    if own_suffix {
        host_only.unset_domain();
    }
    match Cookie::try_from_raw_cookie(&host_only, request.url) {
        Ok(cookie) => Ok(cookie.into_owned()),
        Err(cookie_store::CookieError::DomainMismatch) => {
            let reason = format!(
                "`Domain={}` does not cover the host `{}`",
                raw.domain().unwrap_or_default(),
                request.url.host_str().unwrap_or_default()
            );
            Err(Box::new((Some(raw), reason)))
        }
        Err(error) => Err(Box::new((Some(raw), error.to_string()))),
    }
}

/// The rule that refuses this cookie, if one does.
fn refuse(raw: &RawCookie<'_>, line: &str, request: &RequestContext<'_>) -> Option<String> {
    let (name, value, url) = (raw.name(), raw.value(), request.url);
    if name.len() + value.len() > MAX_PAIR {
        return Some(format!("name and value are longer than {MAX_PAIR} bytes"));
    }
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Some("the line holds a control character".into());
    }
    if [raw.domain(), raw.path()].into_iter().flatten().any(|value| value.len() > MAX_ATTRIBUTE) {
        return Some(format!("an attribute is longer than {MAX_ATTRIBUTE} bytes"));
    }
    let secure = raw.secure() == Some(true);
    if secure && !is_secure(url) {
        return Some("`Secure` cookies are taken from https only".into());
    }
    if let Some(domain) = raw.domain() {
        let domain = domain.to_ascii_lowercase();
        if is_public_suffix(&domain) && url.host_str() != Some(&domain) {
            return Some(format!("`Domain={domain}` is a public suffix"));
        }
    }
    let prefixed =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if prefixed("__Secure-") && !secure {
        return Some("the `__Secure-` prefix asks for `Secure`".into());
    }
    if prefixed("__Host-") && !(secure && raw.domain().is_none() && raw.path() == Some("/")) {
        return Some("the `__Host-` prefix asks for `Secure`, `Path=/` and no `Domain`".into());
    }
    let same_site = raw.same_site().map(from_raw);
    if same_site == Some(SameSite::None) && !secure {
        return Some("`SameSite=None` asks for `Secure`".into());
    }
    if !request.may_set(same_site) {
        return Some("a cross-site request of a script may set `SameSite=None` cookies only".into());
    }
    None
}

/// https, or loopback, which browsers trust as much.
fn is_secure(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

fn same_cookie(one: &Cookie<'_>, other: &Cookie<'_>) -> bool {
    one.name() == other.name() && one.domain == other.domain && *one.path == *other.path
}

fn from_raw(value: cookie::SameSite) -> SameSite {
    match value {
        cookie::SameSite::Strict => SameSite::Strict,
        cookie::SameSite::Lax => SameSite::Lax,
        cookie::SameSite::None => SameSite::None,
    }
}

fn same_site_of(cookie: &RawCookie<'_>) -> Option<SameSite> {
    cookie.same_site().map(from_raw)
}

fn attributes(cookie: &Cookie<'_>) -> CookieAttributes {
    CookieAttributes {
        domain: cookie.domain.as_cow().unwrap_or_default().into_owned(),
        host_only: !matches!(cookie.domain, CookieDomain::Suffix(_)),
        path: cookie.path.to_string(),
        ..raw_attributes(cookie)
    }
}

/// The attributes of the line itself; domain and path as written.
fn raw_attributes(raw: &RawCookie<'_>) -> CookieAttributes {
    CookieAttributes {
        domain: raw.domain().unwrap_or_default().to_owned(),
        host_only: raw.domain().is_none(),
        path: raw.path().unwrap_or_default().to_owned(),
        secure: raw.secure() == Some(true),
        http_only: raw.http_only() == Some(true),
        same_site: same_site_of(raw),
        max_age: raw.max_age().map(|age| age.whole_seconds()),
        expires: raw.expires_datetime().map(|time| time.unix_timestamp()),
    }
}

fn change(kind: ChangeKind, cookie: &Cookie<'_>) -> JarChange {
    JarChange {
        kind,
        name: cookie.name().to_owned(),
        value: cookie.value().to_owned(),
        attributes: attributes(cookie),
    }
}

fn rejected(raw: Option<RawCookie<'_>>, url: &Url, reason: String) -> JarChange {
    let raw = raw.unwrap_or_else(|| RawCookie::new("", ""));
    let mut attributes = raw_attributes(&raw);
    if attributes.host_only {
        attributes.domain = url.host_str().unwrap_or_default().to_owned();
    }
    JarChange {
        kind: ChangeKind::Rejected { reason },
        name: raw.name().to_owned(),
        value: raw.value().to_owned(),
        attributes,
    }
}

#[cfg(test)]
#[path = "jar_tests.rs"]
mod tests;
