//! What a fault is, and where it takes hold.

use std::fmt;

use bytes::Bytes;
use http::{Request, Response, request};
use ssoproof_deployment::Deployment;

use super::files::Files;
use super::script::Script;
use crate::authentik::{Profile, State};
use crate::gateway::Trusted;
use crate::grafana;
use crate::minio;
use crate::services::ProbeSettings;

/// One defect.
pub struct Fault {
    /// Its name, for `--fault`.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// What went wrong, in one line.
    pub story: &'static str,
    /// Where it was seen: an issue, an advisory or a page; none where it is our own.
    pub reference: Option<&'static str>,
    /// The requirement that it breaks first.
    pub breaks: &'static str,
    /// The code of the diagnosis that names it.
    pub diagnosis: &'static str,
    /// Where it takes hold.
    pub seam: Seam,
}

impl Fault {
    /// Whether it can come and go while a stack runs: it lies on a wire or in Traefik's files, and not in how parts were
    /// started or what was set up before.
    pub fn comes_and_goes(&self) -> bool {
        matches!(self.seam, Seam::Files(_) | Seam::Wire(..))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

/// What a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Redirects and sessions.
    Redirects,
    /// Cookies.
    Cookies,
    /// Identity headers.
    Headers,
    /// Trust in `X-Forwarded-*`.
    Forwarded,
    /// The outpost and its providers.
    Outpost,
    /// OpenID Connect between Authentik and apps.
    Oidc,
    /// Signing keys.
    Keys,
    /// Claims.
    Claims,
    /// Grafana.
    Grafana,
    /// MinIO.
    Minio,
    /// Traefik's rules and files.
    Traefik,
    /// Logout.
    Logout,
    /// The header-to-cookie bridge.
    Bridge,
    /// What the stack stands on.
    Infrastructure,
    /// Tools that rewrite Traefik's files, and what mends them.
    Devpush,
}

impl Group {
    /// The group's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Redirects => "redirects",
            Self::Cookies => "cookies",
            Self::Headers => "headers",
            Self::Forwarded => "forwarded",
            Self::Outpost => "outpost",
            Self::Oidc => "oidc",
            Self::Keys => "keys",
            Self::Claims => "claims",
            Self::Grafana => "grafana",
            Self::Minio => "minio",
            Self::Traefik => "traefik",
            Self::Logout => "logout",
            Self::Bridge => "bridge",
            Self::Infrastructure => "infrastructure",
            Self::Devpush => "devpush",
        }
    }
}

/// Where a fault takes hold. What returns `bool` says whether the deployment has anything to break there.
pub enum Seam {
    /// The Traefik files.
    Files(fn(&mut Files, &Deployment) -> bool),
    /// Traefik does not watch its files.
    Unwatched,
    /// The clients whom Traefik believes what a request says of its way.
    Trust(Trusted),
    /// What an administrator has left in Authentik.
    Database(fn(&mut State, &Deployment) -> bool),
    /// How the version behaves where Authentik is asked with one of these words, in lower case.
    Version(&'static [&'static str], fn(&mut Profile)),
    /// Grafana's settings.
    Grafana(fn(&mut grafana::Settings)),
    /// MinIO's settings.
    Minio(fn(&mut minio::Settings)),
    /// What a service does.
    Service(fn(&mut ProbeSettings)),
    /// What travels between Traefik and one of its upstreams.
    Wire(Link, Tampering),
    /// What runs in the patcher's place.
    Script(Script),
}

impl Tampering {
    /// What a wire does that carries everything as it is.
    pub const NONE: Self = Self { request: |_, _| None, response: |_, _, _| () };
}

impl Seam {
    /// A wire that changes, or answers, what is asked.
    pub const fn requests(
        link: Link,
        change: fn(&mut Request<Bytes>, &Deployment) -> Option<Response<Bytes>>,
    ) -> Self {
        Self::Wire(link, Tampering { request: change, response: |_, _, _| () })
    }

    /// A wire that changes answers.
    pub const fn answers(link: Link, change: fn(&request::Parts, &mut Response<Bytes>, &Deployment)) -> Self {
        Self::Wire(link, Tampering { request: |_, _| None, response: change })
    }
}

/// A wire: from Traefik to what is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Authentik: forward auth, the outpost's own paths and the core.
    Authentik,
    /// Every service behind forward auth.
    Services,
    /// Grafana.
    Grafana,
    /// MinIO's S3 and STS API.
    MinioApi,
    /// MinIO's console.
    MinioConsole,
}

/// What a wire does to an exchange.
#[derive(Clone, Copy)]
pub struct Tampering {
    /// Changes a request on its way; what it returns is the answer, and the request goes nowhere.
    pub request: fn(&mut Request<Bytes>, &Deployment) -> Option<Response<Bytes>>,
    /// Changes the answer to what was asked, as it went on.
    pub response: fn(&request::Parts, &mut Response<Bytes>, &Deployment),
}
