//! A repository that tests its single sign-on with ssoproof; see `tests/sso.rs`.
