//! What differs between Traefik's versions, as data.

/// The behaviour of one Traefik version (`truth/traefik/*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The version: `3.6.7`.
    pub version: &'static str,
    /// Whether dot segments and double slashes are cleaned away before a router is chosen.
    pub cleans_paths: bool,
    /// Whether a client's `X-Forwarded-Prefix` is dropped at an untrusted entry point.
    pub strips_forwarded_prefix: bool,
    /// Whether a client's `X_Forwarded_*` are dropped at an untrusted entry point.
    pub strips_forwarded_aliases: bool,
    /// Whether a client can have headers removed by naming them in `Connection`.
    pub obeys_connection_names: bool,
    /// Options of forwardAuth that this version does not know; a file with one is refused whole.
    pub unknown_options: &'static [&'static str],
}

impl Profile {
    /// 3.0.4.
    pub const V3_0: Self = Self {
        version: "3.0.4",
        cleans_paths: false,
        strips_forwarded_prefix: false,
        strips_forwarded_aliases: false,
        obeys_connection_names: true,
        unknown_options: &[
            "forwardBody",
            "maxBodySize",
            "maxResponseBodySize",
            "preserveRequestMethod",
            "preserveLocationHeader",
            "headerField",
        ],
    };

    /// 3.6.7.
    pub const V3_6: Self = Self {
        version: "3.6.7",
        cleans_paths: true,
        strips_forwarded_prefix: true,
        strips_forwarded_aliases: false,
        obeys_connection_names: false,
        unknown_options: &["maxResponseBodySize"],
    };

    /// 3.7.15.
    pub const V3_7: Self =
        Self { version: "3.7.15", strips_forwarded_aliases: true, unknown_options: &[], ..Self::V3_6 };

    /// The profile of `major.minor`, when it is one of those recorded.
    pub fn of(version: &str) -> Option<Self> {
        [Self::V3_0, Self::V3_6, Self::V3_7]
            .into_iter()
            .find(|profile| profile.version == version || profile.version.starts_with(&format!("{version}.")))
    }
}
