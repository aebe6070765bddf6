//! `admin/version/`, `root/config/` and `core/brands/current/` (`15-health-version`).

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::call::Call;
use super::collection::{Answered, READ};
use super::refusal::{Answer, Refusal, shown};

/// `admin/version/`: for anyone signed in.
pub(super) fn version(call: &Call<'_>, rest: &[&str]) -> Answered {
    (read_only(call, rest).and_then(|()| show_version(call)), READ)
}

fn show_version(call: &Call<'_>) -> Answer {
    call.user()?;
    shown(json!({
        "version_current": call.shared.profile.version,
        "version_latest": "0.0.0",
        "version_latest_valid": false,
        "build_hash": "",
        "outdated": false,
        "outpost_outdated": false,
    }))
}

/// `root/config/`: for everyone.
pub(super) fn config(call: &Call<'_>, rest: &[&str]) -> Answered {
    (read_only(call, rest).and_then(|()| show_config(call)), READ)
}

fn show_config(call: &Call<'_>) -> Answer {
    let mut value = json!({
        "error_reporting": {
            "enabled": false, "sentry_dsn": "", "environment": "customer", "send_pii": false,
            "traces_sample_rate": 0.1,
        },
        "capabilities": ["can_impersonate"],
        "cache_timeout": 300,
        "cache_timeout_flows": 300,
        "cache_timeout_policies": 300,
    });
    if call.shared.profile.old_shapes {
        value["cache_timeout_reputation"] = json!(300);
    }
    shown(value)
}

/// `core/brands/current/`: for everyone.
pub(super) fn brand(call: &Call<'_>, rest: &[&str]) -> Answered {
    (read_only(call, rest).and_then(|()| show_brand(call)), READ)
}

fn show_brand(call: &Call<'_>) -> Answer {
    let mut value = json!({
        "matched_domain": "authentik-default",
        "branding_title": "authentik",
        "branding_logo": "/static/dist/assets/icons/icon_left_brand.svg",
        "branding_favicon": "/static/dist/assets/icons/icon.png",
        "branding_custom_css": "",
        "ui_footer_links": [],
        "ui_theme": "automatic",
        "flow_authentication": "default-authentication-flow",
        "flow_invalidation": "default-invalidation-flow",
        "flow_user_settings": "default-user-settings-flow",
        "default_locale": "",
        "flags": call.shared.profile.flags.iter().map(|flag| (*flag, false)).collect::<BTreeMap<_, _>>(),
    });
    if !call.shared.profile.old_shapes {
        value["branding_logo_themed_urls"] = Value::Null;
        value["branding_favicon_themed_urls"] = Value::Null;
    }
    shown(value)
}

fn read_only(call: &Call<'_>, rest: &[&str]) -> Result<(), Refusal> {
    if !rest.is_empty() {
        return Err(Refusal::NoSuchPath);
    }
    match *call.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Refusal::Method(call.method.clone())),
    }
}
