//! One migration as the binary carries it, and one as a database remembers it.

use mizan_core::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// One migration: an up and a down file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Four digits, counting from `0001`.
    pub id: &'static str,
    /// What it brings, in words: `deposits and withdrawals`.
    pub name: &'static str,
    pub up: &'static str,
    pub down: &'static str,
}

impl Revision {
    /// SHA-256 of the up file, in hex.
    pub fn checksum(&self) -> String {
        sha256_hex(self.up.as_bytes())
    }
}

/// A row of `mizan_migrations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    pub revision: String,
    pub name: String,
    pub checksum: String,
    pub applied_at: Timestamp,
}

impl Applied {
    /// The row that `revision` would leave.
    pub fn of(revision: &Revision, applied_at: Timestamp) -> Self {
        Self {
            revision: revision.id.to_owned(),
            name: revision.name.to_owned(),
            checksum: revision.checksum(),
            applied_at,
        }
    }
}

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::sha256_hex;

    #[test]
    fn checksums_are_what_sha256sum_prints() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
