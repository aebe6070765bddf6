//! What a fresh database holds: the migrations, the default blueprints and the bootstrap settings
//! (`truth/authentik`: `01-config-api`, its first answers).

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::key_pairs;
use super::model::{Flow, Group, Intent, KeyPair, Outpost, PasswordHash, ScopeMapping, Stage, Token, User};
use super::profile::Profile;
use super::shared::Settings;
use super::state::State;
use crate::digest::hex;
use sha2::{Digest as _, Sha256};

/// The `managed` name of the embedded outpost.
const EMBEDDED: &str = "goauthentik.io/outposts/embedded";

/// The state of an Authentik that has just run its migrations and default blueprints.
pub(crate) fn fresh(settings: &Settings) -> State {
    let mut state = State { secret_key: settings.secret_key(), ..State::default() };
    let admins = Group {
        pk: Uuid::new_v4(),
        num_pk: 10_000,
        name: "authentik Admins".to_owned(),
        is_superuser: true,
        parents: Vec::new(),
        attributes: Map::new(),
    };
    // 1 to 3 belong to the anonymous user and the outpost's service accounts.
    let mut akadmin = user(4, "akadmin", "authentik Default Admin");
    akadmin.groups.push(admins.pk);
    // An empty one is none: it must not let anybody in.
    let password = Some(&settings.bootstrap_password).filter(|password| !password.is_empty());
    akadmin.password = password.map(|password| PasswordHash::of(password));
    state.last_user = akadmin.pk;
    if !settings.bootstrap_token.is_empty() {
        let token = Token {
            pk: Uuid::new_v4(),
            identifier: "authentik-bootstrap-token".to_owned(),
            key: settings.bootstrap_token.clone(),
            user: akadmin.pk,
            intent: Intent::Api,
        };
        state.tokens.insert(token.key.clone(), token);
    }
    state.groups.insert(admins.pk, admins);
    state.users.insert(akadmin.pk, akadmin);
    state.flows.extend(flows().into_iter().map(|flow| (flow.pk, flow)));
    state.mappings.extend(mappings(&settings.profile).into_iter().map(|mapping| (mapping.pk, mapping)));
    state.key_pairs.extend(self_signed(&settings.profile).map(|pair| (pair.pk, pair)));
    let outpost = Outpost {
        pk: Uuid::new_v4(),
        name: "authentik Embedded Outpost".to_owned(),
        managed: Some(EMBEDDED.to_owned()),
        providers: Vec::new(),
        config: outpost_config(),
    };
    state.outposts.insert(outpost.pk, outpost);
    state
}

/// A user as the program makes one, without groups and password.
pub(crate) fn user(pk: u64, username: &str, name: &str) -> User {
    let uuid = Uuid::new_v4();
    User {
        pk,
        uuid,
        uid: hex(&Sha256::digest(format!("{pk}-{uuid}"))),
        username: username.to_owned(),
        name: name.to_owned(),
        email: String::new(),
        is_active: true,
        kind: "internal".to_owned(),
        path: "users".to_owned(),
        groups: Vec::new(),
        attributes: Map::new(),
        password: None,
        date_joined: Timestamp::now(),
        last_login: None,
        password_changed: Timestamp::now(),
    }
}

/// The shipped key is known to work, so the pair is always there.
fn self_signed(profile: &Profile) -> Option<KeyPair> {
    key_pairs::self_signed(profile).ok()
}

/// An outpost's configuration as a new one has it.
pub(crate) fn outpost_config() -> Map<String, Value> {
    let config = json!({
        "log_level": "info", "docker_labels": null, "authentik_host": "", "docker_network": null,
        "container_image": null, "docker_map_ports": true, "refresh_interval": "minutes=5",
        "kubernetes_replicas": 1, "kubernetes_namespace": "default", "authentik_host_browser": "",
        "object_naming_template": "ak-outpost-%(name)s", "authentik_host_insecure": false,
        "kubernetes_json_patches": null, "kubernetes_service_type": "ClusterIP",
        "kubernetes_ingress_path_type": null, "kubernetes_image_pull_secrets": [],
        "kubernetes_ingress_class_name": null, "kubernetes_disabled_components": [],
        "kubernetes_ingress_annotations": {}, "kubernetes_ingress_secret_name": "authentik-outpost-tls",
        "kubernetes_httproute_annotations": {}, "kubernetes_httproute_parent_refs": [],
    });
    config.as_object().cloned().unwrap_or_default()
}

fn flows() -> [Flow; 5] {
    let flow =
        |slug: &str, name: &str, title: &str, designation: &str, authentication: &str, stages: &[Stage]| {
            Flow {
                pk: Uuid::new_v4(),
                slug: slug.to_owned(),
                name: name.to_owned(),
                title: title.to_owned(),
                designation: designation.to_owned(),
                authentication: authentication.to_owned(),
                stages: stages.to_vec(),
            }
        };
    [
        flow(
            "default-authentication-flow",
            "Welcome to authentik!",
            "Welcome to authentik!",
            "authentication",
            "none",
            &[Stage::Identification, Stage::Password, Stage::AuthenticatorValidate, Stage::UserLogin],
        ),
        flow(
            "default-invalidation-flow",
            "Logout",
            "Default Invalidation Flow",
            "invalidation",
            "require_authenticated",
            &[Stage::UserLogout],
        ),
        flow(
            "default-provider-authorization-implicit-consent",
            "Authorize Application",
            "Redirecting to %(app)s",
            "authorization",
            "require_authenticated",
            &[],
        ),
        flow(
            "default-provider-authorization-explicit-consent",
            "Authorize Application",
            "Redirecting to %(app)s",
            "authorization",
            "require_authenticated",
            &[],
        ),
        flow(
            "default-provider-invalidation-flow",
            "Logged out of application",
            "You've logged out of %(app)s.",
            "invalidation",
            "none",
            &[],
        ),
    ]
}

fn mappings(profile: &Profile) -> [ScopeMapping; 7] {
    let mapping =
        |managed: &str, scope: &str, name: &str, description: &str, expression: &str| ScopeMapping {
            pk: Uuid::new_v4(),
            managed: Some(format!("goauthentik.io/providers/{managed}")),
            name: format!("authentik default OAuth Mapping: {name}"),
            scope_name: scope.to_owned(),
            description: description.to_owned(),
            expression: expression.to_owned(),
        };
    [
        mapping(
            "oauth2/scope-openid",
            "openid",
            "OpenID 'openid'",
            "",
            "# This scope is required by the OpenID-spec, and must as such exist in authentik.\n\
             # The scope by itself does not grant any information\n\
             return {}",
        ),
        mapping(
            "oauth2/scope-email",
            "email",
            "OpenID 'email'",
            "Email address",
            &EMAIL.replace("VERIFIED", if profile.email_verified { "True" } else { "False" }),
        ),
        mapping(
            "oauth2/scope-profile",
            "profile",
            "OpenID 'profile'",
            "General Profile Information",
            &PROFILE.replace("GROUPS", profile.user_groups),
        ),
        mapping(
            "oauth2/scope-offline_access",
            "offline_access",
            "OpenID 'offline_access'",
            "Access to request new tokens without interaction",
            "# This scope grants the application a refresh token that can be used to refresh user data\n\
             # and let the application access authentik without the users interaction\n\
             return {}",
        ),
        mapping(
            "oauth2/scope-authentik_api",
            "goauthentik.io/api",
            "authentik API access",
            "authentik API Access on behalf of your user",
            "# This scope grants the application the ability to access the authentik API\n\
             # on behalf of the authorizing user\n\
             return {}",
        ),
        mapping(
            "oauth2/scope-entitlements",
            "entitlements",
            "Application Entitlements",
            "Application entitlements",
            ENTITLEMENTS,
        ),
        mapping(
            "proxy/scope-proxy",
            "ak_proxy",
            "Proxy outpost",
            "authentik Proxy - User information",
            PROXY,
        ),
    ]
}

const EMAIL: &str = r#"return {
    "email": request.user.email,
    "email_verified": VERIFIED
}"#;

const PROFILE: &str = r#"return {
    # Because authentik only saves the user's full name, and has no concept of first and last names,
    # the full name is used as given name.
    # You can override this behaviour in custom mappings, i.e. `request.user.name.split(" ")`
    "name": request.user.name,
    "given_name": request.user.name,
    "preferred_username": request.user.username,
    "nickname": request.user.username,
    "groups": [group.name for group in request.user.GROUPS.all()],
}"#;

const ENTITLEMENTS: &str = r#"entitlements = [entitlement.name for entitlement in request.user.app_entitlements(provider.application)]
return {
    "entitlements": entitlements,
    "roles": entitlements,
}"#;

const PROXY: &str = r#"# This mapping is used by the authentik proxy. It passes extra user attributes,
# which are used for example for the HTTP-Basic Authentication mapping.
return {
    "ak_proxy": {
        "user_attributes": request.user.group_attributes(request),
        "is_superuser": request.user.is_superuser,
    }
}"#;
