//! The header form of AWS Signature Version 4: what MinIO's admin API wants, and no query will do. The kept crates
//! that sign headers bring a dozen others along.

use std::fmt::Write as _;

use jiff::Timestamp;
use reqwest::{Method, Url};
use ring::{digest, hmac};

/// MinIO's default region.
const REGION: &str = "us-east-1";

/// Who signs.
pub(crate) struct Signer<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) secret_key: &'a str,
}

impl Signer<'_> {
    /// The headers that sign a request of `body` at `now`. Path and query of `url` are signed as they stand: encoded
    /// by RFC 3986 and sorted by name.
    pub(crate) fn headers(
        &self,
        now: Timestamp,
        method: &Method,
        url: &Url,
        body: &[u8],
    ) -> [(&'static str, String); 3] {
        let (time, day) = (now.strftime("%Y%m%dT%H%M%SZ").to_string(), now.strftime("%Y%m%d").to_string());
        let payload = hex(digest::digest(&digest::SHA256, body).as_ref());
        let host = match (url.host_str().unwrap_or_default(), url.port()) {
            (host, None) => host.to_owned(),
            (host, Some(port)) => format!("{host}:{port}"),
        };
        let signed = "host;x-amz-content-sha256;x-amz-date";
        let request = format!(
            "{method}\n{}\n{}\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{time}\n\n{signed}\n{payload}",
            url.path(),
            url.query().unwrap_or_default(),
        );
        let scope = format!("{day}/{REGION}/s3/aws4_request");
        let request = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{request}");
        let first = format!("AWS4{}", self.secret_key).into_bytes();
        let key = [&day, REGION, "s3", "aws4_request"]
            .iter()
            .fold(first, |key, part| mac(&key, part).as_ref().to_vec());
        let signature = hex(mac(&key, &text).as_ref());
        let credential = format!("{}/{scope}", self.access_key);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}"
        );
        [("authorization", authorization), ("x-amz-content-sha256", payload), ("x-amz-date", time)]
    }
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "GET Bucket (List Objects)" of <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
    #[test]
    fn the_signature_is_that_of_the_example_in_the_s3_documentation() {
        let signer = Signer {
            access_key: "AKIAIOSFODNN7EXAMPLE",
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        };
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J").unwrap();
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let [(_, authorization), ..] = signer.headers(now, &Method::GET, &url, b"");
        assert_eq!(
            authorization,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
             Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }
}
