//! A small S3: buckets and objects by path, enough to tell what a policy lets someone do.

use http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::{percent_decode_str, utf8_percent_encode};

use super::auth::Claimed;
use super::call::{Answer, Call, answer};
use super::policy::Access;
use super::s3error::S3Error;
use super::shared::Shared;
use super::store::{Page, Query};
use super::{sigv4, xml};

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
/// Parameters that name a part of S3 which is not here.
const ELSEWHERE: [&str; 14] = [
    "acl",
    "policy",
    "versioning",
    "versions",
    "lifecycle",
    "tagging",
    "uploads",
    "uploadId",
    "cors",
    "encryption",
    "notification",
    "replication",
    "object-lock",
    "delete",
];

/// Answers an S3 request.
pub(super) async fn handle(shared: &Shared, call: &Call) -> Result<Answer, S3Error> {
    let path = percent_decode_str(call.path.trim_start_matches('/'))
        .decode_utf8()
        .map_err(|_| S3Error::InvalidObjectName)?;
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    if !bucket.is_empty() && !valid_bucket(bucket) {
        return Err(S3Error::InvalidBucketName);
    }
    if key.len() > 1_024 {
        return Err(S3Error::InvalidObjectName);
    }
    if call.params.iter().any(|(name, _)| ELSEWHERE.contains(&name.as_str())) {
        return Err(S3Error::NotImplemented);
    }
    let claimed = Claimed::read(shared, call).await?;
    let request = Request { shared, call, claimed, bucket, key };
    match (bucket.is_empty(), key.is_empty(), &call.method) {
        (true, _, &Method::GET) => request.list_buckets(),
        (false, true, &Method::GET) if call.param("location").is_some() => request.location(),
        (false, true, &Method::GET) => request.list_objects(),
        (false, true, &Method::HEAD) => request.head_bucket(),
        (false, true, &Method::PUT) => request.make_bucket(),
        (false, true, &Method::DELETE) => request.delete_bucket(),
        (false, false, &Method::GET | &Method::HEAD) => request.get_object(),
        (false, false, &Method::PUT) => request.put_object(),
        (false, false, &Method::DELETE) => request.delete_object(),
        _ => Err(S3Error::MethodNotAllowed),
    }
}

struct Request<'a> {
    shared: &'a Shared,
    call: &'a Call,
    claimed: Claimed,
    bucket: &'a str,
    key: &'a str,
}

impl Request<'_> {
    /// The signature first, then the policies: MinIO's order for everything but PutObject.
    fn authorise(&self, action: &str) -> Result<(), S3Error> {
        self.claimed.verify(self.call)?;
        self.may(action, self.bucket, self.key)
    }

    fn may(&self, action: &str, bucket: &str, key: &str) -> Result<(), S3Error> {
        let conditions = ["prefix", "delimiter", "max-keys"];
        let access = conditions.iter().fold(Access::new(action, bucket, key), |access, name| {
            match self.call.param(name) {
                Some(value) => access.with(&format!("s3:{name}"), value),
                None => access,
            }
        });
        self.claimed.may(self.shared, &access)
    }

    /// Everything for who may list all; else the buckets they may list or locate, and 403 when there is none
    /// (`truth/minio/02-groups-claim`: `list_readonly`, `list_writeonly`).
    fn list_buckets(&self) -> Result<Answer, S3Error> {
        self.claimed.verify(self.call)?;
        let mut buckets = self.shared.store().buckets();
        if self.may("s3:ListAllMyBuckets", "", "").is_err() {
            buckets.retain(|(name, _)| {
                self.may("s3:ListBucket", name, "").is_ok()
                    || self.may("s3:GetBucketLocation", name, "").is_ok()
            });
            if buckets.is_empty() {
                return Err(S3Error::AccessDenied);
            }
        }
        let listed: String = buckets
            .iter()
            .map(|(name, created)| {
                let (name, created) =
                    (xml::element("Name", name), xml::element("CreationDate", &time(*created)));
                format!("<Bucket>{name}{created}</Bucket>")
            })
            .collect();
        Ok(document(&format!(
            "<ListAllMyBucketsResult xmlns=\"{NAMESPACE}\"><Owner><ID>{OWNER}</ID><DisplayName>minio</DisplayName></Owner><Buckets>{listed}</Buckets></ListAllMyBucketsResult>"
        )))
    }

    fn location(&self) -> Result<Answer, S3Error> {
        self.authorise("s3:GetBucketLocation")?;
        self.existing()?;
        Ok(document(&format!("<LocationConstraint xmlns=\"{NAMESPACE}\"></LocationConstraint>")))
    }

    fn list_objects(&self) -> Result<Answer, S3Error> {
        self.authorise("s3:ListBucket")?;
        let param = |name: &str| self.call.param(name).unwrap_or_default().to_owned();
        let second = param("list-type") == "2";
        let max = match self.call.param("max-keys") {
            Some(text) => text.parse::<u32>().map_err(|_| S3Error::InvalidMaxKeys)?.min(1_000),
            None => 1_000,
        };
        let after = match (second, self.call.param("continuation-token")) {
            (true, Some(token)) => token.to_owned(),
            (true, None) => param("start-after"),
            (false, _) => param("marker"),
        };
        let query =
            Query { prefix: param("prefix"), delimiter: param("delimiter"), after, max: max as usize };
        let page = self.shared.store().list(self.bucket, &query)?;
        Ok(document(&listing(self.bucket, &query, &page, second, &param("encoding-type"))))
    }

    fn head_bucket(&self) -> Result<Answer, S3Error> {
        self.authorise("s3:ListBucket")?;
        self.existing()?;
        Ok(answer(StatusCode::OK, "", ""))
    }

    fn make_bucket(&self) -> Result<Answer, S3Error> {
        self.authorise("s3:CreateBucket")?;
        self.shared.store().make(self.bucket)?;
        let mut made = answer(StatusCode::OK, "", "");
        if let Ok(location) = HeaderValue::from_str(&format!("/{}", self.bucket)) {
            made.headers_mut().insert(header::LOCATION, location);
        }
        Ok(made)
    }

    fn delete_bucket(&self) -> Result<Answer, S3Error> {
        self.authorise("s3:DeleteBucket")?;
        self.shared.store().remove(self.bucket)?;
        Ok(answer(StatusCode::NO_CONTENT, "", ""))
    }

    fn get_object(&self) -> Result<Answer, S3Error> {
        self.authorise("s3:GetObject")?;
        let object = self.shared.store().get(self.bucket, self.key)?.clone();
        let mut got = answer(StatusCode::OK, "", object.body.clone());
        let modified = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&object.modified)
            .unwrap_or_default();
        for (name, value) in [
            (header::CONTENT_TYPE, object.content_type),
            (header::ETAG, format!("\"{}\"", object.etag)),
            (header::LAST_MODIFIED, modified),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                got.headers_mut().insert(name, value);
            }
        }
        Ok(got)
    }

    /// The policies first, then the signature (`truth/minio/03-policy-lifecycle`: `wrong_secret` gives
    /// `AccessDenied` to PutObject alone).
    fn put_object(&self) -> Result<Answer, S3Error> {
        self.may("s3:PutObject", self.bucket, self.key)?;
        self.claimed.verify(self.call)?;
        let body = self.call.body.clone().ok_or(S3Error::EntityTooLarge)?;
        let content_type = match self.call.header("content-type") {
            "" => "binary/octet-stream",
            told => told,
        };
        let etag = self.shared.store().put(self.bucket, self.key, body, content_type)?;
        let mut put = answer(StatusCode::OK, "", "");
        if let Ok(etag) = HeaderValue::from_str(&format!("\"{etag}\"")) {
            put.headers_mut().insert(header::ETAG, etag);
        }
        Ok(put)
    }

    fn delete_object(&self) -> Result<Answer, S3Error> {
        self.authorise("s3:DeleteObject")?;
        self.shared.store().delete(self.bucket, self.key)?;
        Ok(answer(StatusCode::NO_CONTENT, "", ""))
    }

    fn existing(&self) -> Result<(), S3Error> {
        if self.shared.store().has(self.bucket) { Ok(()) } else { Err(S3Error::NoSuchBucket) }
    }
}

/// The owner every MinIO names.
const OWNER: &str = "02d6176db174dc93cb1b899f7c6078f08654445fe8cf1b6ce98d8855f66bdbf4";

fn listing(bucket: &str, query: &Query, page: &Page, second: bool, encoding: &str) -> String {
    let coded = |text: &str| match encoding {
        "url" => utf8_percent_encode(text, sigv4::STRICT).to_string(),
        _ => text.to_owned(),
    };
    let mut out = format!("<ListBucketResult xmlns=\"{NAMESPACE}\">");
    out += &xml::element("Name", bucket);
    out += &xml::element("Prefix", &coded(&query.prefix));
    if second {
        out += &xml::element("KeyCount", &(page.objects.len() + page.prefixes.len()).to_string());
        if let Some(next) = &page.next {
            out += &xml::element("NextContinuationToken", next);
        }
    } else {
        out += &xml::element("Marker", &coded(&query.after));
        if let Some(next) = &page.next {
            out += &xml::element("NextMarker", &coded(next));
        }
    }
    out += &xml::element("MaxKeys", &query.max.to_string());
    out += &xml::optional("Delimiter", &coded(&query.delimiter));
    out += &xml::element("IsTruncated", &page.next.is_some().to_string());
    for (key, object) in &page.objects {
        out += "<Contents>";
        out += &xml::element("Key", &coded(key));
        out += &xml::element("LastModified", &time(object.modified));
        out += &xml::element("ETag", &format!("\"{}\"", object.etag));
        out += &xml::element("Size", &object.body.len().to_string());
        out += "<StorageClass>STANDARD</StorageClass></Contents>";
    }
    for prefix in &page.prefixes {
        out += &format!("<CommonPrefixes>{}</CommonPrefixes>", xml::element("Prefix", &coded(prefix)));
    }
    out += &xml::optional("EncodingType", encoding);
    out + "</ListBucketResult>"
}

fn document(root: &str) -> Answer {
    answer(StatusCode::OK, "application/xml", xml::document(root))
}

fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Whether MinIO takes `name`: 3 to 63 of lower-case letters, digits, dots and hyphens, no two dots together,
/// letter or digit at both ends.
fn valid_bucket(name: &str) -> bool {
    let ends =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && ends(bytes.first())
        && ends(bytes.last())
        && !name.contains("..")
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_are_those_minio_takes() {
        assert!(valid_bucket("data-bkt") && valid_bucket("a.b.c") && valid_bucket("login"));
        for name in ["oauth_callback", "ab", "Data", "-a-", "a..b", &"a".repeat(64)] {
            assert!(!valid_bucket(name), "{name}");
        }
    }

    #[test]
    fn listing_encodes_keys_only_when_asked() {
        let page = Page { objects: Vec::new(), prefixes: ["a b/".to_owned()].into(), next: None };
        let query = Query { max: 1_000, ..Query::default() };
        assert!(listing("b", &query, &page, true, "url").contains("<Prefix>a%20b%2F</Prefix>"));
        assert!(listing("b", &query, &page, true, "").contains("<Prefix>a b/</Prefix>"));
    }
}
