//! Values that are never printed.

use std::fmt;

/// Shortest secret, in bytes: what HS256 is made for.
const MIN_BYTES: usize = 32;
/// Fewest different bytes: keeps out `aaaa…` and `12341234…`.
const MIN_DISTINCT: usize = 8;
/// What the values of examples contain.
const EXAMPLES: [&str; 10] = [
    "changeme",
    "change-me",
    "change_me",
    "changethis",
    "example",
    "placeholder",
    "your-secret",
    "your_secret",
    "replace-me",
    "replace_me",
];

const REMEDY: &str = "make one with: openssl rand -hex 32";

/// A secret. `Debug` shows only that there is one.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that must not be printed.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// For the one who needs it, and for no log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret that is long and random enough to be one.
pub(super) fn parse(text: &str) -> Result<Secret, String> {
    if text.len() < MIN_BYTES {
        return Err(format!("has fewer than {MIN_BYTES} bytes; {REMEDY}"));
    }
    let lower = text.to_ascii_lowercase();
    let mut bytes: Vec<u8> = text.bytes().collect();
    bytes.sort_unstable();
    bytes.dedup();
    if bytes.len() < MIN_DISTINCT || EXAMPLES.iter().any(|example| lower.contains(example)) {
        return Err(format!("is an example, not a secret; {REMEDY}"));
    }
    Ok(Secret(text.to_owned()))
}

/// A secret that can also be sent in a header.
pub(super) fn parse_token(text: &str) -> Result<Secret, String> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("must be printable ASCII without spaces; {REMEDY}"));
    }
    parse(text)
}
