//! The header-to-cookie bridge.

use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::set_cookies;
use crate::services::Bridge;

const COOKIE: &str = "ak_";

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "safe_bridge_is_plain",
        group: Group::Bridge,
        story: "the bridge that should only believe its own cookies believes every one",
        reference: None,
        breaks: "BRIDGE-2",
        diagnosis: "SSO-B01",
        seam: Seam::Service(|settings| {
            if settings.bridge == Bridge::Safe {
                settings.bridge = Bridge::AsDocumented;
            }
        }),
    },
    Fault {
        name: "bridge_is_missing",
        group: Group::Bridge,
        story: "the service was built without its bridge: client-side navigation is anonymous",
        reference: Some("https://github.com/sveltejs/kit/issues/6749"),
        breaks: "BRIDGE-1",
        diagnosis: "SSO-B02",
        seam: Seam::Service(|settings| settings.bridge = Bridge::None),
    },
    Fault {
        name: "bridge_cookie_is_lost",
        group: Group::Bridge,
        story: "the bridge's cookies do not reach the browser (cookies set beside a hand-made response)",
        reference: Some("https://github.com/sveltejs/kit/issues/6878"),
        breaks: "BRIDGE-1",
        diagnosis: "SSO-B02",
        seam: Seam::answers(Link::Services, |_, response, _| {
            set_cookies(response, COOKIE, |_| String::new())
        }),
    },
    Fault {
        name: "bridge_cookie_of_other_path",
        group: Group::Bridge,
        story: "the bridge's cookies are for the page they were set on alone",
        reference: Some("https://github.com/sveltejs/kit/issues/8316"),
        breaks: "BRIDGE-1",
        diagnosis: "SSO-B02",
        seam: Seam::answers(Link::Services, |_, response, _| {
            set_cookies(response, COOKIE, |cookie| cookie.replace("Path=/", "Path=/never/here"));
        }),
    },
];
