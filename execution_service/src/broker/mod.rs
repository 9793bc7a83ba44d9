//! The way out of sandboxes: a process of its own that connects for them, and that holds nothing of the service.
//!
//! ```text
//! sandbox   a program connects to 127.0.0.1:3128, where the kernel has a listening socket of the broker's
//! broker    accept ─▶ http | socks ─▶ gate (policy, limits) ─▶ dial (resolve, check, connect) ─▶ line
//! worker    client: hands over the sockets and policies, remembers what the broker tells of connections
//! ```
//! The listening socket was made by the sandbox's init before any user code, and is held by worker and broker
//! alone. A sandbox has still no route and no names.

mod accept;
mod client;
mod dial;
mod gate;
mod http;
mod limits;
mod line;
mod process;
mod socks;
#[cfg(test)]
mod tests;
mod wire;

pub use client::{Broker, Log, NoWayOut, WayOut};
pub use process::main;
