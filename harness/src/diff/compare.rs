//! What differs between two records of one case.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::align::{Pair, align};
use super::record::{CaseRecord, CookieRecord, HopRecord, Target};

/// What kind of thing differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What the case came to.
    Verdict,
    /// A hop that only one side makes.
    Hop,
    /// The status of an answer, or whether there is one.
    Status,
    /// The host a redirect leads to.
    TargetHost,
    /// The path a redirect leads to.
    TargetPath,
    /// A parameter of the address a redirect leads to.
    Parameter,
    /// A cookie that is set, or no longer.
    Cookie,
    /// An attribute of a cookie.
    CookieAttribute,
    /// A header of a response.
    Header,
    /// A header that says who and whence, as a service receives it.
    Identity,
    /// A claim of a token or of userinfo.
    Claim,
    /// A field of a JSON body.
    Field,
    /// What a page or text says.
    Text,
    /// How long answers take.
    Time,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Verdict => "verdict",
            Self::Hop => "hop",
            Self::Status => "status",
            Self::TargetHost | Self::TargetPath => "redirect",
            Self::Parameter => "parameter of redirect",
            Self::Cookie => "cookie",
            Self::CookieAttribute => "attribute of cookie",
            Self::Header => "header",
            Self::Identity => "header at the service",
            Self::Claim => "claim",
            Self::Field => "field",
            Self::Text => "text",
            Self::Time => "time",
        })
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What kind of thing.
    pub kind: Kind,
    /// Where: method and path, or empty where it is the same thing everywhere.
    pub place: String,
    /// The thing: a header's name, a claim.
    pub subject: String,
    /// What the first side has; none when it lacks the thing.
    pub from: Option<String>,
    /// What the second side has.
    pub to: Option<String>,
    /// The name that it has on the second side, when that alone differs.
    pub renamed: Option<String>,
    /// Whether the other side does the same elsewhere in the case, or has done it before.
    pub elsewhere: bool,
    /// The hop, on each side that has it.
    pub hops: (Option<usize>, Option<usize>),
}

/// Everything that differs, in the order of the hops.
pub(super) fn compare(from: &CaseRecord, to: &CaseRecord) -> Vec<Difference> {
    let mut all = Compared { from, to, found: Vec::new() };
    if from.verdict != to.verdict {
        let subject = to.broken.clone().or_else(|| from.broken.clone()).unwrap_or_default();
        let said = |record: &CaseRecord| Some(record.verdict.clone());
        all.found.push(plain(Kind::Verdict, "", &subject, (said(from), said(to)), (None, None)));
    }
    let mut pairs = align(&from.hops, &to.hops);
    if from.holds != to.holds {
        // A case that fails ends there: what the other side did afterwards, it had no chance to do.
        let ended = |pair: &Pair| match pair {
            Pair::Both(..) => false,
            Pair::From(_) => from.holds == Some(true),
            Pair::To(_) => to.holds == Some(true),
        };
        let both = pairs.iter().rposition(|pair| matches!(pair, Pair::Both(..)));
        let rest = pairs.split_off(both.map_or(0, |last| last + 1));
        pairs.extend(rest.into_iter().filter(|pair| !ended(pair)));
    }
    for pair in pairs {
        match pair {
            Pair::Both(ours, theirs) => all.hop(ours, theirs),
            Pair::From(at) => all.only(&from.hops[at], (Some(at), None)),
            Pair::To(at) => all.only(&to.hops[at], (None, Some(at))),
        }
    }
    all.found
}

struct Compared<'a> {
    from: &'a CaseRecord,
    to: &'a CaseRecord,
    found: Vec<Difference>,
}

type Sides = (Option<String>, Option<String>);
type Hops = (Option<usize>, Option<usize>);

fn plain(kind: Kind, place: &str, subject: &str, (from, to): Sides, hops: Hops) -> Difference {
    Difference {
        kind,
        place: place.to_owned(),
        subject: subject.to_owned(),
        from,
        to,
        renamed: None,
        elsewhere: false,
        hops,
    }
}

impl Compared<'_> {
    fn add(&mut self, kind: Kind, place: &str, subject: &str, sides: Sides, hops: Hops) {
        self.found.push(plain(kind, place, subject, sides, hops));
    }

    fn only(&mut self, hop: &HopRecord, hops: Hops) {
        let came = hop.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let sides = if hops.0.is_some() { (Some(came), None) } else { (None, Some(came)) };
        self.add(Kind::Hop, "", &format!("{} {}", hop.method, hop.path), sides, hops);
    }

    fn hop(&mut self, ours: usize, theirs: usize) {
        let (from, to) = (&self.from.hops[ours], &self.to.hops[theirs]);
        let hops = (Some(ours), Some(theirs));
        let place = &format!("{} {}", from.method, from.path);
        if from.status != to.status || from.error != to.error {
            // What else differs in another answer follows from it.
            self.add(Kind::Status, place, "", (came(from), came(to)), hops);
            return;
        }
        match (&from.location, &to.location) {
            (Some(one), Some(other)) => self.target(place, one, other, hops),
            (None, None) => {}
            (one, other) => {
                let led =
                    |target: &Option<Target>| target.as_ref().map(|to| format!("{}{}", to.host, to.path));
                self.add(Kind::TargetHost, place, "", (led(one), led(other)), hops);
            }
        }
        self.cookies(from, to, hops);
        self.map(Kind::Header, "", &from.headers, &to.headers, hops);
        self.map(Kind::Identity, "", &from.arrived, &to.arrived, hops);
        self.map(Kind::Claim, "", &from.claims, &to.claims, hops);
        self.map(Kind::Field, place, &from.fields, &to.fields, hops);
        if from.text != to.text {
            self.add(Kind::Text, place, "", (from.text.clone(), to.text.clone()), hops);
        }
    }

    fn target(&mut self, place: &str, from: &Target, to: &Target, hops: Hops) {
        if from.host != to.host {
            let led = |target: &Target| Some(format!("{}{}", target.host, target.path));
            self.add(Kind::TargetHost, place, "", (led(from), led(to)), hops);
        } else if from.path != to.path {
            let sides = (Some(from.path.clone()), Some(to.path.clone()));
            self.add(Kind::TargetPath, place, "", sides, hops);
        } else {
            // Another page takes other parameters.
            self.map(Kind::Parameter, place, &from.parameters, &to.parameters, hops);
        }
    }

    fn map(
        &mut self,
        kind: Kind,
        place: &str,
        from: &BTreeMap<String, String>,
        to: &BTreeMap<String, String>,
        hops: Hops,
    ) {
        let mut renamed = BTreeSet::new();
        for (name, value) in from {
            match to.get(name) {
                Some(other) if other == value => {}
                Some(other) => {
                    self.add(kind, place, name, (Some(value.clone()), Some(other.clone())), hops);
                }
                None => {
                    let mut lost = plain(kind, place, name, (Some(value.clone()), None), hops);
                    if matches!(kind, Kind::Header | Kind::Identity | Kind::Claim) {
                        lost.renamed = new_name(value, from, to, &renamed);
                        renamed.extend(lost.renamed.clone());
                    }
                    self.found.push(lost);
                }
            }
        }
        for (name, value) in to {
            if !from.contains_key(name) && !renamed.contains(name) {
                self.add(kind, place, name, (None, Some(value.clone())), hops);
            }
        }
    }

    fn cookies(&mut self, from: &HopRecord, to: &HopRecord, hops: Hops) {
        let (ours, theirs) = (last(&from.cookies), last(&to.cookies));
        for (name, one) in &ours {
            let Some(other) = theirs.get(name) else {
                let elsewhere = one.what == "set again" || sets(self.to, name);
                let sides = (Some(one.what.clone()), None);
                let lost = plain(Kind::Cookie, "", name, sides, hops);
                self.found.push(Difference { elsewhere, ..lost });
                continue;
            };
            // Whether it was there before is told by the hop that set it first.
            let (was, is) = (written(one), written(other));
            if was != is {
                let sides = (Some(was.to_owned()), Some(is.to_owned()));
                self.add(Kind::Cookie, "", name, sides, hops);
            }
            let keys: BTreeSet<&String> = one.attributes.keys().chain(other.attributes.keys()).collect();
            for key in keys {
                let sides = (one.attributes.get(key).cloned(), other.attributes.get(key).cloned());
                if sides.0 != sides.1 && was == is {
                    self.add(Kind::CookieAttribute, "", &format!("{name} {key}"), sides, hops);
                }
            }
        }
        for (name, other) in &theirs {
            if !ours.contains_key(name) {
                self.add(Kind::Cookie, "", name, (None, Some(other.what.clone())), hops);
            }
        }
    }
}

fn came(hop: &HopRecord) -> Option<String> {
    match (hop.status, &hop.error) {
        (Some(status), _) => Some(status.to_string()),
        (None, error) => Some(format!("no answer: {}", error.as_deref().unwrap_or("unknown"))),
    }
}

/// The name that `value` has on the other side, where that name is new.
fn new_name(
    value: &str,
    from: &BTreeMap<String, String>,
    to: &BTreeMap<String, String>,
    taken: &BTreeSet<String>,
) -> Option<String> {
    // Short words such as `true` are the same by chance.
    let telling = value.len() > 5;
    let new = |name: &String| !from.contains_key(name) && !taken.contains(name);
    let mut same = to.iter().filter(|(name, other)| telling && *other == value && new(name));
    same.next().map(|(name, _)| name.clone())
}

/// What each cookie comes to after all lines of a response.
fn last(cookies: &[CookieRecord]) -> BTreeMap<&str, &CookieRecord> {
    cookies.iter().map(|cookie| (cookie.name.as_str(), cookie)).collect()
}

fn written(cookie: &CookieRecord) -> &str {
    if cookie.what == "set again" { "set" } else { &cookie.what }
}

fn sets(record: &CaseRecord, name: &str) -> bool {
    let lines = record.hops.iter().flat_map(|hop| &hop.cookies);
    lines.into_iter().any(|cookie| cookie.name == name && cookie.what.starts_with("set"))
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
