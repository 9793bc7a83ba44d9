//! Names and passwords that a user may have.

use std::fmt;

/// Longest user name, in bytes.
pub const MAX_USERNAME: usize = 64;
/// Shortest password, in characters.
pub const MIN_PASSWORD: usize = 8;
/// Longest password, in characters; hashing time must not be the caller's to choose.
pub const MAX_PASSWORD: usize = 256;

/// A user's name: 2 to 64 of `a-z 0-9 . _ - + @`, compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

impl Username {
    /// Lower-cases and checks.
    ///
    /// # Errors
    /// What the name must look like.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte);
        if !(2..=MAX_USERNAME).contains(&text.len()) || !text.bytes().all(allowed) {
            return Err("must be 2 to 64 of the characters a-z, 0-9, '.', '_', '-', '+' and '@'");
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// True for a text that can be somebody's password; anything else is not worth a hash.
pub fn is_plausible_password(text: &str) -> bool {
    (1..=MAX_PASSWORD).contains(&text.chars().count())
}

/// A password that a user may choose. Never printed.
#[derive(Clone)]
pub struct NewPassword(String);

impl NewPassword {
    /// Checks a password against the rules, for the user of that name.
    ///
    /// # Errors
    /// Which rule it breaks.
    pub fn parse(text: String, username: Option<&Username>) -> Result<Self, &'static str> {
        if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&text.chars().count()) {
            return Err("must have 8 to 256 characters");
        }
        if text.contains('\0') {
            return Err("must not contain a NUL character");
        }
        if username.is_some_and(|name| name.as_str().eq_ignore_ascii_case(&text)) {
            return Err("must not be the user name");
        }
        Ok(Self(text))
    }

    /// For the hash, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}
