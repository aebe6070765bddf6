//! `s3`: one S3 operation with the credentials of the `assume_role` before.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};

use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::world::parse_url;
use super::{S3Answer, Seen, World};
use crate::agent::{Agent, Outgoing};
use crate::evidence::{AwsError, Cause};
use crate::scenario::Text;

/// How long a signed URL is good for.
const SIGNED_FOR: Duration = Duration::from_secs(60);

/// An S3 operation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum S3 {
    /// Lists a bucket.
    List(Located<Text>),
    /// Reads `bucket/key`.
    Get(Located<Text>),
    /// Writes `bucket/key`.
    Put(Located<Text>),
    /// Deletes `bucket/key`.
    Delete(Located<Text>),
    /// Makes a bucket.
    MakeBucket(Located<Text>),
}

impl Verb for S3 {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.text(self.target());
    }

    fn mutates(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Get(_))
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let mut seen = Seen::at(&world.ledger);
            seen.s3 = Some(self.perform(world).await?);
            Ok(seen)
        })
    }
}

impl S3 {
    /// The bucket, or bucket and key.
    pub(crate) fn target(&self) -> &Located<Text> {
        match self {
            Self::List(text)
            | Self::Get(text)
            | Self::Put(text)
            | Self::Delete(text)
            | Self::MakeBucket(text) => text,
        }
    }

    /// The operation in words: `put reports/a.txt`.
    pub(crate) fn words(&self, target: &str) -> String {
        let verb = match self {
            Self::List(_) => "list",
            Self::Get(_) => "get",
            Self::Put(_) => "put",
            Self::Delete(_) => "delete",
            Self::MakeBucket(_) => "make bucket",
        };
        format!("{verb} {target}")
    }

    /// Does it, signed with the actor's credentials.
    ///
    /// # Errors
    /// [`StepError::Missing`] when there are no credentials.
    pub(crate) async fn perform(&self, world: &mut World<'_>) -> Result<S3Answer, StepError> {
        let missing = || StepError::Missing("there are no credentials: `assume_role` first".into());
        let credentials = world.actor()?.credentials.clone().ok_or_else(missing)?;
        let credentials = Credentials::new_with_token(
            credentials.access_key,
            credentials.secret_key.expose_secret().to_owned(),
            credentials.session_token,
        );
        let no_minio = || StepError::Missing("the deployment has no MinIO".into());
        let api = parse_url(&world.deployment.apps.minio.as_ref().ok_or_else(no_minio)?.api_url)?;
        let target = world.text(self.target())?;
        let (name, key) = target.split_once('/').unwrap_or((target.as_str(), ""));
        let bucket = Bucket::new(api, UrlStyle::Path, name.to_owned(), "us-east-1")
            .map_err(|error| StepError::Broken(format!("`{name}` is no bucket name: {error}")))?;
        let who = Some(&credentials);
        let (method, url) = match self {
            Self::List(_) => (Method::GET, bucket.list_objects_v2(who).sign(SIGNED_FOR)),
            Self::Get(_) => (Method::GET, bucket.get_object(who, key).sign(SIGNED_FOR)),
            Self::Put(_) => (Method::PUT, bucket.put_object(who, key).sign(SIGNED_FOR)),
            Self::Delete(_) => (Method::DELETE, bucket.delete_object(who, key).sign(SIGNED_FOR)),
            Self::MakeBucket(_) => (Method::PUT, bucket.create_bucket(&credentials).sign(SIGNED_FOR)),
        };
        let mut request = Outgoing::api(method, url);
        if matches!(self, Self::Put(_)) {
            request.body = Bytes::from_static(b"ssoproof");
        }
        let mut agent = Agent::program("s3 client", world.stack.client());
        let hop = agent.exchange(request, Cause::Api, &mut world.ledger).await;
        let response = world.ledger.response(hop);
        let code = response.and_then(|response| AwsError::read(&response.text())).map(|error| error.code);
        Ok(S3Answer { status: response.map_or(0, |response| response.status), code, hop })
    }
}
