//! What callers can take of the HTTP server: time, memory, connections.

use std::time::Duration;

use super::read::{self, Reader};

/// How much of the server one caller, and all of them, can take.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// `MAX_BODY_BYTES`.
    pub max_body_bytes: usize,
    /// `MAX_BUFFERED_BYTES`; twice the largest body or more.
    pub max_buffered_bytes: usize,
    /// `REQUEST_HEAD_TIMEOUT`: a caller who sends a byte a minute gives up sooner.
    pub head_timeout: Duration,
    /// `REQUEST_BODY_TIMEOUT`.
    pub body_timeout: Duration,
    /// `KEEP_ALIVE_TIMEOUT`. The default is longer than the 60 s of most reverse proxies, which
    /// would otherwise send a request into a connection that is just being closed.
    pub keep_alive: Duration,
    /// `MAX_CONNECTIONS`.
    pub max_connections: usize,
    /// `MAX_CONNECTIONS_PER_ADDRESS`; 0 sets no limit.
    pub max_connections_per_address: usize,
}

impl HttpLimits {
    pub(super) fn read(
        from: &mut Reader<impl Fn(&str) -> Result<Option<String>, String>>,
    ) -> Option<Self> {
        let max_body_bytes = from.value("MAX_BODY_BYTES", "16777216", read::body_bytes);
        let max_buffered_bytes = from.value("MAX_BUFFERED_BYTES", "268435456", buffered_bytes);
        let mut seconds =
            |name, default| from.value(name, default, |text| read::span(text, 1, 600));
        let head_timeout = seconds("REQUEST_HEAD_TIMEOUT", "10");
        let body_timeout = seconds("REQUEST_BODY_TIMEOUT", "60");
        let keep_alive = seconds("KEEP_ALIVE_TIMEOUT", "75");
        let max_connections = from.value("MAX_CONNECTIONS", "8192", |text| connections(text, 8));
        let max_connections_per_address =
            from.value("MAX_CONNECTIONS_PER_ADDRESS", "1024", |text| connections(text, 0));
        if let (Some(body), Some(all)) = (max_body_bytes, max_buffered_bytes)
            && all / 2 < body
        {
            from.problem("MAX_BUFFERED_BYTES must be at least twice MAX_BODY_BYTES".to_owned());
        }
        Some(Self {
            max_body_bytes: max_body_bytes?,
            max_buffered_bytes: max_buffered_bytes?,
            head_timeout: head_timeout?,
            body_timeout: body_timeout?,
            keep_alive: keep_alive?,
            max_connections: max_connections?,
            max_connections_per_address: max_connections_per_address?,
        })
    }
}

fn buffered_bytes(text: &str) -> Result<usize, String> {
    /// 64 GiB.
    const MAX: usize = 64 << 30;
    match text.parse() {
        Ok(number) if (2048..=MAX).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err(format!("must be bytes, from 2048 to {MAX}")),
    }
}

fn connections(text: &str, least: usize) -> Result<usize, String> {
    const MAX: usize = 1_000_000;
    match text.parse() {
        Ok(number) if (least..=MAX).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err(format!("must be a whole number from {least} to {MAX}")),
    }
}
