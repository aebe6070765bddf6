//! Signing in at Authentik's login page.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::browser::Agent;
use super::flow::{FlowError, FlowPage, StageError};
use super::landing::Landing;
use crate::evidence::{Cause, Ledger};

/// The most stages one sign-in answers.
const MAX_STAGES: usize = 12;

/// Who signs in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user name or e-mail address.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// How a sign-in ended.
#[derive(Debug, Clone, PartialEq)]
pub enum SignIn {
    /// The flow let the user through, and the browser navigated on.
    Done {
        /// The stages that were answered, in order.
        stages: Vec<String>,
        /// Where it came to rest.
        landing: Landing,
        /// The flow page there, when it is one.
        page: Option<Box<FlowPage>>,
    },
    /// Authentik refused.
    Refused {
        /// The stage that refused, `ak-stage-password` for example.
        component: String,
        /// What it said.
        errors: Vec<StageError>,
        /// The hop of the refusal.
        hop: usize,
    },
}

/// Why a sign-in could not be carried through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The flow executor could not be talked to.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// A stage that takes more than a name and a password.
    #[error("stage `{component}` of flow `{slug}` asks for more than a name and a password")]
    Unsupported {
        /// The flow.
        slug: String,
        /// The stage.
        component: String,
    },
    /// The same stage came back without a complaint.
    #[error("flow `{slug}` asks `{component}` again without saying why")]
    Stuck {
        /// The flow.
        slug: String,
        /// The stage.
        component: String,
    },
}

/// What to do with a challenge.
enum Step {
    Answer(Value),
    GoOn,
    Refused,
    Unsupported,
}

impl Agent {
    /// Signs in at the flow page `landing_url`: asks the executor for its first challenge and goes on from there.
    ///
    /// # Errors
    /// [`SignInError`] when the flow cannot be carried through; a refusal is [`SignIn::Refused`].
    pub async fn sign_in(
        &mut self,
        landing_url: &Url,
        credentials: &Credentials,
        ledger: &mut Ledger,
    ) -> Result<SignIn, SignInError> {
        let page = self.challenge(landing_url, ledger).await?;
        self.sign_in_from(page, credentials, ledger).await
    }

    /// Signs in from a flow page whose first challenge is known, as [`Self::visit`] and
    /// [`Self::inspect_flow`] return it, without asking for it once more.
    ///
    /// Mirrors `20-login-alice` in the truth: identification, password, redirects after each answer, then
    /// `xak-flow-redirect`. A password asked for on the identification stage (`password_fields`) is given there;
    /// the login stage is answered, and consent granted in this flow or the authorization flow after it.
    ///
    /// # Errors
    /// [`SignInError`] when the flow cannot be carried through.
    pub async fn sign_in_from(
        &mut self,
        mut page: FlowPage,
        credentials: &Credentials,
        ledger: &mut Ledger,
    ) -> Result<SignIn, SignInError> {
        let mut stages: Vec<String> = Vec::new();
        let mut answered: Vec<(String, String)> = Vec::new();
        for _ in 0..MAX_STAGES {
            let component = page.component.clone();
            let answer = match step(&page, credentials) {
                Step::Answer(answer) => answer,
                Step::GoOn => {
                    let Some(next) = page.automatic() else { break };
                    let landing = self.navigate_by(next, Cause::Script, ledger).await;
                    let (landing, rest) = self.settle(landing, ledger).await;
                    match rest {
                        Some(rest) if rest.component == "ak-stage-consent" => page = rest,
                        page => return Ok(SignIn::Done { stages, landing, page: page.map(Box::new) }),
                    }
                    continue;
                }
                Step::Refused => {
                    return Ok(SignIn::Refused { component, errors: page.errors(), hop: page.hop });
                }
                Step::Unsupported => return Err(SignInError::Unsupported { slug: page.slug, component }),
            };
            let stage = (page.slug.clone(), component.clone());
            if answered.contains(&stage) {
                return Err(SignInError::Stuck { slug: page.slug, component });
            }
            answered.push(stage);
            stages.push(component);
            page = self.respond(&page.url.clone(), &answer, ledger).await?;
        }
        Err(SignInError::Stuck { slug: page.slug, component: page.component })
    }
}

fn step(page: &FlowPage, credentials: &Credentials) -> Step {
    if !page.errors().is_empty() {
        return Step::Refused;
    }
    let password = || credentials.password.expose_secret();
    let component = page.component.as_str();
    match component {
        "ak-stage-identification" => {
            if page.challenge.get("captcha_stage").is_some_and(|stage| !stage.is_null()) {
                return Step::Unsupported;
            }
            let mut answer = json!({"component": component, "uid_field": credentials.username});
            if page.challenge.get("password_fields") == Some(&Value::Bool(true)) {
                answer["password"] = password().into();
            }
            Step::Answer(answer)
        }
        "ak-stage-password" => Step::Answer(json!({"component": component, "password": password()})),
        "ak-stage-user-login" => Step::Answer(json!({"component": component, "remember_me": false})),
        "ak-stage-consent" => {
            Step::Answer(json!({"component": component, "token": page.challenge.get("token")}))
        }
        "xak-flow-redirect" | "ak-stage-autosubmit" => Step::GoOn,
        "ak-stage-access-denied" | "ak-stage-flow-error" => Step::Refused,
        _ => Step::Unsupported,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(challenge: Value) -> Option<Value> {
        let page = FlowPage {
            url: Url::parse("https://auth.spacemusic.tv/if/flow/f/").unwrap(),
            slug: "f".into(),
            hop: 3,
            component: challenge["component"].as_str().unwrap().into(),
            challenge,
        };
        let credentials =
            Credentials { username: "alice".into(), password: "alice-Passw0rd!".to_owned().into() };
        match step(&page, &credentials) {
            Step::Answer(answer) => Some(answer),
            _ => None,
        }
    }

    #[test]
    fn identification_is_answered_as_the_page_does() {
        assert_eq!(
            answer(
                json!({"component": "ak-stage-identification", "password_fields": false, "captcha_stage": null})
            ),
            Some(json!({"component": "ak-stage-identification", "uid_field": "alice"}))
        );
    }

    #[test]
    fn a_combined_stage_gets_the_password_too() {
        let answer =
            answer(json!({"component": "ak-stage-identification", "password_fields": true})).unwrap();
        assert_eq!(answer["password"], "alice-Passw0rd!");
    }

    #[test]
    fn consent_returns_its_token() {
        // 43-oidc-authorize-variants: prompt=consent.
        assert_eq!(
            answer(json!({"component": "ak-stage-consent", "token": "490be27b"})),
            Some(json!({"component": "ak-stage-consent", "token": "490be27b"}))
        );
    }

    #[test]
    fn captcha_and_second_factors_are_not_guessed_at() {
        assert_eq!(answer(json!({"component": "ak-stage-identification", "captcha_stage": {}})), None);
        assert_eq!(answer(json!({"component": "ak-stage-authenticator-validate"})), None);
    }
}
