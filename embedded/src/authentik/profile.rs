//! What differs between Authentik's versions, as data.

/// The behaviour of one Authentik version (`truth/authentik/DIFF.txt`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `major.minor.patch`, as `/api/v3/admin/version/` says.
    pub version: &'static str,
    /// Whether the outpost's `sign_out` answers; 2025.12.4 panics there and the gateway answers 502.
    pub sign_out_answers: bool,
    /// Whether authorize goes through `/flows/-/default/authentication/` first, as 2025.8 does.
    pub extra_authentication_hop: bool,
    /// Whether a pending flow plan makes end-session answer `Logout successful` and log nothing out.
    pub pending_plan_ends_session_quietly: bool,
    /// Whether a key id is the long base64url form; 2025.x has 32 hex digits.
    pub long_kid: bool,
    /// Whether tokens carry an id of their own (`jti`), as 2026.2 does.
    pub token_id: bool,
    /// Whether an access token carries its `scope`; 2025.8 leaves it out.
    pub scope_in_access_token: bool,
    /// Whether the outpost sets its cookie again for a browser whose session it has dropped, as 2025.8 does.
    pub outpost_repeats_cookie: bool,
    /// Whether the API names a group's parents in a list; 2025.8 has one `parent`.
    pub group_parents: bool,
    /// Whether the API and the executor lack what came after 2025.8: roles of users, `key_type`, logout URIs,
    /// themed images, passkeys, a cancel URL that keeps `next`.
    pub old_shapes: bool,
    /// Whether the identification stage names the application's launch URL, as 2026.2 does.
    pub prelaunch_url: bool,
    /// Whether the session-end page sends a browser that is logged out to `/`; others show it the page.
    pub session_end_needs_user: bool,
    /// The name by which the default `profile` mapping reaches a user's groups.
    pub user_groups: &'static str,
    /// What the default `email` mapping says of `email_verified`.
    pub email_verified: bool,
    /// Whether it needs Redis beside PostgreSQL, as every version up to 2025.8 does.
    pub needs_redis: bool,
}

impl Profile {
    /// 2026.2.2.
    pub const V2026_2: Self = Self {
        version: "2026.2.2",
        sign_out_answers: true,
        extra_authentication_hop: false,
        pending_plan_ends_session_quietly: true,
        long_kid: true,
        token_id: true,
        scope_in_access_token: true,
        outpost_repeats_cookie: false,
        group_parents: true,
        old_shapes: false,
        prelaunch_url: true,
        session_end_needs_user: true,
        user_groups: "groups",
        email_verified: false,
        needs_redis: false,
    };

    /// 2025.12.4.
    pub const V2025_12: Self = Self {
        version: "2025.12.4",
        sign_out_answers: false,
        long_kid: false,
        token_id: false,
        prelaunch_url: false,
        ..Self::V2026_2
    };

    /// 2025.8.6.
    pub const V2025_8: Self = Self {
        version: "2025.8.6",
        sign_out_answers: true,
        extra_authentication_hop: true,
        pending_plan_ends_session_quietly: false,
        long_kid: false,
        token_id: false,
        scope_in_access_token: false,
        outpost_repeats_cookie: true,
        group_parents: false,
        old_shapes: true,
        prelaunch_url: false,
        session_end_needs_user: false,
        user_groups: "ak_groups",
        email_verified: true,
        needs_redis: true,
    };

    /// The profile of `major.minor`, when it is one of those recorded.
    pub fn of(version: &str) -> Option<Self> {
        [Self::V2026_2, Self::V2025_12, Self::V2025_8]
            .into_iter()
            .find(|profile| profile.version == version || profile.version.starts_with(&format!("{version}.")))
    }
}
