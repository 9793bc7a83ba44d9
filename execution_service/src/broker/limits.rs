//! What the broker lets one connection take, beside what its policy says.

use std::time::Duration;

/// For a request's head, and between two requests of one connection.
pub const HEAD: Duration = Duration::from_secs(30);
/// For the resolver.
pub const RESOLVE: Duration = Duration::from_secs(10);
/// For one address to answer.
pub const CONNECT: Duration = Duration::from_secs(10);
/// Without a byte in either direction: models think for minutes before they answer.
pub const IDLE: Duration = Duration::from_secs(300);
/// For one connection, whatever it does.
pub const WHOLE: Duration = Duration::from_secs(3600);
/// Bytes of a head, in either direction.
pub const HEAD_BYTES: usize = 64 << 10;
/// Fields of a request's head.
pub const HEAD_FIELDS: usize = 128;
/// Names that one sandbox has resolved at once: each takes one of the 64 threads for it.
pub const RESOLVING: usize = 4;
/// Addresses of one name that are tried.
pub const ADDRESSES: usize = 4;
/// Bytes that are passed on at once.
pub const PIECE: usize = 64 << 10;
/// Connections of all sandboxes at once, where the host lets us have so many open files: two each, and one for
/// each sandbox.
pub const CONNECTIONS: usize = 8192;
