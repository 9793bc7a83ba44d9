//! Encrypts what is kept for replay: an answer may hold an API key's secret, or a user's data.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};

use super::Error;

/// Seals and opens texts with a key that is derived from the gateway's secret.
pub struct Sealer(RandomizedNonceKey);

impl Sealer {
    /// From the gateway's secret.
    ///
    /// # Errors
    /// When the cipher cannot be set up.
    pub fn new(secret: &[u8]) -> Result<Self, Error> {
        let key = Sha256::new().chain_update("crucible: stored answers\0").chain_update(secret);
        RandomizedNonceKey::new(&AES_256_GCM, &key.finalize())
            .map(Self)
            .map_err(|_| Error::Fault("the cipher cannot be set up"))
    }

    /// Encrypts `text`; it opens only together with the same `context`.
    ///
    /// # Errors
    /// When the cipher fails.
    pub fn seal(&self, context: &str, text: &[u8]) -> Result<String, Error> {
        let mut sealed = text.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(context), &mut sealed)
            .map_err(|_| Error::Fault("an answer cannot be sealed"))?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Ok(STANDARD_NO_PAD.encode(bytes))
    }

    /// Decrypts; `None` when it was sealed with another key or for another context, or is damaged.
    pub fn open(&self, context: &str, sealed: &str) -> Option<Vec<u8>> {
        let mut bytes = STANDARD_NO_PAD.decode(sealed).ok()?;
        let nonce: [u8; NONCE_LEN] = bytes.get(..NONCE_LEN)?.try_into().ok()?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let text =
            self.0.open_in_place(nonce, Aad::from(context), bytes.get_mut(NONCE_LEN..)?).ok()?;
        Some(text.to_vec())
    }
}
