//! Types of single settings.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::language::{Language, NAMES};

/// Where to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Listen {
    /// The file of a Unix socket.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(path) => Some(path),
        }
    }
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// [`LogFormat::Pretty`] on a terminal, [`LogFormat::Json`] elsewhere.
    Auto,
    /// For people.
    Pretty,
    /// For machines.
    Json,
}

/// Some languages, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageList(pub Vec<Language>);

/// The token that a gateway must show. Never printed.
#[derive(Clone)]
pub struct Secret(String);

/// Why a secret cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not set.
    #[error(
        "INTERNAL_AUTH_TOKEN is not set; make one with `openssl rand -hex 32` and give it to the gateway, too"
    )]
    Missing,
    /// Too short to be guessed by nobody.
    #[error("INTERNAL_AUTH_TOKEN is shorter than 32 bytes; make one with `openssl rand -hex 32`")]
    Short,
    /// Out of an example.
    #[error(
        "INTERNAL_AUTH_TOKEN is an example that everybody knows; make one with `openssl rand -hex 32`"
    )]
    Example,
}

impl Secret {
    /// Checks a token.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn parse(text: Option<String>) -> Result<Self, SecretError> {
        const LEAST: usize = 32;
        const FEWEST_DISTINCT: usize = 6;
        let text = text.filter(|text| !text.is_empty()).ok_or(SecretError::Missing)?;
        let lower = text.to_lowercase();
        let words = ["change", "example", "placeholder", "your-", "your_"];
        // Random text of 32 characters has more than these; "xxxx…" and "0123 0123…" have not.
        let distinct = lower.bytes().collect::<std::collections::BTreeSet<_>>().len();
        if words.iter().any(|word| lower.contains(word)) || distinct < FEWEST_DISTINCT {
            return Err(SecretError::Example);
        }
        if text.len() < LEAST {
            return Err(SecretError::Short);
        }
        Ok(Self(text))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

pub(super) fn listen(text: &str) -> Result<Listen, String> {
    match text.strip_prefix("unix:") {
        Some(path) => Ok(Listen::Unix(PathBuf::from(path))),
        None => text
            .parse()
            .map(Listen::Tcp)
            .map_err(|_| String::from("must be `IP:PORT` or `unix:/path/of/socket`")),
    }
}

pub(super) fn language_list(text: &str) -> Result<LanguageList, String> {
    let mut languages = Vec::new();
    for name in text.split(',').map(str::trim) {
        let language =
            Language::find(name).ok_or_else(|| format!("{name:?} is none of {}", *NAMES))?;
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    Ok(LanguageList(languages))
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    /// A day: beyond that it is a typing error.
    const MOST: f64 = 86_400.0;
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= MOST => Ok(Duration::from_secs_f64(seconds)),
        Ok(_) | Err(_) => Err(String::from("must be a number of seconds above 0, at most 86400")),
    }
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number) if number > 0 => Ok(number),
        Ok(_) | Err(_) => Err(String::from("must be a number, at least 1")),
    }
}

pub(super) fn bytes(text: &str) -> Result<u64, String> {
    const LEAST: u64 = 64 << 10;
    match text.parse::<u64>() {
        Ok(bytes) if bytes >= LEAST => Ok(bytes),
        Ok(_) | Err(_) => Err(String::from("must be a number of bytes, at least 65536")),
    }
}

pub(super) fn bytes_or_none(text: &str) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    bytes(text).map_err(|message| format!("{message}, or 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_tokens_are_refused_and_none_is_printed() {
        let parse = |text: &str| Secret::parse(Some(String::from(text))).map(|_| ());
        assert_eq!(Secret::parse(None).map(|_| ()), Err(SecretError::Missing));
        assert_eq!(parse(""), Err(SecretError::Missing));
        assert_eq!(parse("1f2e3d4c5b6a"), Err(SecretError::Short));
        assert_eq!(parse(&"0".repeat(64)), Err(SecretError::Example));
        assert_eq!(parse("change-me-change-me-change-me-change-me"), Err(SecretError::Example));
        let good = "8c1f6b0e5d2a47939b64f2c8a1e7d35f";
        let token = Secret::parse(Some(String::from(good))).expect("a good token");
        assert!(!format!("{token:?}").contains(good));
    }
}
