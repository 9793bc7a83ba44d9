//! Logs: one record of a request, readable alone, with the request's id in it.

use tracing_subscriber::util::TryInitError;

use crate::config::Settings;

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
    ::telemetry::start(settings.log_format, QUIET, &settings.log_level)
}
