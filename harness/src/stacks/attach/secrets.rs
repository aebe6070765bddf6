//! The secrets of a stack that others have set up: from the environment, else from a file that only its owner reads.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use ssoproof_deployment::{Deployment, Source};

use super::super::secrets::{random, write_private};
use super::{AttachOptions, attach};
use crate::stacks::{Secrets, StackError};

/// What the file holds.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// An API token of an administrator.
    #[serde(default)]
    api_token: Option<String>,
    /// Passwords by persona.
    #[serde(default)]
    passwords: BTreeMap<String, String>,
    /// Client secrets by client id.
    #[serde(default)]
    client_secrets: BTreeMap<String, String>,
}

/// The secrets of `deployment`. With `provision`, those that nobody knows are made and added to the file.
///
/// # Errors
/// [`StackError::Attach`] when the file does not read, others may read it, or there is none to add to.
pub(super) fn read(deployment: &Deployment, options: &AttachOptions) -> Result<Secrets, StackError> {
    let mut file = match &options.secrets {
        Some(path) => load(path, options.provision)?,
        None => File::default(),
    };
    let unknown = file.passwords.keys().find(|name| !deployment.personas.contains_key(*name));
    if let (Some(name), Some(path)) = (unknown, &options.secrets) {
        return Err(attach(format!("`{}` has a password for `{name}`, which is no persona", path.display())));
    }
    let mut secrets = known(deployment, &file, |name| std::env::var(name).ok());
    if !options.provision {
        return Ok(secrets);
    }
    if secrets.admin_token.expose_secret().is_empty() {
        return Err(attach("to provision takes an API token: set SSOPROOF_API_TOKEN".to_owned()));
    }
    let mut made = false;
    for name in deployment.personas.keys().filter(|name| !secrets.passwords.contains_key(*name)) {
        made = true;
        file.passwords.insert(name.clone(), random().expose_secret().to_owned());
    }
    for (_, provider) in deployment.providers() {
        if !secrets.client_secrets.contains_key(&provider.client_id) {
            made = true;
            file.client_secrets.insert(provider.client_id.clone(), random().expose_secret().to_owned());
        }
    }
    if made {
        let Some(path) = &options.secrets else {
            return Err(attach(
                "there are no passwords and client secrets to provision: name the file to keep new ones in with \
                 `--secrets`"
                    .to_owned(),
            ));
        };
        let text = serde_json::to_string_pretty(&file).map_err(|error| attach(error.to_string()))?;
        write_private(path, &text)
            .map_err(|error| attach(format!("failed to write `{}`: {error}", path.display())))?;
        secrets = known(deployment, &file, |name| std::env::var(name).ok());
    }
    Ok(secrets)
}

/// What is known: a variable goes before the file.
fn known(deployment: &Deployment, file: &File, variable: impl Fn(&str) -> Option<String>) -> Secrets {
    let given = |name: &str, kept: Option<&String>| -> Option<SecretString> {
        variable(name).filter(|value| !value.is_empty()).or_else(|| kept.cloned()).map(SecretString::from)
    };
    let password = |(name, persona): (&String, &ssoproof_deployment::Persona)| {
        let usual = format!("SSOPROOF_PASSWORD_{}", upper(name));
        let variable = persona.password_env.as_deref().unwrap_or(&usual);
        Some((name.clone(), given(variable, file.passwords.get(name))?))
    };
    let client_secret = |id: &String| {
        let variable = format!("SSOPROOF_CLIENT_SECRET_{}", upper(id));
        Some((id.clone(), given(&variable, file.client_secrets.get(id))?))
    };
    Secrets {
        admin_token: given("SSOPROOF_API_TOKEN", file.api_token.as_ref()).unwrap_or_default(),
        passwords: deployment.personas.iter().filter_map(password).collect(),
        client_secrets: deployment
            .providers()
            .into_iter()
            .filter_map(|(_, provider)| client_secret(&provider.client_id))
            .collect(),
        // Grafana and MinIO are used as their users do.
        grafana_admin: SecretString::default(),
        minio_root: SecretString::default(),
    }
}

/// A name as it stands in that of a variable.
fn upper(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    name.chars().map(plain).collect()
}

/// Reads the file; where it may be missing, a missing one is empty. No line of it is shown.
fn load(path: &Path, may_be_missing: bool) -> Result<File, StackError> {
    let failed =
        |reason: String| attach(format!("failed to read the secrets in `{}`: {reason}", path.display()));
    let mode = match std::fs::metadata(path) {
        Ok(found) => found.permissions().mode(),
        Err(error) if may_be_missing && error.kind() == io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => return Err(failed(error.to_string())),
    };
    if mode & 0o077 != 0 {
        return Err(failed(format!("others may read it: `chmod 600 {}`", path.display())));
    }
    let source = Source::read(path).map_err(|problem| attach(problem.to_string()))?;
    source.yaml().map_err(|problem| {
        let place = problem.position().unwrap_or_default();
        failed(format!("it is no mapping with `api_token`, `passwords` and `client_secrets` ({place})"))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;

    fn deployment() -> Deployment {
        Deployment::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic"))).unwrap()
    }

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, AttachOptions) {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.yaml");
        let mut file = std::fs::OpenOptions::new().create(true).write(true).mode(mode).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, AttachOptions { secrets: Some(path), ..AttachOptions::default() })
    }

    #[test]
    fn a_variable_goes_before_the_file() {
        let file = File {
            api_token: Some("kept".into()),
            passwords: BTreeMap::from([("admin".into(), "kept".into()), ("studio".into(), "kept".into())]),
            client_secrets: BTreeMap::new(),
        };
        let variables = BTreeMap::from([
            ("SSOPROOF_PASSWORD_ADMIN", "given"),
            ("SSOPROOF_CLIENT_SECRET_GRAFANA_SPACEMUSIC", "given"),
            ("SSOPROOF_API_TOKEN", ""),
        ]);
        let secrets =
            known(&deployment(), &file, |name| variables.get(name).map(|value| (*value).to_owned()));
        assert_eq!(secrets.admin_token.expose_secret(), "kept");
        assert_eq!(secrets.passwords["admin"].expose_secret(), "given");
        assert_eq!(secrets.passwords["studio"].expose_secret(), "kept");
        assert_eq!(secrets.client_secrets["grafana-spacemusic"].expose_secret(), "given");
        assert!(!secrets.passwords.contains_key("viewer") && secrets.client_secrets.len() == 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let (_folder, options) = file("api_token: x", 0o640);
        let error = read(&deployment(), &options).unwrap_err().to_string();
        assert!(error.contains("others may read it: `chmod 600"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_the_file_is_told_without_a_secret() {
        for text in ["api_token: { hunter2: 1 }", "passwords: hunter2", "hunter2: x", "- hunter2"] {
            let (_folder, options) = file(text, 0o600);
            let error = read(&deployment(), &options).unwrap_err().to_string();
            assert!(error.contains("secrets.yaml:1:") && !error.contains("hunter2"), "{error}");
        }
        let (_folder, options) = file("passwords: { nobody: hunter2 }", 0o600);
        let error = read(&deployment(), &options).unwrap_err().to_string();
        assert!(error.contains("`nobody`, which is no persona") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_is_made_for_a_fresh_authentik_is_kept_for_the_next_run() {
        let (folder, mut options) = file("api_token: token\npasswords: { admin: mine }", 0o600);
        options.provision = true;
        let made = read(&deployment(), &options).unwrap();
        assert_eq!(made.passwords["admin"].expose_secret(), "mine");
        options.provision = false;
        let again = read(&deployment(), &options).unwrap();
        assert_eq!(again.passwords.len(), deployment().personas.len());
        let plain = |secrets: &Secrets| {
            let of = |secrets: &BTreeMap<String, SecretString>| -> Vec<String> {
                secrets.values().map(|secret| secret.expose_secret().to_owned()).collect()
            };
            (of(&secrets.passwords), of(&secrets.client_secrets))
        };
        assert_eq!(plain(&made), plain(&again));
        let mode = std::fs::metadata(folder.path().join("secrets.yaml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        options = AttachOptions { provision: true, ..AttachOptions::default() };
        assert!(read(&deployment(), &options).unwrap_err().to_string().contains("SSOPROOF_API_TOKEN"));
    }
}
