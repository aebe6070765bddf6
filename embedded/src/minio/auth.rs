//! Who signed an S3 or admin request, and whether they may.

use jiff::Timestamp;

use super::call::Call;
use super::iam::Identity;
use super::policy::Access;
use super::s3error::S3Error;
use super::shared::{Shared, now};
use super::sigv4::Signed;

/// A request whose signer is known by name; the signature itself is yet to be verified.
pub(super) struct Claimed {
    pub(super) identity: Identity,
    signed: Signed,
    secret: String,
}

impl Claimed {
    /// Looks up who `call` says it is from and checks the session token
    /// (`truth/minio/03-policy-lifecycle`: `no_session_token`, `other_token`).
    pub(super) async fn read(shared: &Shared, call: &Call) -> Result<Self, S3Error> {
        let signed = Signed::read(call)?.ok_or(S3Error::AccessDenied)?;
        if signed.access_key == shared.settings.root_user {
            let secret = shared.settings.root_password.clone();
            return Ok(Self { identity: Identity::Root, signed, secret });
        }
        shared.initialise().await.ok_or(S3Error::IamNotInitialized)?;
        let found = shared.iam().find(&signed.access_key, now()).cloned();
        let credentials = found.ok_or(S3Error::InvalidAccessKeyId)?;
        if !crate::digest::same(credentials.session_token.as_bytes(), signed.session_token.as_bytes()) {
            return Err(S3Error::InvalidTokenId);
        }
        let secret = credentials.secret_key.clone();
        Ok(Self { identity: Identity::Session(Box::new(credentials)), signed, secret })
    }

    /// Verifies the signature.
    pub(super) fn verify(&self, call: &Call) -> Result<(), S3Error> {
        self.signed.verify(call, &self.secret, Timestamp::now())
    }

    /// Whether the signer may do `access`.
    pub(super) fn may(&self, shared: &Shared, access: &Access) -> Result<(), S3Error> {
        if shared.iam().decide(&self.identity, access).allowed() {
            Ok(())
        } else {
            Err(S3Error::AccessDenied)
        }
    }
}
