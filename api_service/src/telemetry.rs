//! Logs: one record of a request, readable alone, with the request's id in it.

use std::io::IsTerminal;

use ::telemetry::PlainStderr;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogFormat, Settings};

tokio::task_local! {
    /// The id of the request that is being answered, for the body of a problem: the trait that
    /// turns an error into an answer is not told which request it belongs to.
    static REQUEST_ID: String;
}

/// Runs `work` as part of the request `id`.
pub async fn within_request<T>(id: String, work: impl Future<Output = T>) -> T {
    REQUEST_ID.scope(id, work).await
}

/// The id of the request that is being answered; empty outside of one.
pub fn current_request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Libraries that tell of their threads at every start. The settings can still ask for them.
const QUIET: &str = "actix_server=warn";

/// Sends all log records to standard error, as the settings say.
///
/// # Errors
/// When something else receives them already.
pub fn start(settings: &Settings) -> Result<(), TryInitError> {
    let json = match settings.log_format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let filter = EnvFilter::new(format!("{QUIET},{}", settings.log_level));
    let registry = tracing_subscriber::registry().with(filter);
    let colours =
        !json && std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let writer = PlainStderr { colours };
    ::telemetry::log_panics();
    if json {
        let layer =
            fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(writer);
        registry.with(layer).try_init()
    } else {
        let layer = fmt::layer().fmt_fields(::telemetry::plain_fields());
        registry.with(layer.with_ansi(colours).with_writer(writer)).try_init()
    }
}
