//! Logs: for people on a terminal, JSON elsewhere.

use std::io::IsTerminal;

use ::telemetry::PlainStderr;
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts logging to standard error.
///
/// # Errors
/// When `level` is no filter.
pub fn start(format: LogFormat, level: &str) -> anyhow::Result<()> {
    let filter =
        EnvFilter::builder().parse(level).map_err(|error| anyhow::anyhow!("LOG_LEVEL: {error}"))?;
    let pretty = match format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let colours =
        pretty && std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(PlainStderr { colours });
    if pretty {
        builder
            .fmt_fields(::telemetry::plain_fields())
            .with_ansi(colours)
            .with_target(false)
            .compact()
            .init();
    } else {
        builder.json().flatten_event(true).init();
    }
    ::telemetry::log_panics();
    Ok(())
}
