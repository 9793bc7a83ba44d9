//! What the operator can choose of the log.

use tracing_subscriber::EnvFilter;

/// How log records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// For people, with colours on a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// As it is written in `LOG_FORMAT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pretty => "pretty",
            Self::Json => "json",
        }
    }
}

/// What `LOG_LEVEL` may be.
///
/// # Errors
/// For anything but a level, or directives of `tracing`.
pub fn log_level(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    // A lone word that is no level would be taken for the name of a module.
    let plausible = text.contains('=') || LEVELS.contains(&text.to_ascii_lowercase().as_str());
    if plausible && EnvFilter::try_new(text).is_ok() {
        return Ok(String::from(text));
    }
    Err(String::from(
        "must be error, warn, info, debug or trace, or directives such as info,tonic=debug",
    ))
}
