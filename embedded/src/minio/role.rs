//! Role ARNs: how a client asks for the role policy of a provider.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::digest::sha1;

/// The ARN MinIO looks up when none is given and no provider goes by claims.
pub(super) const DUMMY: &str = "arn:minio:iam:::role/dummy-internal";

/// The role ARN of the provider with `client_id`: the SHA-1 of the id, base64url
/// (`truth/minio/21-role-policy-and-config`: `idp_ls`).
pub fn arn(client_id: &str) -> String {
    format!("arn:minio:iam:::role/{}", URL_SAFE_NO_PAD.encode(sha1(client_id.as_bytes())))
}

/// Why `asked` is not the role ARN `known`, in MinIO's words; `Ok` when it is.
pub(super) fn resolve(asked: &str, known: &str) -> Result<(), String> {
    let parts: Vec<&str> = asked.splitn(6, ':').collect();
    let is_arn =
        matches!(parts[..], ["arn", "minio", "iam", _, "", resource] if resource.starts_with("role/"));
    if !is_arn {
        return Err(
            "Error processing RoleArn parameter: RoleARN parse err: invalid ARN string format".to_owned()
        );
    }
    if asked == known {
        Ok(())
    } else {
        Err(format!("Error processing RoleArn parameter: RoleARN {asked} is not defined."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_arn_is_the_recorded_one() {
        assert_eq!(arn("minio-client"), "arn:minio:iam:::role/1mAsqpUGox8eewepDQ1dmtwpdY8");
    }

    #[test]
    fn other_arns_are_refused_in_the_recorded_words() {
        let known = arn("minio-client");
        assert_eq!(resolve(&known, &known), Ok(()));
        assert_eq!(
            resolve("arn:minio:iam:::role/nope", &known).unwrap_err(),
            "Error processing RoleArn parameter: RoleARN arn:minio:iam:::role/nope is not defined."
        );
        assert!(resolve("xx", &known).unwrap_err().ends_with("invalid ARN string format"));
    }
}
