//! Logging, as all programs do it. Everything that a service logs, and that the launcher shows, may hold text of others: paths of
//! requests, messages of exceptions, names of files. On its way out all of it passes here, where
//! characters that a terminal would obey, that would begin a new line of the log, or that show text
//! in another order than it has, become the escapes that JSON has for them.

mod fields;
mod format;
mod plain;
mod start;
mod writer;

pub use fields::plain_fields;
pub use format::{LogFormat, log_level};
pub use plain::{plain, plain_lines};
pub use start::start;
pub use writer::PlainStderr;
