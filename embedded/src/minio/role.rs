//! Role ARNs: how a client asks for the role policy of a provider.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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

/// SHA-1 (FIPS 180-4). It names the role and guards nothing.
fn sha1(message: &[u8]) -> [u8; 20] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64), 0);
    if padded.len() - message.len() < 9 {
        padded.resize(padded.len() + 64, 0);
    }
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());

    let mut state: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.chunks_exact(64) {
        let mut words = [0_u32; 80];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for i in 16..80 {
            words[i] = (words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (i, word) in words.iter().enumerate() {
            let (mixed, constant) = match i / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (total, part) in state.iter_mut().zip([a, b, c, d, e]) {
            *total = total.wrapping_add(part);
        }
    }
    let mut out = [0; 20];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_arn_is_the_recorded_one() {
        assert_eq!(arn("minio-client"), "arn:minio:iam:::role/1mAsqpUGox8eewepDQ1dmtwpdY8");
    }

    #[test]
    fn sha1_agrees_with_its_published_vectors() {
        let hex = |text: &str| sha1(text.as_bytes()).map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        );
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
