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
    /// Whether the API's `Content-Type` names its character set, as 2025.x does.
    pub charset_in_api: bool,
    /// The feature flags that a brand shows, all off.
    pub flags: &'static [&'static str],
    /// Whether the page that denies access sets the CSRF cookie, as 2025.8 does.
    pub csrf_cookie_on_denial: bool,
    /// What the API says of an `Authorization` header whose scheme it does not know.
    pub unknown_scheme: &'static str,
    /// What the API says of a group whose name is taken.
    pub group_taken: &'static str,
    /// What the API says of a slug with other letters.
    pub bad_slug: &'static str,
    /// Whether an empty name in the identification stage is refused by its field, as 2025.8 does.
    pub blank_name_is_refused: bool,
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
        charset_in_api: false,
        flags: &["policies_buffered_access_view", "flows_continuous_login", "flows_refresh_others"],
        csrf_cookie_on_denial: false,
        unknown_scheme: "Authentication credentials were not provided.",
        group_taken: "Group with this name already exists.",
        bad_slug: "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.",
        blank_name_is_refused: false,
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
        charset_in_api: true,
        flags: &["policies_buffered_access_view", "flows_refresh_others"],
        user_groups: "ak_groups",
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
        charset_in_api: true,
        flags: &["policies_buffered_access_view"],
        csrf_cookie_on_denial: true,
        unknown_scheme: "Unsupported authentication type",
        group_taken: "This field must be unique.",
        bad_slug: "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens.",
        blank_name_is_refused: true,
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
