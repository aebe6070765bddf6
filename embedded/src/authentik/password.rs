//! Passwords as stored.

use sha2::{Digest as _, Sha256};

use super::model::PasswordHash;

impl PasswordHash {
    /// The hash of `password` under a fresh salt.
    pub(crate) fn of(password: &str) -> Self {
        let salt = rand::random();
        Self { salt, digest: digest(&salt, password) }
    }

    /// Whether `password` is the one hashed.
    pub(crate) fn accepts(&self, password: &str) -> bool {
        digest(&self.salt, password) == self.digest
    }
}

fn digest(salt: &[u8; 16], password: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(password.as_bytes()).finalize().into()
}

/// `length` random letters and digits, as generated client ids, secrets and token keys are made of.
pub(crate) fn random_text(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..length).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}
