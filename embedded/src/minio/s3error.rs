//! S3 errors: status, code and message as MinIO words them.

use http::StatusCode;

use super::xml;

/// Why an S3 or admin request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum S3Error {
    AccessDenied,
    Unauthenticated,
    RequestExpired,
    InvalidAccessKeyId,
    InvalidTokenId,
    SignatureDoesNotMatch,
    RequestTimeTooSkewed,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParameters,
    ContentSha256Mismatch,
    NoSuchBucket,
    NoSuchKey,
    InvalidBucketName,
    InvalidObjectName,
    InvalidMaxKeys,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    EntityTooLarge,
    StorageFull,
    MethodNotAllowed,
    NotImplemented,
    IamNotInitialized,
    InvalidResourceName,
    /// No route: method and path.
    Unsupported(String, String),
}

impl S3Error {
    /// Status, code and message.
    pub(super) fn parts(&self) -> (StatusCode, &'static str, String) {
        use StatusCode as Status;
        let (status, code, message) = match self {
            Self::AccessDenied => (Status::FORBIDDEN, "AccessDenied", "Access Denied."),
            Self::Unauthenticated => (
                Status::FORBIDDEN,
                "AccessDenied",
                "Access Denied. (Authentication failed, check your access credentials)",
            ),
            Self::RequestExpired => (Status::FORBIDDEN, "AccessDenied", "Request has expired"),
            Self::InvalidAccessKeyId => (
                Status::FORBIDDEN,
                "InvalidAccessKeyId",
                "The Access Key Id you provided does not exist in our records.",
            ),
            Self::InvalidTokenId => {
                (Status::FORBIDDEN, "InvalidTokenId", "The security token included in the request is invalid")
            }
            Self::SignatureDoesNotMatch => (
                Status::FORBIDDEN,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            ),
            Self::RequestTimeTooSkewed => (
                Status::FORBIDDEN,
                "RequestTimeTooSkewed",
                "The difference between the request time and the server's time is too large.",
            ),
            Self::AuthorizationHeaderMalformed => (
                Status::BAD_REQUEST,
                "AuthorizationHeaderMalformed",
                "The authorization header is malformed; the authorization component is not valid.",
            ),
            Self::AuthorizationQueryParameters => (
                Status::BAD_REQUEST,
                "AuthorizationQueryParametersError",
                "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            ),
            Self::ContentSha256Mismatch => (
                Status::BAD_REQUEST,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
            Self::NoSuchBucket => (Status::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist"),
            Self::NoSuchKey => (Status::NOT_FOUND, "NoSuchKey", "The specified key does not exist."),
            Self::InvalidBucketName => {
                (Status::BAD_REQUEST, "InvalidBucketName", "The specified bucket is not valid.")
            }
            Self::InvalidObjectName => (
                Status::BAD_REQUEST,
                "XMinioInvalidObjectName",
                "Object name contains unsupported characters.",
            ),
            Self::InvalidMaxKeys => (
                Status::BAD_REQUEST,
                "InvalidArgument",
                "Argument maxKeys must be an integer between 0 and 2147483647",
            ),
            Self::BucketAlreadyOwnedByYou => (
                Status::CONFLICT,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ),
            Self::BucketNotEmpty => {
                (Status::CONFLICT, "BucketNotEmpty", "The bucket you tried to delete is not empty")
            }
            Self::EntityTooLarge => (
                Status::BAD_REQUEST,
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed object size.",
            ),
            Self::StorageFull => (
                Status::INSUFFICIENT_STORAGE,
                "XMinioStorageFull",
                "Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed.",
            ),
            Self::MethodNotAllowed => (
                Status::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            ),
            Self::NotImplemented => (
                Status::NOT_IMPLEMENTED,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
            ),
            Self::IamNotInitialized => (
                Status::SERVICE_UNAVAILABLE,
                "XMinioIAMNotInitialized",
                "IAM sub-system not initialized yet, please try again.",
            ),
            Self::InvalidResourceName => (
                Status::BAD_REQUEST,
                "XMinioInvalidResourceName",
                "Resource name contains bad components such as \"..\" or \".\".",
            ),
            Self::Unsupported(method, path) => {
                let message = format!("An unsupported API call for method: {method} at '{path}'");
                return (Status::BAD_REQUEST, "BadRequest", message);
            }
        };
        (status, code, message.to_owned())
    }

    /// Whether the request had a route of S3 before it was refused; bucket and key are told only then.
    pub(super) fn routed(&self) -> bool {
        !matches!(self, Self::InvalidBucketName | Self::Unsupported(..) | Self::InvalidResourceName)
    }

    /// The XML body for a request of `id` for `resource` (a path).
    pub(super) fn xml(&self, resource: &str, id: &str, host: &str) -> String {
        let (_, code, message) = self.parts();
        let (bucket, key) = resource.trim_start_matches('/').split_once('/').unwrap_or_else(|| {
            let bucket = resource.trim_start_matches('/');
            (bucket, "")
        });
        let (bucket, key) = if self.routed() { (bucket, key) } else { ("", "") };
        let (id, host) = if matches!(self, Self::Unsupported(..)) { ("", "") } else { (id, host) };
        xml::document(&format!(
            "<Error>{}{}{}{}{}{}{}</Error>",
            xml::element("Code", code),
            xml::element("Message", &message),
            xml::optional("Key", key),
            xml::optional("BucketName", bucket),
            xml::element("Resource", resource),
            xml::element("RequestId", id),
            xml::element("HostId", host),
        ))
    }

    /// The JSON body the admin API answers with.
    pub(super) fn json(&self, resource: &str, id: &str, host: &str) -> serde_json::Value {
        let (_, code, message) = self.parts();
        serde_json::json!({
            "Code": code, "Message": message, "Resource": resource, "RequestId": id, "HostId": host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_the_recorded_shape() {
        assert_eq!(
            S3Error::AccessDenied.xml("/login", "18EB2DCC369D341F", "b9e1"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied.</Message><BucketName>login</BucketName><Resource>/login</Resource><RequestId>18EB2DCC369D341F</RequestId><HostId>b9e1</HostId></Error>"
        );
        assert_eq!(
            S3Error::Unsupported("POST".to_owned(), "/".to_owned()).xml("/", "18EB", "b9e1"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>BadRequest</Code><Message>An unsupported API call for method: POST at &#39;/&#39;</Message><Resource>/</Resource><RequestId></RequestId><HostId></HostId></Error>"
        );
        assert_eq!(
            S3Error::InvalidBucketName.xml("/oauth_callback", "18EB", "b9e1"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidBucketName</Code><Message>The specified bucket is not valid.</Message><Resource>/oauth_callback</Resource><RequestId>18EB</RequestId><HostId>b9e1</HostId></Error>"
        );
    }
}
