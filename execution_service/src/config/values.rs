//! Types of single settings.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::language::Language;
use crate::network::{Pattern, PrivateHost};
use crate::owners::Background;

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

/// Some languages, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageList(pub Vec<Language>);

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
    Language::parse_list(text).map(LanguageList)
}

/// A host, or some, of a list.
pub(super) fn host_pattern(text: &str) -> Result<Pattern, String> {
    text.trim().parse().map_err(|error| format!("{text:?} {error}"))
}

/// A host of the operator's own network.
pub(super) fn private_host(text: &str) -> Result<PrivateHost, String> {
    text.trim().parse()
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| String::from("must be a whole number, 0 or more"))
}

pub(super) fn processes(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| String::from("must be a whole number, 0 or more"))
}

pub(super) fn milli_cpus(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| String::from("must be thousandths of a core, a whole number"))
}

pub(super) fn overcommit(text: &str) -> Result<u32, String> {
    hundredths(text, 100..=100_000)
}

pub(super) fn percent(text: &str) -> Result<u32, String> {
    hundredths(text, 1..=100)
}

fn hundredths(text: &str, allowed: RangeInclusive<u32>) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| format!("must be hundredths, {} to {}", allowed.start(), allowed.end()))
}

pub(super) fn background(text: &str) -> Result<Background, String> {
    match text {
        "full" => Ok(Background::Full),
        "low" => Ok(Background::Low),
        "frozen" => Ok(Background::Frozen),
        _ => Err(String::from("must be full, low or frozen")),
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
