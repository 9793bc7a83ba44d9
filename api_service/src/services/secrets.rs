//! Secrets that we hand out, and the hashes by which we know them again.

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use super::Error;

/// `bytes` random bytes from the operating system, in hex.
///
/// # Errors
/// When the operating system has none.
pub fn random_hex(bytes: usize) -> Result<String, Error> {
    let mut buffer = vec![0; bytes];
    OsRng.try_fill_bytes(&mut buffer).map_err(|_| Error::Fault("no random numbers"))?;
    Ok(hex(&buffer))
}

/// SHA-256 in hex. Enough for secrets that are random themselves; passwords get Argon2.
pub fn sha256_hex(text: &[u8]) -> String {
    sha256_hex_of(&[text])
}

/// The same of parts, one behind the other.
pub fn sha256_hex_of(parts: &[&[u8]]) -> String {
    hex(&parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize())
}

/// Two digits for each byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
