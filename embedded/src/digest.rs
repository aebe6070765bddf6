//! Digests as text, keyed digests, and how to compare secrets.

use ring::{digest, hmac};

/// `bytes` in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-1, where a protocol asks for it: it guards nothing here.
pub(crate) fn sha1(message: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, message)
}

/// HMAC-SHA-256 of `message`.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

/// Whether `tag` is the HMAC-SHA-256 of `message`, in a time that does not tell where it differs.
pub(crate) fn hmac_sha256_fits(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, tag).is_ok()
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_rfc_3174() {
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        for (message, expected) in [
            ("abc".to_owned(), "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (String::new(), "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (long.to_owned(), "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
            ("01234567".repeat(80), "dea356a2cddd90c7a7ecedc5ebb563934f460452"),
        ] {
            assert_eq!(hex(sha1(message.as_bytes()).as_ref()), expected, "{message}");
        }
    }

    #[test]
    fn a_tag_fits_its_key_and_message_only() {
        // RFC 4231, test case 2.
        let (key, message) = (b"Jefe", b"what do ya want for nothing?");
        let tag = hmac_sha256(key, message);
        assert_eq!(hex(tag.as_ref()), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(hmac_sha256_fits(key, message, tag.as_ref()));
        assert!(!hmac_sha256_fits(b"jefe", message, tag.as_ref()));
        assert!(!hmac_sha256_fits(key, b"", tag.as_ref()) && !hmac_sha256_fits(key, message, b""));
    }
}
