//! Buckets and objects, in memory and bounded.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::s3error::S3Error;

/// How many bytes all objects may take together.
const CAPACITY: usize = 256 << 20;

/// One object.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) body: Bytes,
    pub(super) content_type: String,
    /// 32 hex digits that change with the body; not its MD5, which S3 does not promise either.
    pub(super) etag: String,
    pub(super) modified: Timestamp,
}

struct Bucket {
    created: Timestamp,
    objects: BTreeMap<String, Object>,
}

/// Every bucket.
pub(super) struct Store {
    buckets: BTreeMap<String, Bucket>,
    used: usize,
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) prefix: String,
    pub(super) delimiter: String,
    /// List only what comes after this key.
    pub(super) after: String,
    pub(super) max: usize,
}

/// One page of a listing.
pub(super) struct Page {
    pub(super) objects: Vec<(String, Object)>,
    pub(super) prefixes: BTreeSet<String>,
    /// Where the next page begins, when there is one.
    pub(super) next: Option<String>,
}

impl Store {
    pub(super) fn with_buckets(names: &[String]) -> Self {
        let now = Timestamp::now();
        let empty = || Bucket { created: now, objects: BTreeMap::new() };
        Self { buckets: names.iter().map(|name| (name.clone(), empty())).collect(), used: 0 }
    }

    /// Names and creation times, by name.
    pub(super) fn buckets(&self) -> Vec<(String, Timestamp)> {
        self.buckets.iter().map(|(name, bucket)| (name.clone(), bucket.created)).collect()
    }

    pub(super) fn has(&self, bucket: &str) -> bool {
        self.buckets.contains_key(bucket)
    }

    pub(super) fn make(&mut self, bucket: &str) -> Result<(), S3Error> {
        if self.has(bucket) {
            return Err(S3Error::BucketAlreadyOwnedByYou);
        }
        let made = Bucket { created: Timestamp::now(), objects: BTreeMap::new() };
        self.buckets.insert(bucket.to_owned(), made);
        Ok(())
    }

    pub(super) fn remove(&mut self, bucket: &str) -> Result<(), S3Error> {
        let found = self.buckets.get(bucket).ok_or(S3Error::NoSuchBucket)?;
        if !found.objects.is_empty() {
            return Err(S3Error::BucketNotEmpty);
        }
        self.buckets.remove(bucket);
        Ok(())
    }

    pub(super) fn get(&self, bucket: &str, key: &str) -> Result<&Object, S3Error> {
        let bucket = self.buckets.get(bucket).ok_or(S3Error::NoSuchBucket)?;
        bucket.objects.get(key).ok_or(S3Error::NoSuchKey)
    }

    /// Writes an object and gives its ETag.
    pub(super) fn put(
        &mut self,
        bucket: &str,
        key: &str,
        body: Bytes,
        content_type: &str,
    ) -> Result<String, S3Error> {
        let bucket = self.buckets.get_mut(bucket).ok_or(S3Error::NoSuchBucket)?;
        let replaced = bucket.objects.get(key).map_or(0, |object| object.body.len());
        let used = self.used - replaced + body.len();
        if used > CAPACITY {
            return Err(S3Error::StorageFull);
        }
        self.used = used;
        let etag = crate::digest::hex(&Sha256::digest(&body)[..16]);
        let object = Object {
            // Copied, so that a small object never keeps a large read buffer alive.
            body: Bytes::copy_from_slice(&body),
            content_type: content_type.to_owned(),
            etag: etag.clone(),
            modified: Timestamp::now(),
        };
        bucket.objects.insert(key.to_owned(), object);
        Ok(etag)
    }

    /// Removes an object; one that is not there counts as removed.
    pub(super) fn delete(&mut self, bucket: &str, key: &str) -> Result<(), S3Error> {
        let bucket = self.buckets.get_mut(bucket).ok_or(S3Error::NoSuchBucket)?;
        if let Some(object) = bucket.objects.remove(key) {
            self.used -= object.body.len();
        }
        Ok(())
    }

    /// One page of `bucket`; keys that share the text up to the delimiter become one prefix.
    pub(super) fn list(&self, bucket: &str, query: &Query) -> Result<Page, S3Error> {
        let bucket = self.buckets.get(bucket).ok_or(S3Error::NoSuchBucket)?;
        let mut page = Page { objects: Vec::new(), prefixes: BTreeSet::new(), next: None };
        let mut last = String::new();
        for (key, object) in bucket.objects.range(query.prefix.clone()..) {
            if !key.starts_with(&query.prefix) {
                break;
            }
            let rest = &key[query.prefix.len()..];
            let cut = if query.delimiter.is_empty() { None } else { rest.find(&query.delimiter) };
            let name = match cut {
                Some(at) => &key[..query.prefix.len() + at + query.delimiter.len()],
                None => key,
            };
            if name <= query.after.as_str() || page.prefixes.contains(name) {
                continue;
            }
            if page.objects.len() + page.prefixes.len() == query.max {
                page.next = (query.max > 0).then_some(last);
                break;
            }
            name.clone_into(&mut last);
            match cut {
                Some(_) => drop(page.prefixes.insert(name.to_owned())),
                None => page.objects.push((key.clone(), object.clone())),
            }
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let mut store = Store::with_buckets(&["b".to_owned()]);
        for key in ["a/1", "a/2", "b", "c/3", "d"] {
            store.put("b", key, Bytes::from_static(b"x"), "text/plain").unwrap();
        }
        store
    }

    #[test]
    fn delimiter_folds_keys_into_prefixes() {
        let query = Query { delimiter: "/".to_owned(), max: 100, ..Query::default() };
        let page = store().list("b", &query).unwrap();
        let keys: Vec<&str> = page.objects.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["b", "d"]);
        assert_eq!(page.prefixes.into_iter().collect::<Vec<_>>(), ["a/", "c/"]);
        assert_eq!(page.next, None);
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let store = store();
        let mut query = Query { delimiter: "/".to_owned(), max: 1, ..Query::default() };
        let mut seen = Vec::new();
        loop {
            let page = store.list("b", &query).unwrap();
            seen.extend(page.objects.into_iter().map(|(key, _)| key));
            seen.extend(page.prefixes);
            match page.next {
                Some(next) => query.after = next,
                None => break,
            }
        }
        assert_eq!(seen, ["a/", "b", "c/", "d"]);
    }

    #[test]
    fn bucket_with_objects_is_not_removed() {
        let mut store = store();
        assert_eq!(store.remove("b"), Err(S3Error::BucketNotEmpty));
        assert_eq!(store.remove("nope"), Err(S3Error::NoSuchBucket));
        assert_eq!(store.make("b"), Err(S3Error::BucketAlreadyOwnedByYou));
    }
}
