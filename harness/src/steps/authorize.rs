//! `authorize`: the OIDC code flow of an app, with every claim set kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use ssoproof_deployment::{Located, Place};
use url::Url;

use super::sign_in;
use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::world::parse_url;
use super::{Refusal, Seen, TokenSet, World};
use crate::agent::{Agent, Outgoing};
use crate::evidence::{Cause, Hop, jwt_part, parameter};
use crate::scenario::Text;

/// The code flow in place of an app: its client id, redirect URI, scopes and secret, unless said otherwise.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// The app, by name.
    app: Located<Text>,
    /// Another redirect URI at the authorize endpoint.
    #[serde(default)]
    redirect_uri: Option<Located<Text>>,
    /// Another client id.
    #[serde(default)]
    client_id: Option<Located<Text>>,
    /// Other scopes.
    #[serde(default)]
    scopes: Option<Vec<Located<Text>>>,
    /// Another `response_type` than `code`.
    #[serde(default)]
    response_type: Option<Located<Text>>,
    /// `prompt`: `none`, `login`.
    #[serde(default)]
    prompt: Option<Located<Text>>,
    /// What is wrong at the token endpoint.
    #[serde(default)]
    token_request: TokenRequest,
}

/// What is sent to the token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum TokenRequest {
    /// What belongs there.
    #[default]
    Right,
    /// Another client secret.
    WrongSecret,
    /// Another PKCE verifier.
    WrongVerifier,
    /// No PKCE verifier although a challenge was sent.
    NoVerifier,
    /// Another redirect URI.
    WrongRedirectUri,
    /// The right request, and then the same code once more.
    CodeTwice,
}

impl Verb for Authorize {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.text(&self.app);
        parts.texts(
            self.redirect_uri.iter().chain(&self.client_id).chain(&self.response_type).chain(&self.prompt),
        );
        parts.texts(self.scopes.iter().flatten());
    }

    fn may_sign_in(&self) -> bool {
        true
    }

    /// The token endpoint is asked by POST, and gives tokens that live on.
    fn mutates(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, step: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let mut seen = Seen::at(&world.ledger);
            let attempt = Attempt::new(self, world).await?;
            let code = match attempt.code(step, &mut seen, world).await? {
                Ok(code) => code,
                Err(refusal) => {
                    seen.refused = Some(refusal);
                    return Ok(seen);
                }
            };
            match attempt.redeem(self.token_request, &code, world).await? {
                Ok(tokens) => {
                    world.actor()?.tokens = Some(tokens.clone());
                    seen.tokens = Some(tokens);
                }
                Err(refusal) => seen.refused = Some(refusal),
            }
            if self.token_request == TokenRequest::CodeTwice {
                seen.refused = attempt.redeem(TokenRequest::Right, &code, world).await?.err();
            }
            Ok(seen)
        })
    }
}

/// One run of the code flow.
struct Attempt {
    app: String,
    discovery: Value,
    authorize: Url,
    token_endpoint: Url,
    client_id: String,
    client_secret: SecretString,
    redirect_uri: Url,
    state: String,
    nonce: String,
    verifier: String,
}

impl Attempt {
    async fn new(verb: &Authorize, world: &mut World<'_>) -> Result<Self, StepError> {
        let (name, app) = world.app(&verb.app)?;
        let text = |key: &str| app[key].as_str().unwrap_or_default().to_owned();
        let given = |own: &Option<Located<Text>>, otherwise: String| match own {
            Some(text) => world.text(text),
            None => Ok(otherwise),
        };
        let own_client = text("client_id");
        let client_id = given(&verb.client_id, own_client.clone())?;
        let redirect_uri = given(&verb.redirect_uri, text("redirect_uri"))?;
        let response_type = given(&verb.response_type, "code".into())?;
        let prompt = given(&verb.prompt, String::new())?;
        let scopes: Vec<String> = match &verb.scopes {
            Some(scopes) => scopes.iter().map(|scope| world.text(scope)).collect::<Result<_, _>>()?,
            None => app["scopes"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|s| Some(s.as_str()?.into()))
                .collect(),
        };
        let client_secret =
            world.stack.secrets().client_secrets.get(&own_client).cloned().ok_or_else(|| {
                StepError::Unsupported(format!("there is no client secret for `{own_client}`"))
            })?;
        let base = &world.deployment.auth.url.value;
        let config =
            parse_url(&format!("{base}/application/o/{}/.well-known/openid-configuration", text("slug")))?;
        let hop = api(Outgoing::api(Method::GET, config.clone()), world).await;
        let discovery =
            body(hop).ok_or_else(|| StepError::Missing(format!("no discovery document at {config}")))?;
        let endpoint = |key: &str| parse_url(discovery[key].as_str().unwrap_or_default());
        let verifier = random();
        let (state, nonce) = (random(), random());
        let mut authorize = endpoint("authorization_endpoint")?;
        authorize.query_pairs_mut().extend_pairs([
            ("client_id", client_id.as_str()),
            ("redirect_uri", &redirect_uri),
            ("response_type", &response_type),
            ("scope", &scopes.join(" ")),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))),
            ("code_challenge_method", "S256"),
        ]);
        if !prompt.is_empty() {
            authorize.query_pairs_mut().append_pair("prompt", &prompt);
        }
        let token_endpoint = endpoint("token_endpoint")?;
        let redirect_uri = parse_url(&redirect_uri)?;
        Ok(Self {
            app: name,
            discovery,
            authorize,
            token_endpoint,
            client_id,
            client_secret,
            redirect_uri,
            state,
            nonce,
            verifier,
        })
    }

    /// Goes to the authorize endpoint and takes the code where the app would.
    async fn code(
        &self,
        step: &Step,
        seen: &mut Seen,
        world: &mut World<'_>,
    ) -> Result<Result<String, Refusal>, StepError> {
        let (actor, ledger) = world.actor_and_ledger()?;
        actor.agent.stop_at = Some(self.redirect_uri.clone());
        let (landing, flow) = actor.agent.visit(Outgoing::get(self.authorize.clone()), ledger).await;
        seen.landing = Some(landing);
        seen.flow = flow.map(Box::new);
        let signed_in = match &step.sign_in {
            Some(how) => sign_in::at_login_page(how, seen, world).await,
            None => Ok(()),
        };
        world.actor()?.agent.stop_at = None;
        signed_in?;
        let Some(hop) = seen.resting(&world.ledger) else {
            return Err(StepError::Broken("the browser rests nowhere".into()));
        };
        let refusal =
            |code: String, message: String| Refusal { by: "authorize", code, message, hop: hop.index };
        let Some(target) = hop.redirect_target().filter(|to| to.path() == self.redirect_uri.path()) else {
            let title = hop.response().map(|response| title(&response.text())).unwrap_or_default();
            let status = hop.status().map(|status| status.to_string()).unwrap_or_default();
            return Ok(Err(refusal(status, title)));
        };
        let query = |name: &str| parameter(&target, name);
        if let Some(error) = query("error") {
            return Ok(Err(refusal(error, query("error_description").unwrap_or_default())));
        }
        if query("state").as_ref() != Some(&self.state) {
            return Ok(Err(refusal("state_mismatch".into(), "another state came back than was sent".into())));
        }
        Ok(query("code")
            .ok_or_else(|| refusal("no_code".into(), "neither a code nor an error came back".into())))
    }

    async fn redeem(
        &self,
        how: TokenRequest,
        code: &str,
        world: &mut World<'_>,
    ) -> Result<Result<TokenSet, Refusal>, StepError> {
        let verifier = match how {
            TokenRequest::WrongVerifier => random(),
            _ => self.verifier.clone(),
        };
        let secret = match how {
            TokenRequest::WrongSecret => random(),
            _ => self.client_secret.expose_secret().to_owned(),
        };
        let mut redirect_uri = self.redirect_uri.clone();
        if how == TokenRequest::WrongRedirectUri {
            redirect_uri.set_path("/elsewhere");
        }
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri.as_str()),
            ("client_id", &self.client_id),
            ("client_secret", &secret),
        ];
        if how != TokenRequest::NoVerifier {
            fields.push(("code_verifier", &verifier));
        }
        let mut request = Outgoing::post_form(self.token_endpoint.clone(), fields, None);
        request.mode = crate::agent::Mode::Api;
        let hop = api(request, world).await;
        let answer = body(hop).unwrap_or_default();
        if hop.status() != Some(200) {
            let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
            return Ok(Err(Refusal {
                by: "token",
                code: text("error"),
                message: text("error_description"),
                hop: hop.index,
            }));
        }
        self.tokens(&answer, world).await.map(Ok)
    }

    async fn tokens(&self, answer: &Value, world: &mut World<'_>) -> Result<TokenSet, StepError> {
        let raw: Vec<(&'static str, SecretString)> = ["id_token", "access_token", "refresh_token"]
            .into_iter()
            .filter_map(|name| Some((name, answer[name].as_str()?.to_owned().into())))
            .collect();
        let jwks_uri = parse_url(self.discovery["jwks_uri"].as_str().unwrap_or_default())?;
        let jwks = body(api(Outgoing::api(Method::GET, jwks_uri), world).await).unwrap_or_default();
        let id_token = answer["id_token"].as_str().unwrap_or_default();
        let access_token = answer["access_token"].as_str().unwrap_or_default();
        let mut request = Outgoing::api(
            Method::GET,
            parse_url(self.discovery["userinfo_endpoint"].as_str().unwrap_or_default())?,
        );
        if let Ok(value) = HeaderValue::from_str(&format!("Bearer {access_token}")) {
            request = request.header(AUTHORIZATION, value);
        }
        let userinfo = body(api(request, world).await).unwrap_or_default();
        Ok(TokenSet {
            app: self.app.clone(),
            header: jwt_part(id_token, 0).and_then(|header| header.as_object().cloned()).unwrap_or_default(),
            id_token: jwt_part(id_token, 1).unwrap_or_default(),
            access_token: jwt_part(access_token, 1).unwrap_or_default(),
            userinfo,
            signature: self.verify(id_token, &jwks),
            discovery: self.discovery.clone(),
            jwks,
            raw,
        })
    }

    /// Whether the id token is signed by a key of the set (the client secret for HS256), for this client, by the
    /// issuer of the discovery document, with the nonce sent.
    fn verify(&self, token: &str, jwks: &Value) -> Result<(), String> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
        let set: JwkSet = serde_json::from_value(jwks.clone()).unwrap_or(JwkSet { keys: Vec::new() });
        let key = match &header.kid {
            Some(kid) => {
                let jwk = set.find(kid).ok_or_else(|| format!("the key set has no key `{kid}`"))?;
                DecodingKey::from_jwk(jwk).map_err(|error| error.to_string())?
            }
            None => DecodingKey::from_secret(self.client_secret.expose_secret().as_bytes()),
        };
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[&self.client_id]);
        validation.set_issuer(&[self.discovery["issuer"].as_str().unwrap_or_default()]);
        let claims = jsonwebtoken::decode::<Value>(token, &key, &validation)
            .map_err(|error| error.to_string())?
            .claims;
        if claims["nonce"] != self.nonce.as_str() {
            return Err("the nonce is not the one sent".to_owned());
        }
        Ok(())
    }
}

impl TokenSet {
    /// The raw token of this name.
    pub fn raw(&self, name: &str) -> Option<&SecretString> {
        self.raw.iter().find(|(key, _)| *key == name).map(|(_, token)| token)
    }
}

/// One exchange of the app's backend.
async fn api<'w>(request: Outgoing, world: &'w mut World<'_>) -> &'w Hop {
    let mut agent = Agent::program("app backend", world.stack.client());
    let index = agent.exchange(request, Cause::Api, &mut world.ledger).await;
    &world.ledger.hops[index]
}

fn body(hop: &Hop) -> Option<Value> {
    hop.response()?.json()
}

fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn title(html: &str) -> String {
    let page = scraper::Html::parse_document(html);
    let Ok(selector) = scraper::Selector::parse("title") else { return String::new() };
    page.select(&selector)
        .next()
        .map(|found| found.text().collect::<String>().trim().to_owned())
        .unwrap_or_default()
}
