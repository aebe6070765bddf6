//! AWS Signature Version 4, in the `Authorization` header or presigned in the query.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::call::Call;
use super::s3error::S3Error;
use crate::digest::{hex, hmac_sha256, same};

/// All but the unreserved characters of RFC 3986.
pub(super) const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same in a path, which keeps its slashes.
const PATH: &AsciiSet = &STRICT.remove(b'/');
/// How far a signed header's time may be off, in seconds.
const MAX_SKEW: i64 = 15 * 60;
/// How long a presigned request may be good for, in seconds.
const MAX_EXPIRES: i64 = 7 * 24 * 3_600;
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What a request says about its signature.
pub(super) struct Signed {
    pub(super) access_key: String,
    /// The session token, empty for none.
    pub(super) session_token: String,
    /// `date/region/service/aws4_request`.
    scope: String,
    signed_headers: Vec<String>,
    signature: String,
    /// As `20261125T035345Z`.
    time: String,
    /// Seconds a presigned request is good for; `None` for a signed header.
    expires: Option<i64>,
}

impl Signed {
    /// Reads the signature of `call`; `None` for an anonymous request.
    pub(super) fn read(call: &Call) -> Result<Option<Self>, S3Error> {
        let authorization = call.header("authorization");
        if !authorization.is_empty() {
            return Self::from_header(call, authorization).map(Some);
        }
        match call.param("X-Amz-Algorithm") {
            Some(_) => Self::from_query(call).map(Some),
            None => Ok(None),
        }
    }

    fn from_header(call: &Call, authorization: &str) -> Result<Self, S3Error> {
        const MALFORMED: S3Error = S3Error::AuthorizationHeaderMalformed;
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256").ok_or(MALFORMED)?;
        let field = |name: &str| {
            let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
            fields.find(|(key, _)| *key == name).map(|(_, value)| value).ok_or(MALFORMED)
        };
        let (access_key, scope) = field("Credential")?.split_once('/').ok_or(MALFORMED)?;
        let time = match call.header("x-amz-date") {
            "" => return Err(S3Error::AccessDenied),
            time => time.to_owned(),
        };
        Ok(Self {
            access_key: access_key.to_owned(),
            session_token: call.header("x-amz-security-token").to_owned(),
            scope: scope.to_owned(),
            signed_headers: field("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: field("Signature")?.to_owned(),
            time,
            expires: None,
        })
    }

    fn from_query(call: &Call) -> Result<Self, S3Error> {
        const MALFORMED: S3Error = S3Error::AuthorizationQueryParameters;
        let param = |name: &str| call.param(name).ok_or(MALFORMED);
        if param("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
            return Err(MALFORMED);
        }
        let (access_key, scope) = param("X-Amz-Credential")?.split_once('/').ok_or(MALFORMED)?;
        let expires: i64 = param("X-Amz-Expires")?.parse().map_err(|_| MALFORMED)?;
        if !(0..=MAX_EXPIRES).contains(&expires) {
            return Err(MALFORMED);
        }
        Ok(Self {
            access_key: access_key.to_owned(),
            session_token: call.param("X-Amz-Security-Token").unwrap_or_default().to_owned(),
            scope: scope.to_owned(),
            signed_headers: param("X-Amz-SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: param("X-Amz-Signature")?.to_owned(),
            time: param("X-Amz-Date")?.to_owned(),
            expires: Some(expires),
        })
    }

    /// Verifies the signature of `call` with the secret that belongs to the access key.
    pub(super) fn verify(&self, call: &Call, secret: &str, now: Timestamp) -> Result<(), S3Error> {
        let malformed = match self.expires {
            Some(_) => S3Error::AuthorizationQueryParameters,
            None => S3Error::AuthorizationHeaderMalformed,
        };
        let scope: Vec<&str> = self.scope.split('/').collect();
        let [date, region, service, "aws4_request"] = scope[..] else { return Err(malformed) };
        let signed_at = parse_time(&self.time).filter(|_| self.time.starts_with(date)).ok_or(malformed)?;
        self.check_time(now.as_second() - signed_at.as_second())?;
        if !self.signed_headers.iter().any(|name| name == "host") {
            return Err(S3Error::SignatureDoesNotMatch);
        }

        let payload = self.payload_hash(call)?;
        let request = self.canonical_request(call, &payload);
        let hash = hex(&Sha256::digest(request));
        let text = format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", self.time, self.scope);
        let mut key = hmac_sha256(format!("AWS4{secret}").as_bytes(), date.as_bytes());
        for part in [region, service, "aws4_request", &text] {
            key = hmac_sha256(key.as_ref(), part.as_bytes());
        }
        let expected = hex(key.as_ref());
        if same(expected.as_bytes(), self.signature.as_bytes()) {
            Ok(())
        } else {
            Err(S3Error::SignatureDoesNotMatch)
        }
    }

    fn check_time(&self, age: i64) -> Result<(), S3Error> {
        match self.expires {
            Some(_) if age < -MAX_SKEW => Err(S3Error::RequestTimeTooSkewed),
            Some(expires) if age > expires => Err(S3Error::RequestExpired),
            None if age.abs() > MAX_SKEW => Err(S3Error::RequestTimeTooSkewed),
            _ => Ok(()),
        }
    }

    /// The payload's hash as signed; one that is told must be true.
    fn payload_hash(&self, call: &Call) -> Result<String, S3Error> {
        let told = match self.expires {
            Some(_) => call.param("X-Amz-Content-Sha256").unwrap_or(UNSIGNED),
            None => call.header("x-amz-content-sha256"),
        };
        if told.starts_with("STREAMING-") {
            return Err(S3Error::NotImplemented);
        }
        let body = call.body.as_ref().ok_or(S3Error::EntityTooLarge)?;
        if told == UNSIGNED {
            return Ok(told.to_owned());
        }
        let actual = hex(&Sha256::digest(body));
        if told.is_empty() || told == actual { Ok(actual) } else { Err(S3Error::ContentSha256Mismatch) }
    }

    fn canonical_request(&self, call: &Call, payload: &str) -> String {
        let path = percent_decode_str(&call.path).collect::<Vec<u8>>();
        let path = percent_encoding::percent_encode(&path, PATH);
        let mut params: Vec<(String, String)> = call
            .params
            .iter()
            .filter(|(key, _)| self.expires.is_none() || key != "X-Amz-Signature")
            .map(|(key, value)| (encode(key), encode(value)))
            .collect();
        params.sort();
        let query: Vec<String> = params.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut headers = String::new();
        for name in &self.signed_headers {
            let values: Vec<String> = call
                .headers
                .get_all(name.as_str())
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
                .collect();
            headers.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        format!(
            "{}\n{path}\n{}\n{headers}\n{}\n{payload}",
            call.method,
            query.join("&"),
            self.signed_headers.join(";"),
        )
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, STRICT).to_string()
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method};

    /// The examples of the AWS documentation: `GET /test.txt` of `examplebucket`.
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn call(query: &str, headers: &[(&'static str, &str)]) -> Call {
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_static("examplebucket.s3.amazonaws.com"));
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        Call {
            method: Method::GET,
            path: "/test.txt".to_owned(),
            query: query.to_owned(),
            params: super::super::call::pairs(query.as_bytes()),
            headers: map,
            body: Some(Bytes::new()),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn header_signature_of_the_aws_example_stands_and_a_wrong_secret_falls() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let call = call(
            "",
            &[
                ("range", "bytes=0-9"),
                ("x-amz-date", "20130524T000000Z"),
                ("x-amz-content-sha256", empty),
                (
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
                ),
            ],
        );
        let signed = Signed::read(&call).unwrap().unwrap();
        assert_eq!(signed.access_key, "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(signed.verify(&call, SECRET, at("2013-05-24T00:10:00Z")), Ok(()));
        assert_eq!(
            signed.verify(&call, "wrong", at("2013-05-24T00:00:00Z")),
            Err(S3Error::SignatureDoesNotMatch)
        );
        assert_eq!(
            signed.verify(&call, SECRET, at("2013-05-24T00:16:00Z")),
            Err(S3Error::RequestTimeTooSkewed)
        );
    }

    #[test]
    fn presigned_url_of_the_aws_example_stands_until_it_expires() {
        let call = call(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
            &[],
        );
        let signed = Signed::read(&call).unwrap().unwrap();
        assert_eq!(signed.verify(&call, SECRET, at("2013-05-24T20:00:00Z")), Ok(()));
        assert_eq!(signed.verify(&call, SECRET, at("2013-05-25T00:00:01Z")), Err(S3Error::RequestExpired));
    }

    #[test]
    fn told_payload_hash_must_be_true() {
        let mut call = call(
            "",
            &[
                ("x-amz-date", "20130524T000000Z"),
                ("x-amz-content-sha256", "00"),
                (
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
                ),
            ],
        );
        call.body = Some(Bytes::from_static(b"x"));
        let signed = Signed::read(&call).unwrap().unwrap();
        assert_eq!(
            signed.verify(&call, SECRET, at("2013-05-24T00:00:00Z")),
            Err(S3Error::ContentSha256Mismatch)
        );
    }

    #[test]
    fn broken_headers_are_malformed_never_a_panic() {
        for text in ["AWS4-HMAC-SHA256", "Basic eA==", "AWS4-HMAC-SHA256 Credential=A", "AWS4-HMAC-SHA256 ="]
        {
            let call = call("", &[("authorization", text), ("x-amz-date", "20130524T000000Z")]);
            assert_eq!(Signed::read(&call).err(), Some(S3Error::AuthorizationHeaderMalformed));
        }
    }
}
