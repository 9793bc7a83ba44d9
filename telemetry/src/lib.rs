//! Everything that a service logs, and that the launcher shows, may hold text of others: paths of
//! requests, messages of exceptions, names of files. On its way out all of it passes here, where
//! characters that a terminal would obey, that would begin a new line of the log, or that show text
//! in another order than it has, become the escapes that JSON has for them.

mod fields;
mod plain;
mod writer;

pub use fields::plain_fields;
pub use plain::{plain, plain_lines};
pub use writer::PlainStderr;

/// Logs panics instead of printing them: what a thread stumbled over may be text of others, too.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        // Empty unless RUST_BACKTRACE asks for one.
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(%panic, %backtrace, "a thread panicked");
    }));
}
