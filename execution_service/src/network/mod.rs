//! What a sandbox may reach outside of itself: names, patterns of names, policies of them, and the addresses
//! that no name may lead to. Pure data and pure functions: the worker parses by them, and the broker, which
//! connects for the sandboxes, decides by them.

mod address;
mod environment;
mod name;
mod operator;
mod pattern;
mod policy;
mod record;

pub use address::is_public;
pub use environment::proxy_variables;
pub use name::{Destination, Host};
pub use operator::{Operator, PrivateHost};
pub use pattern::Pattern;
pub use policy::{MOST_METHODS, MOST_PATTERNS, Method, Mode, Policy, Rule};
pub use record::{MOST_RECORDS, Record, Verdict};

/// Where programs in a sandbox find the broker: a port of their own loopback, unless a program of theirs has
/// taken it before.
pub const PROXY_PORT: u16 = 3128;

/// Ports that are meant where none is named: of https and of http.
pub const USUAL_PORTS: [u16; 2] = [443, 80];
