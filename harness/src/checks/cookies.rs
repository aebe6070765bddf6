//! `cookies`: the actor's cookies for the page it rests on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use ssoproof_deployment::{Located, Place};

use super::Finding;
use super::expect::{Check, CheckFuture};
use crate::evidence::CookieAttributes;
use crate::steps::{Parts, Seen, World};

/// Cookies by name; `*` at the end of a name stands for anything.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Cookies(BTreeMap<String, Located<Stored>>);

/// `absent`, `present`, or attributes.
#[derive(Clone, Debug)]
enum Stored {
    Absent,
    Present(Attributes),
}

/// Attributes of a cookie; what is not written does not count.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Attributes {
    /// The domain it is for.
    #[serde(default)]
    domain: Option<String>,
    /// Whether that very host alone gets it.
    #[serde(default)]
    host_only: Option<bool>,
    /// `Path`.
    #[serde(default)]
    path: Option<String>,
    /// `Secure`.
    #[serde(default)]
    secure: Option<bool>,
    /// `HttpOnly`.
    #[serde(default)]
    http_only: Option<bool>,
    /// `SameSite`: `Lax`, `Strict`, `None`.
    #[serde(default)]
    same_site: Option<String>,
    /// Whether it ends with the browser: neither `Max-Age` nor `Expires`.
    #[serde(default)]
    session: Option<bool>,
}

impl Attributes {
    /// The first attribute that is otherwise: what was expected, and what there is.
    pub(super) fn mismatch(&self, got: &CookieAttributes) -> Option<(String, String)> {
        let same_site = got.same_site.map(|same_site| same_site.to_string()).unwrap_or_default();
        let session = got.max_age.is_none() && got.expires.is_none();
        let pairs = [
            ("Domain", self.domain.clone(), got.domain.clone()),
            ("host-only", self.host_only.map(|flag| flag.to_string()), got.host_only.to_string()),
            ("Path", self.path.clone(), got.path.clone()),
            ("Secure", self.secure.map(|flag| flag.to_string()), got.secure.to_string()),
            ("HttpOnly", self.http_only.map(|flag| flag.to_string()), got.http_only.to_string()),
            ("SameSite", self.same_site.clone(), same_site),
            ("session", self.session.map(|flag| flag.to_string()), session.to_string()),
        ];
        pairs.into_iter().find_map(|(name, expected, got)| {
            let expected = expected.filter(|expected| *expected != got)?;
            Some((format!("{name}={expected}"), format!("{name}={got}")))
        })
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Stored;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("`present`, `absent`, or attributes")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Stored, E> {
                match word {
                    "absent" => Ok(Stored::Absent),
                    "present" => Ok(Stored::Present(Attributes::default())),
                    _ => Err(E::unknown_variant(word, &["present", "absent"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Stored, A::Error> {
                Attributes::deserialize(MapAccessDeserializer::new(map)).map(Stored::Present)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for Stored {
    fn schema_name() -> Cow<'static, str> {
        "StoredCookie".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let attributes = generator.subschema_for::<Attributes>();
        json_schema!({ "oneOf": [{ "enum": ["present", "absent"] }, attributes] })
    }
}

/// Whether `name` is the cookie that `pattern` names.
pub(super) fn name_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

impl Check for Cookies {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, _: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let hop = seen.resting(&world.ledger).map(|hop| (hop.index, hop.request.url.clone()));
            let host = hop.as_ref().and_then(|(_, url)| url.host_str()).unwrap_or_default().to_owned();
            let hop = hop.map(|(index, _)| index);
            let stored = world.actor()?.agent.cookies();
            let mut findings = Vec::new();
            for (pattern, wanted) in &self.0 {
                let there = stored.iter().find(|cookie| {
                    let domain = &cookie.attributes.domain;
                    let here = host == *domain
                        || (!cookie.attributes.host_only && host.ends_with(&format!(".{domain}")));
                    here && name_matches(pattern, &cookie.name)
                });
                let miss = match (&wanted.value, there) {
                    (Stored::Absent, None) => None,
                    (Stored::Absent, Some(cookie)) => {
                        Some(("absent".to_owned(), format!("{} is there", cookie.name)))
                    }
                    (Stored::Present(_), None) => Some(("present".to_owned(), "absent".to_owned())),
                    (Stored::Present(attributes), Some(cookie)) => attributes.mismatch(&cookie.attributes),
                };
                findings.extend(miss.map(|(expected, got)| Finding {
                    check: "",
                    what: format!("cookie {pattern}"),
                    expected,
                    got,
                    place: wanted.place,
                    hop,
                }));
            }
            Ok(findings)
        })
    }
}
