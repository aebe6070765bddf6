//! What S3 and the STS say when they refuse.

use serde::Deserialize;

/// A refusal: MinIO's STS puts it into an `ErrorResponse`, its S3 API does not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AwsError {
    /// `AccessDenied`, `InvalidParameterValue`.
    pub(crate) code: String,
    /// The words, as given.
    #[serde(default)]
    pub(crate) message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wrapped {
    error: AwsError,
}

impl AwsError {
    /// The refusal in `body`; none when it is no such XML.
    pub(crate) fn read(body: &str) -> Option<Self> {
        let wrapped = quick_xml::de::from_str::<Wrapped>(body).ok().map(|wrapped| wrapped.error);
        wrapped.or_else(|| quick_xml::de::from_str(body).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::AwsError;

    #[test]
    fn both_shapes_are_read_and_other_bodies_are_not() {
        let bare = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>";
        let wrapped = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type></Type>\
            <Code>AccessDenied</Code><Message>Access Denied.</Message></Error><RequestId>1</RequestId></ErrorResponse>";
        let expected = AwsError { code: "AccessDenied".into(), message: "Access Denied.".into() };
        assert_eq!(AwsError::read(bare), Some(expected.clone()));
        assert_eq!(AwsError::read(wrapped), Some(expected));
        for other in ["", "{\"error\":\"invalid_client\"}", "<html><body>no</body></html>"] {
            assert_eq!(AwsError::read(other), None, "{other}");
        }
    }
}
