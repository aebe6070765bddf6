//! What differs between versions of Traefik, as data.

/// The ways in which one version of Traefik differs from another.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// The version that was recorded.
    pub version: &'static str,
    /// Whether paths are normalised and cleaned of `.`, `..` and `//` before routing and forwarding, and encoded
    /// reserved characters are no separators to a rule (`truth/traefik/3.6.7-5-config`: `baseline`).
    pub cleans_paths: bool,
    /// Whether `X-Forwarded-Prefix` from an untrusted client is dropped.
    pub strips_forwarded_prefix: bool,
    /// Whether `X_Forwarded_*` and the like from an untrusted client are dropped.
    pub strips_forwarded_aliases: bool,
    /// Whether a client's `Connection` line can take `X-Forwarded-Host`, `X-Forwarded-Proto` and `X-Real-Ip` away.
    pub connection_drops_forwarded: bool,
    /// Whether `trustForwardHeader` set to a value, rather than left out, makes the auth request from scratch: no
    /// default `User-Agent`, no aliases, and when false nothing forwarded but what Traefik itself computes.
    pub explicit_trust_is_strict: bool,
    /// Whether `forwardBody` sends the body with its length rather than in chunks.
    pub forwards_body_with_length: bool,
    /// Whether a rule's error names the step that failed.
    pub wraps_rule_errors: bool,
    /// Whether a service's missing transport is told with the server that wanted it.
    pub wraps_transport_errors: bool,
    /// Whether a router may have parents instead of a service.
    pub has_child_routers: bool,
    /// Whether the API shows `observability` on routers.
    pub shows_observability: bool,
    /// Whether the API shows `priorityStr` on routers.
    pub shows_priority_text: bool,
    /// Fields of a router, beyond those of 3.0.
    pub(crate) router_fields: &'static [&'static str],
    /// Fields of `forwardAuth`, beyond those of 3.0.
    pub(crate) forward_auth_fields: &'static [&'static str],
    /// Types of middleware, beyond those of 3.0.
    pub(crate) middleware_types: &'static [&'static str],
    /// Types of service, beyond those of 3.0.
    pub(crate) service_types: &'static [&'static str],
    /// Fields of `loadBalancer`, beyond those of 3.0.
    pub(crate) load_balancer_fields: &'static [&'static str],
    /// Fields of a server, beyond those of 3.0.
    pub(crate) server_fields: &'static [&'static str],
}

const V3_0: Profile = Profile {
    version: "3.0.4",
    cleans_paths: false,
    strips_forwarded_prefix: false,
    strips_forwarded_aliases: false,
    connection_drops_forwarded: true,
    explicit_trust_is_strict: false,
    forwards_body_with_length: false,
    wraps_rule_errors: false,
    wraps_transport_errors: false,
    has_child_routers: false,
    shows_observability: false,
    shows_priority_text: false,
    router_fields: &[],
    forward_auth_fields: &[],
    middleware_types: &[],
    service_types: &[],
    load_balancer_fields: &[],
    server_fields: &[],
};

const V3_6: Profile = Profile {
    version: "3.6.7",
    cleans_paths: true,
    strips_forwarded_prefix: true,
    connection_drops_forwarded: false,
    wraps_rule_errors: true,
    wraps_transport_errors: true,
    has_child_routers: true,
    shows_observability: true,
    router_fields: &["observability", "parentRefs", "deniedEncodedPathCharacters"],
    forward_auth_fields: &[
        "headerField",
        "forwardBody",
        "maxBodySize",
        "preserveLocationHeader",
        "preserveRequestMethod",
    ],
    service_types: &["highestRandomWeight"],
    load_balancer_fields: &["strategy", "passiveHealthCheck"],
    server_fields: &["preservePath"],
    ..V3_0
};

const V3_7: Profile = Profile {
    version: "3.7.15",
    strips_forwarded_aliases: true,
    explicit_trust_is_strict: true,
    forwards_body_with_length: true,
    shows_priority_text: true,
    forward_auth_fields: &[
        "headerField",
        "forwardBody",
        "maxBodySize",
        "preserveLocationHeader",
        "preserveRequestMethod",
        "maxResponseBodySize",
        "authSigninURL",
    ],
    ..V3_6
};

/// Oldest first.
static PROFILES: [Profile; 3] = [V3_0, V3_6, V3_7];

impl Profile {
    /// The profile for `version`, as `major.minor` or longer: the newest recorded one that is not newer, or the
    /// oldest. Text that is no version gets the newest.
    pub fn for_version(version: &str) -> &'static Self {
        let numbers = |version: &str| -> Option<(u32, u32)> {
            let mut parts = version.trim_start_matches('v').split('.').map(str::parse);
            Some((parts.next()?.ok()?, parts.next()?.ok()?))
        };
        let Some(wanted) = numbers(version) else { return &PROFILES[2] };
        PROFILES
            .iter()
            .rev()
            .find(|profile| numbers(profile.version).is_some_and(|recorded| recorded <= wanted))
            .unwrap_or(&PROFILES[0])
    }
}

impl Default for &'static Profile {
    /// Traefik 3.6.7.
    fn default() -> Self {
        &PROFILES[1]
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn versions_between_recordings_are_the_older_one() {
        for (version, recorded) in
            [("3.0", "3.0.4"), ("3.6", "3.6.7"), ("v3.6.20", "3.6.7"), ("3.9.1", "3.7.15"), ("2.11", "3.0.4")]
        {
            assert_eq!(Profile::for_version(version).version, recorded);
        }
    }
}
