//! Reads single values, and gathers what is wrong with them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use thiserror::Error;
use tracing_subscriber::EnvFilter;

use super::LogFormat;
use crate::domain::credentials::{NewPassword, Username};
use crate::domain::language::{LanguageFilter, LanguageName};
use crate::storage::DatabaseKind;

/// Everything that is wrong with the settings, one line for each.
#[derive(Debug, Error)]
#[error("the settings cannot be used:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

/// Reads values by name and remembers every problem, so that an operator sees all of them at once.
pub(super) struct Reader<Lookup> {
    lookup: Lookup,
    problems: Vec<String>,
}

impl<Lookup: Fn(&str) -> Result<Option<String>, String>> Reader<Lookup> {
    pub(super) fn new(lookup: Lookup) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    pub(super) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// A value that has a default.
    pub(super) fn value<T>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name)?.unwrap_or_else(|| default.to_owned());
        self.note(name, parse(&text))
    }

    /// A value that must be there.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.text(name)? {
            Some(text) => self.note(name, parse(&text)),
            None => self.note(name, Err("is not set".to_owned())),
        }
    }

    /// A value that may be missing; an empty one is missing.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name)??;
        if text.is_empty() { None } else { self.note(name, parse(&text)) }
    }

    /// Values separated by commas.
    pub(super) fn list<T: PartialEq>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let text = self.text(name)?.unwrap_or_else(|| default.to_owned());
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let mut values = self.note(name, parts.map(parse).collect::<Result<Vec<T>, _>>())?;
        values.dedup();
        Some(values)
    }

    pub(super) fn finish<T>(self, settings: Option<T>) -> Result<T, ConfigError> {
        match settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            Some(_) | None => Err(ConfigError(self.problems)),
        }
    }

    /// `None` when the value is there and cannot even be read.
    fn text(&mut self, name: &str) -> Option<Option<String>> {
        let found = (self.lookup)(name);
        self.note(name, found)
    }

    /// The problem never quotes the value: it may be a secret, or hold one.
    fn note<T>(&mut self, name: &str, parsed: Result<T, String>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problems.push(format!("{name} {problem}"));
                None
            }
        }
    }
}

pub(super) fn ip_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        "must be an IP address: 127.0.0.1 for this machine alone, 0.0.0.0 for all".to_owned()
    })
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "must be a number from 0 to 65535; 0 picks a free port".to_owned())
}

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be ip:port, like 127.0.0.1:9464".to_owned())
}

pub(super) fn worker_url(text: &str) -> Result<String, String> {
    let path = text.strip_prefix("unix:").is_some_and(|path| path.starts_with('/'));
    let authority = text.strip_prefix("http://").is_some_and(|rest| {
        !rest.is_empty() && !rest.trim_end_matches('/').contains(['/', ' ', '?', '#', '@'])
    });
    if path || authority {
        return Ok(text.to_owned());
    }
    Err("must be http://host:port or unix:/path/to.sock".to_owned())
}

pub(super) fn database_url(text: &str) -> Result<String, String> {
    // Every connection would have a database of its own in memory.
    let in_memory = text.contains(":memory:") || text.contains("mode=memory");
    match DatabaseKind::of_url(text) {
        Some(DatabaseKind::Sqlite) if in_memory => {
            Err("must be a file: sqlite:/path/to.db; a database in memory cannot be shared"
                .to_owned())
        }
        Some(DatabaseKind::Sqlite) if text.contains('%') => {
            Err("must not contain '%': name the file as it is".to_owned())
        }
        Some(DatabaseKind::Sqlite | DatabaseKind::Postgres) => Ok(text.to_owned()),
        None => {
            Err("must be sqlite:/path/to.db or postgres://user:password@host/database".to_owned())
        }
    }
}

/// A whole number of units, from 1 to `max`.
pub(super) fn span(text: &str, unit_seconds: u64, max: u64) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(number) if (1..=max).contains(&number) => Ok(Duration::from_secs(number * unit_seconds)),
        Ok(_) | Err(_) => Err(format!("must be a whole number from 1 to {max}")),
    }
}

/// Seconds, with or without a fraction, up to a day.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.001..=86_400.0).contains(&number) => Ok(Duration::from_secs_f64(number)),
        Ok(_) | Err(_) => Err("must be seconds, from 0.001 to 86400".to_owned()),
    }
}

pub(super) fn body_bytes(text: &str) -> Result<usize, String> {
    const MAX: usize = 48 << 20;
    match text.parse() {
        Ok(number) if (1024..=MAX).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err(format!("must be bytes, from 1024 to {MAX}")),
    }
}

pub(super) fn count(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        Ok(_) | Err(_) => Err("must be a whole number above 0".to_owned()),
    }
}

pub(super) fn origin(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !host.contains(['/', '*', ' ']) => Ok(text.to_owned()),
        Some(_) | None => {
            Err("must be origins like https://app.example.org, separated by commas".to_owned())
        }
    }
}

pub(super) fn languages(text: &str) -> Result<LanguageFilter, String> {
    if text == "*" {
        return Ok(LanguageFilter::default());
    }
    let names = text.split(',').map(|name| LanguageName::parse(name.trim()));
    names
        .collect::<Option<_>>()
        .map(LanguageFilter::only)
        .ok_or_else(|| "must be names of languages, separated by commas, or *".to_owned())
}

pub(super) fn username(text: &str) -> Result<Username, String> {
    Username::parse(text).map_err(str::to_owned)
}

pub(super) fn password(text: &str) -> Result<NewPassword, String> {
    NewPassword::parse(text.to_owned(), None).map_err(str::to_owned)
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "auto" => Ok(LogFormat::Auto),
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be auto, pretty or json".to_owned()),
    }
}

pub(super) fn log_level(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    // A lone word that is no level would be taken for the name of a module.
    let plausible = text.contains('=') || LEVELS.contains(&text.to_ascii_lowercase().as_str());
    if plausible && EnvFilter::try_new(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err("must be error, warn, info, debug or trace, or directives like info,api_service=debug"
        .to_owned())
}
