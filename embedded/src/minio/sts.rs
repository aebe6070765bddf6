//! The security token service: a web identity token in, temporary credentials out.
//!
//! Forms and words follow `truth/minio/04-request-forms`, `05-durations` and `21-role-policy-and-config`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::call::{Answer, Call, answer, pairs};
use super::grant::{self, By};
use super::iam::Credentials;
use super::openid::Provider;
use super::policy::PolicyDocument;
use super::s3error::S3Error;
use super::shared::{Shared, now};
use super::{token, xml};

const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The bounds of `DurationSeconds`, in seconds.
const DURATION: std::ops::RangeInclusive<i64> = 900..=31_536_000;
/// The longest session policy, in bytes.
const MAX_POLICY: usize = 2_048;

/// What is said where claims come from userinfo and no access token is sent.
pub(super) const NO_ACCESS_TOKEN: &str = "access_token is mandatory if user_info claim is enabled";

/// Why no credentials were issued.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StsError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// What someone asks credentials with.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) token: String,
    pub(super) access_token: String,
    pub(super) role_arn: String,
    pub(super) duration: String,
    pub(super) policy: String,
}

/// Credentials and whose they are.
pub(super) struct Issued {
    pub(super) credentials: Credentials,
    subject: String,
}

/// The two actions that take a token; they differ in names alone.
struct Action {
    name: &'static str,
    token: &'static str,
    subject: &'static str,
}

const ACTIONS: [Action; 2] = [
    Action {
        name: "AssumeRoleWithWebIdentity",
        token: "WebIdentityToken",
        subject: "SubjectFromWebIdentityToken",
    },
    Action { name: "AssumeRoleWithClientGrants", token: "Token", subject: "SubjectFromToken" },
];

/// Whether `call` is one for the STS.
pub(super) fn meant(call: &Call) -> bool {
    call.method == http::Method::POST && matches!(call.path.as_str(), "/" | "/sts" | "/sts/")
}

/// Answers `call`, whose request has the id `id`. What is in the query must be complete to have a route at all;
/// a form is told what it lacks.
pub(super) async fn handle(shared: &Shared, call: &Call, id: &str) -> Result<Answer, S3Error> {
    let by_query = ACTIONS.iter().find(|action| {
        call.param("Action") == Some(action.name)
            && call.param("Version") == Some(VERSION)
            && call.param(action.token).is_some()
    });
    let media = call.header("content-type").split(';').next().unwrap_or_default().trim();
    let form = media.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let mut fields = if form { pairs(call.bytes()) } else { Vec::new() };
    if by_query.is_none() && !(form && call.query.is_empty()) {
        return Err(S3Error::Unsupported(call.method.to_string(), call.path.clone()));
    }
    // As in Go's `Request.Form`, the body's values come before the query's.
    fields.extend(call.params.iter().cloned());
    let outcome = match by_query {
        Some(action) => Ok(action),
        None => checked(&fields),
    };
    let outcome = match outcome {
        Ok(action) => assume(shared, &asked(&fields, action)).await.map(|issued| (action, issued)),
        Err(error) => Err(error),
    };
    Ok(match outcome {
        Ok((action, issued)) => success(action, &issued, id),
        Err(error) => failure(&error, id),
    })
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

fn checked(fields: &[(String, String)]) -> Result<&'static Action, StsError> {
    let version = field(fields, "Version");
    if version != VERSION {
        let message = format!("Invalid STS API version {version}, expecting {VERSION}");
        return Err(StsError { status: StatusCode::BAD_REQUEST, code: "MissingParameter", message });
    }
    let asked = field(fields, "Action");
    let action = ACTIONS.iter().find(|action| action.name == asked);
    action.ok_or_else(|| invalid(format!("Unsupported action {asked}")))
}

fn asked(fields: &[(String, String)], action: &Action) -> Asked {
    let text = |name: &str| field(fields, name).to_owned();
    Asked {
        token: text(action.token),
        access_token: text("WebIdentityAccessToken"),
        role_arn: text("RoleArn"),
        duration: text("DurationSeconds"),
        policy: text("Policy"),
    }
}

/// Validates the token and issues credentials.
pub(super) async fn assume(shared: &Shared, asked: &Asked) -> Result<Issued, StsError> {
    let provider = shared.initialise().await;
    let openid = &shared.settings.openid;
    // No ARN is known before IAM is initialised, and this is told first.
    let role = grant::asked_role(openid, &asked.role_arn, provider.is_some()).map_err(invalid)?;
    let provider = provider.ok_or_else(not_initialised)?;
    let role = role.map_err(invalid)?;

    let mut claims = verified(&provider, &asked.token).await?;
    lengthen(&mut claims, &asked.duration)?;
    if openid.claim_userinfo {
        complete(&mut claims, &provider, &asked.access_token).await?;
    }
    let granted = grant::decide(openid, &claims, role, |name| shared.iam().defines(name)).map_err(invalid)?;
    match granted.by {
        By::Role(arn) => claims.insert("roleArn".to_owned(), arn.into()),
        By::Claim(claim) => claims.insert(claim, granted.policies.join(",").into()),
    };
    narrow(&mut claims, &asked.policy)?;
    if claims.get("exp").and_then(Value::as_f64).is_none_or(|exp| exp as i64 == 0) {
        return Err(internal());
    }
    let subject = grant::subject(&claims).map_err(invalid)?.to_owned();
    let credentials = shared.iam_mut().issue(claims).ok_or_else(internal)?;
    Ok(Issued { credentials, subject })
}

/// The claims of a valid token. Whatever is wrong with it, the JWKS is fetched again before that is said; if the
/// fetch fails, the fetch is what the client hears about (`truth/minio/13-rotation`).
async fn verified(provider: &Provider, text: &str) -> Result<Map<String, Value>, StsError> {
    let seconds = || Timestamp::now().as_millisecond() as f64 / 1_000.0;
    if token::strictly_accepted(text)
        && let Ok(claims) = token::verify(text, &provider.keys(), seconds())
    {
        return Ok(claims);
    }
    provider.refresh().await.map_err(invalid)?;
    token::verify(text, &provider.keys(), seconds()).map_err(invalid)
}

/// Replaces `exp` by the duration asked for, which may far exceed the token's.
pub(super) fn lengthen(claims: &mut Map<String, Value>, duration: &str) -> Result<(), StsError> {
    if duration.is_empty() {
        return Ok(());
    }
    let seconds = duration.parse::<i64>().ok().filter(|seconds| DURATION.contains(seconds));
    let seconds = seconds.ok_or_else(|| invalid("invalid token expiry"))?;
    claims.insert("exp".to_owned(), (now() + seconds).into());
    Ok(())
}

/// Adds what userinfo says and the token does not; a claim the token has is never replaced.
async fn complete(
    claims: &mut Map<String, Value>,
    provider: &Provider,
    access_token: &str,
) -> Result<(), StsError> {
    if access_token.is_empty() {
        return Err(invalid(NO_ACCESS_TOKEN));
    }
    add(claims, provider.userinfo(access_token).await.map_err(invalid)?);
    Ok(())
}

/// Adds what `userinfo` says and `claims` do not.
pub(super) fn add(claims: &mut Map<String, Value>, userinfo: Map<String, Value>) {
    for (name, value) in userinfo {
        claims.entry(name).or_insert(value);
    }
}

/// Puts the session policy asked for into the claims.
fn narrow(claims: &mut Map<String, Value>, policy: &str) -> Result<(), StsError> {
    if policy.is_empty() {
        return Ok(());
    }
    if policy.len() > MAX_POLICY {
        return Err(invalid("Session policy should not exceed 2048 characters"));
    }
    let parsed = PolicyDocument::parse(policy).map_err(invalid)?;
    if parsed.version.is_empty() {
        return Err(invalid("Version needs to be specified in session policy"));
    }
    // Written anew, as the real one does: without spaces and in the order of the fields.
    let text = serde_json::to_string(&parsed).map_err(invalid)?;
    claims.insert("sessionPolicy".to_owned(), STANDARD.encode(text).into());
    Ok(())
}

fn invalid(message: impl ToString) -> StsError {
    let message = message.to_string();
    StsError { status: StatusCode::BAD_REQUEST, code: "InvalidParameterValue", message }
}

fn internal() -> StsError {
    let message = "Invalid arguments specified".to_owned();
    StsError { status: StatusCode::INTERNAL_SERVER_ERROR, code: "InternalError", message }
}

fn not_initialised() -> StsError {
    let message = "IAM sub-system is being initialized, please try again".to_owned();
    StsError { status: StatusCode::SERVICE_UNAVAILABLE, code: "STSIAMNotInitialized", message }
}

fn success(action: &Action, issued: &Issued, id: &str) -> Answer {
    let Action { name, subject, .. } = action;
    let Credentials { access_key, secret_key, session_token, expires, .. } = &issued.credentials;
    let expires = Timestamp::from_second(*expires).unwrap_or(Timestamp::MAX);
    answer_xml(
        StatusCode::OK,
        &format!(
            "<{name}Response xmlns=\"{NAMESPACE}\"><{name}Result><AssumedRoleUser><Arn></Arn><AssumeRoleId></AssumeRoleId></AssumedRoleUser><Credentials>{}{}{}{}</Credentials>{}</{name}Result><ResponseMetadata>{}</ResponseMetadata></{name}Response>",
            xml::element("AccessKeyId", access_key),
            xml::element("SecretAccessKey", secret_key),
            xml::element("SessionToken", session_token),
            xml::element("Expiration", &expires.to_string()),
            xml::element(subject, &issued.subject),
            xml::element("RequestId", id),
        ),
    )
}

fn failure(error: &StsError, id: &str) -> Answer {
    answer_xml(
        error.status,
        &format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type></Type>{}{}</Error>{}</ErrorResponse>",
            xml::element("Code", error.code),
            xml::element("Message", &error.message),
            xml::element("RequestId", id),
        ),
    )
}

fn answer_xml(status: StatusCode, root: &str) -> Answer {
    answer(status, "application/xml", xml::document(root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_body_has_the_recorded_shape() {
        let error = invalid("Invalid kid value <nil>");
        let body = format!("{:?}", failure(&error, "18EB2E085051AB4C").into_body());
        assert!(body.contains("<ErrorResponse xmlns=\\\"https://sts.amazonaws.com/doc/2011-06-15/\\\"><Error><Type></Type><Code>InvalidParameterValue</Code><Message>Invalid kid value &lt;nil&gt;</Message></Error><RequestId>18EB2E085051AB4C</RequestId></ErrorResponse>"), "{body}");
    }

    #[test]
    fn durations_recorded_as_out_of_range_are_refused() {
        for text in ["0", "1", "899", "31536001", "-1", "abc", "900.5", "99999999999999999999"] {
            let refused = lengthen(&mut Map::new(), text).unwrap_err();
            assert_eq!(refused.message, "invalid token expiry", "{text}");
        }
        for text in ["900", "604801", "31536000"] {
            assert_eq!(lengthen(&mut Map::new(), text), Ok(()));
        }
    }

    #[test]
    fn form_is_told_what_it_lacks() {
        let fields = |version: &str, action: &str| {
            vec![("Version".to_owned(), version.to_owned()), ("Action".to_owned(), action.to_owned())]
        };
        let said =
            |version: &str, action: &str| checked(&fields(version, action)).err().map(|error| error.message);
        assert_eq!(said("", "x").unwrap(), "Invalid STS API version , expecting 2011-06-15");
        assert_eq!(said(VERSION, "AssumeRoleWithX").unwrap(), "Unsupported action AssumeRoleWithX");
        assert_eq!(said(VERSION, "AssumeRoleWithWebIdentity"), None);
    }
}
