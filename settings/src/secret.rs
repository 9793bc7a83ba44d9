//! Values that are never printed, and wiped from memory when they are dropped.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// Shortest secret, in bytes: what HS256 is made for.
const MIN_BYTES: usize = 32;
/// Fewest different bytes: keeps out `aaaa…` and `12341234…`. 64 random hexadecimal digits have fewer
/// than 8 different ones once in 10^15 times.
const MIN_DISTINCT: usize = 8;
/// What the values of examples contain.
const EXAMPLES: [&str; 7] =
    ["change", "example", "placeholder", "your-", "your_", "replace-me", "replace_me"];

/// A secret. `Debug` shows only that there is one.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value that must not be printed, whatever it is.
    pub fn new(value: String) -> Self {
        Self(SecretString::from(value))
    }

    /// For the one who needs it, and for no log.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Why a text is no secret.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SecretError {
    /// Somebody could guess it.
    #[error("has fewer than {MIN_BYTES} bytes; make one with: openssl rand -hex 32")]
    Short,
    /// Out of an example, or as good as one.
    #[error("is an example that everybody knows; make one with: openssl rand -hex 32")]
    Example,
    /// It could not be sent.
    #[error("must be printable ASCII without spaces; make one with: openssl rand -hex 32")]
    NotAHeader,
}

/// A secret that is long and random enough to be one.
///
/// # Errors
/// [`SecretError`]
pub fn secret(text: &str) -> Result<Secret, SecretError> {
    let lower = text.to_ascii_lowercase();
    if text.len() < MIN_BYTES {
        return Err(SecretError::Short);
    }
    let distinct = text.bytes().collect::<BTreeSet<_>>().len();
    if distinct < MIN_DISTINCT || EXAMPLES.iter().any(|example| lower.contains(example)) {
        return Err(SecretError::Example);
    }
    Ok(Secret::new(String::from(text)))
}

/// A secret that can also be sent in a header.
///
/// # Errors
/// [`SecretError`]
pub fn header_secret(text: &str) -> Result<Secret, SecretError> {
    let checked = secret(text)?;
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(checked)
    } else {
        Err(SecretError::NotAHeader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_secrets_are_refused_and_none_is_printed() {
        let problem = |text: &str| header_secret(text).map(|_| ()).err();
        assert_eq!(problem(""), Some(SecretError::Short));
        assert_eq!(problem("1f2e3d4c5b6a"), Some(SecretError::Short));
        assert_eq!(problem(&"0".repeat(64)), Some(SecretError::Example));
        assert_eq!(problem(&"1234567".repeat(8)), Some(SecretError::Example));
        assert_eq!(problem("change-me-change-me-change-me-change-me"), Some(SecretError::Example));
        assert_eq!(problem("8c1f6b0e5d2a47939b64f2c8a1e7 35f"), Some(SecretError::NotAHeader));
        let good = "8c1f6b0e5d2a47939b64f2c8a1e7d35f";
        let secret = header_secret(good).expect("a good one");
        assert_eq!(secret.expose(), good);
        assert!(!format!("{secret:?}").contains(good));
    }
}
