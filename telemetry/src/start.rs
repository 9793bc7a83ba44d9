//! Logging begins.

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, fmt};

use crate::{LogFormat, PlainStderr, plain_fields};

/// Sends all log records of `level` (see [`crate::log_level`]) to standard error, and panics with them.
/// `quiet` are directives for libraries that say more than anybody wants to know; `level` can ask for
/// them.
///
/// # Errors
/// When something else receives them already.
pub fn start(format: LogFormat, quiet: &str, level: &str) -> Result<(), TryInitError> {
    let terminal = std::io::stderr().is_terminal();
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let colours = !json && terminal && std::env::var_os("NO_COLOR").is_none();
    let filter = if quiet.is_empty() { String::from(level) } else { format!("{quiet},{level}") };
    let registry = tracing_subscriber::registry().with(EnvFilter::new(filter));
    let writer = PlainStderr { colours };
    if json {
        let layer = fmt::layer().json().flatten_event(true).with_span_list(false);
        registry.with(layer.with_writer(writer)).try_init()?;
    } else {
        let layer = fmt::layer().fmt_fields(plain_fields()).with_target(false).compact();
        registry.with(layer.with_ansi(colours).with_writer(writer)).try_init()?;
    }
    log_panics();
    Ok(())
}

/// Logs panics instead of printing them: what a thread stumbled over may be text of others, too.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        // Empty unless RUST_BACKTRACE asks for one.
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(%panic, %backtrace, "a thread panicked");
    }));
}
