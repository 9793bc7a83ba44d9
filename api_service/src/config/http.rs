//! What callers can take of the HTTP server: time, memory, connections.

use std::time::Duration;

use clap::Args;

use super::values;

/// How much of the server one caller, and all of them, can take.
#[derive(Args, Debug, Clone)]
pub struct HttpLimits {
    /// Largest request body, in bytes: 1024 to 50331648
    #[arg(long, env = "MAX_BODY_BYTES", default_value = "16777216", value_name = "BYTES",
          value_parser = values::body_bytes)]
    pub max_body_bytes: usize,
    /// Memory for request bodies of more than 64 KiB, in bytes: twice MAX_BODY_BYTES or more, up to
    /// 68719476736; one user can have half of it, and what does not fit is refused with 503
    #[arg(long, env = "MAX_BUFFERED_BYTES", default_value = "268435456", value_name = "BYTES",
          value_parser = values::buffered_bytes)]
    pub max_buffered_bytes: usize,
    // A caller who sends a byte a minute gives up sooner.
    /// Seconds that the head of a request may take, 1 to 600
    #[arg(long = "request-head-timeout", env = "REQUEST_HEAD_TIMEOUT", default_value = "10",
          value_name = "SECONDS", value_parser = values::whole_seconds)]
    pub head_timeout: Duration,
    /// Seconds that the body of a request may take, 1 to 600
    #[arg(long = "request-body-timeout", env = "REQUEST_BODY_TIMEOUT", default_value = "60",
          value_name = "SECONDS", value_parser = values::whole_seconds)]
    pub body_timeout: Duration,
    // Longer than the 60 s of most reverse proxies, which would otherwise send a request into a
    // connection that is just being closed.
    /// Seconds that a connection may idle between requests, 1 to 600
    #[arg(long = "keep-alive-timeout", env = "KEEP_ALIVE_TIMEOUT", default_value = "75",
          value_name = "SECONDS", value_parser = values::whole_seconds)]
    pub keep_alive: Duration,
    /// Connections at once, 8 to 1000000; fewer where the process may not have as many open files
    #[arg(long, env = "MAX_CONNECTIONS", default_value = "8192", value_name = "COUNT",
          value_parser = values::connections)]
    pub max_connections: usize,
    /// Connections of one IPv4 address or IPv6 /64 (at most half of all); 0 for no limit, as behind a
    /// reverse proxy, where all callers have its address
    #[arg(long, env = "MAX_CONNECTIONS_PER_ADDRESS", default_value = "1024", value_name = "COUNT",
          value_parser = values::connections_per_address)]
    pub max_connections_per_address: usize,
}
