//! What proves a finding: a request and what it must show.

use std::fmt;

use ssoproof_deployment::traefik::Witness;
use url::Url;

use crate::evidence::curl_line;

/// What proves a finding.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A request that is made on the embedded stack, and what it must show.
    Request(Box<Asked>, Shows),
    /// It was worked out as the program itself does it: what was put in, and what came of it.
    Evaluated {
        /// What was put in.
        question: String,
        /// What came of it.
        answer: String,
    },
    /// Nothing that could be sent shows it; with the reason.
    Static(String),
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: Url,
    /// Header lines, byte for byte.
    pub headers: Vec<(String, String)>,
    /// Whether a user who is let in has signed in before.
    pub signed_in: bool,
    /// Which way it takes.
    pub way: Way,
}

/// Which way a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Through the Traefik files that are looked at.
    Files,
    /// Through them, with an auth server that lets everybody in and tells what it was asked.
    Recorder,
    /// To Authentik as the deployment sets it up, past the files.
    Authentik,
}

/// What an answer must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// A service answers.
    Service,
    /// The service at this `host:port` answers.
    ServiceAt(String),
    /// The status is this one.
    Status(u16),
    /// The status is another one.
    NotStatus(u16),
    /// The browser is sent to Authentik's login.
    Login,
    /// It is not.
    NoLogin,
    /// The browser is sent there.
    RedirectTo(Url),
    /// Authentik answers itself, with no redirect to the login.
    Authentik,
    /// The service reads this header with this value.
    Reads(String, String),
    /// The service does not get this header.
    Lacks(String),
    /// The auth server is asked with this header of this value.
    AuthReads(String, String),
    /// The answer holds this text.
    Says(String),
}

impl Asked {
    /// A GET of `url` by a stranger.
    pub(super) fn get(url: Url) -> Self {
        Self { method: "GET".to_owned(), url, headers: Vec::new(), signed_in: false, way: Way::Files }
    }

    /// The request that `witness` stands for, over TLS when `secure`.
    pub(super) fn of(witness: &Witness, secure: bool) -> Option<Self> {
        let scheme = if secure { "https" } else { "http" };
        let mut url = Url::parse(&format!("{scheme}://{}/", witness.host)).ok()?;
        url.set_path(&witness.path);
        if !witness.query.is_empty() {
            url.set_query(Some(&witness.encoded_query()));
        }
        Some(Self { method: witness.method.clone(), headers: witness.headers.clone(), ..Self::get(url) })
    }

    /// The same with one more header line.
    #[must_use]
    pub(super) fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same by a user who has signed in.
    #[must_use]
    pub(super) fn signed_in(mut self) -> Self {
        self.signed_in = true;
        self
    }

    /// The same by another way.
    #[must_use]
    pub(super) fn by(mut self, way: Way) -> Self {
        self.way = way;
        self
    }

    /// As the proof of a finding, with what it must show.
    pub(super) fn shows(self, shows: Shows) -> Proof {
        Proof::Request(Box::new(self), shows)
    }

    /// The command that makes it.
    pub fn curl(&self) -> String {
        curl_line(&self.method, &self.url, &self.headers)
    }
}

impl fmt::Display for Asked {
    /// `GET https://docs.example.org/ with X-authentik-groups: forged, signed in`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.method, self.url)?;
        for (index, (name, value)) in self.headers.iter().enumerate() {
            write!(out, "{}{name}: {value}", if index == 0 { " with " } else { ", " })?;
        }
        if self.signed_in { out.write_str(", signed in") } else { Ok(()) }
    }
}

impl fmt::Display for Shows {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => out.write_str("a service answers"),
            Self::ServiceAt(place) => write!(out, "the service at {place} answers"),
            Self::Status(status) => write!(out, "status {status}"),
            Self::NotStatus(status) => write!(out, "another status than {status}"),
            Self::Login => out.write_str("a redirect to the login"),
            Self::NoLogin => out.write_str("no redirect to the login"),
            Self::RedirectTo(url) => write!(out, "a redirect to {url}"),
            Self::Authentik => out.write_str("Authentik answers itself, without a login"),
            Self::Reads(name, value) => write!(out, "the service reads `{name}: {value}`"),
            Self::Lacks(name) => write!(out, "the service gets no `{name}`"),
            Self::AuthReads(name, value) => write!(out, "the auth server is asked with `{name}: {value}`"),
            Self::Says(text) => write!(out, "the answer says `{text}`"),
        }
    }
}
