//! Single values: what each may be, and what is said of one that is something else.

use std::net::SocketAddr;
use std::time::Duration;

use settings::Secret;
use settings::values::number;

use crate::domain::credentials::{NewPassword, Username};
use crate::domain::language::{LanguageFilter, LanguageName};
use crate::services::webhooks::AllowedHost;
use crate::storage::DatabaseKind;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be ip:port, like 127.0.0.1:9464".to_owned())
}

pub(super) fn worker_url(text: &str) -> Result<String, String> {
    let path = text.strip_prefix("unix:").is_some_and(|path| path.starts_with('/'));
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let authority = rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.trim_end_matches('/').contains(['/', ' ', '?', '#', '@'])
    });
    if path || authority {
        return Ok(text.to_owned());
    }
    Err("must be http://host:port, https://host:port or unix:/path/to.sock".to_owned())
}

pub(super) fn database_url(text: &str) -> Result<Secret, String> {
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
        Some(DatabaseKind::Sqlite | DatabaseKind::Postgres) => Ok(Secret::new(text.to_owned())),
        None => {
            Err("must be sqlite:/path/to.db or postgres://user:password@host/database".to_owned())
        }
    }
}

pub(super) fn minutes(text: &str) -> Result<Duration, String> {
    number(text, 1..=1440).map(|minutes: u64| Duration::from_secs(minutes * MINUTE))
}

pub(super) fn days(text: &str) -> Result<Duration, String> {
    number(text, 1..=3650).map(|days: u64| Duration::from_secs(days * DAY))
}

pub(super) fn whole_seconds(text: &str) -> Result<Duration, String> {
    number(text, 1..=600).map(Duration::from_secs)
}

pub(super) fn body_bytes(text: &str) -> Result<usize, String> {
    const MAX: usize = 48 << 20;
    number(text, 1024..=MAX)
}

pub(super) fn buffered_bytes(text: &str) -> Result<usize, String> {
    /// 64 GiB.
    const MAX: usize = 64 << 30;
    number(text, 2048..=MAX)
}

/// Of both kinds.
const MAX_CONNECTIONS: usize = 1_000_000;

pub(super) fn connections(text: &str) -> Result<usize, String> {
    number(text, 8..=MAX_CONNECTIONS)
}

pub(super) fn connections_per_address(text: &str) -> Result<usize, String> {
    number(text, 0..=MAX_CONNECTIONS)
}

pub(super) fn count(text: &str) -> Result<u32, String> {
    number(text, 1..=u32::MAX)
}

pub(super) fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        _ if text.is_empty() => Ok(String::new()),
        Some(host) if !host.is_empty() && !host.contains(['/', '*', ' ']) => Ok(text.to_owned()),
        Some(_) | None => {
            Err("must be origins like https://app.example.org, separated by commas".to_owned())
        }
    }
}

/// Nothing for an empty text, so that the variable can be there and name none.
pub(super) fn webhook_host(text: &str) -> Result<Option<AllowedHost>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = "must be hosts like hooks.example.com or *.example.com:8443, separated by commas";
    AllowedHost::parse(text).map(Some).ok_or_else(|| wrong.to_owned())
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
