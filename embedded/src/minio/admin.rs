//! The admin API as far as it tells an administrator from others.

use http::{Method, StatusCode};
use serde_json::json;

use super::auth::Claimed;
use super::call::{Answer, Call, answer};
use super::policy::Access;
use super::s3error::S3Error;
use super::shared::Shared;

/// Answers `GET /minio/admin/v3/info`, which needs `admin:ServerInfo`; other admin calls are not here.
pub(super) async fn handle(shared: &Shared, call: &Call) -> Result<Answer, S3Error> {
    let claimed = Claimed::read(shared, call).await?;
    claimed.verify(call)?;
    if call.method != Method::GET || call.path != "/minio/admin/v3/info" {
        return Err(S3Error::NotImplemented);
    }
    claimed.may(shared, &Access::new("admin:ServerInfo", "", ""))?;
    let buckets = shared.store().buckets().len();
    let info = json!({
        "mode": "online",
        "deploymentID": shared.deployment_id,
        "buckets": { "count": buckets },
        "objects": { "count": 0 },
        "versions": { "count": 0 },
        "deletemarkers": { "count": 0 },
        "usage": { "size": 0 },
    });
    Ok(answer(StatusCode::OK, "application/json", info.to_string()))
}
