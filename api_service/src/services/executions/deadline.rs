//! How long an execution may take in all.

use std::time::Duration;

use crate::domain::run::RunRequest;

/// How long a run may wait for its turn, beside its own time.
const QUEUE_ALLOWANCE: Duration = Duration::from_secs(30);
/// How long the gateway waits for the end of a run whose deadline the worker has let pass.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// For a run in a language that takes `compile` to compile, where a run may take `max_timeout`: so long one
/// in a session may wait for the one before it.
pub(super) fn of_run(run: &RunRequest, compile: Duration, max_timeout: Duration) -> Duration {
    let before = if run.session.is_some() { max_timeout } else { Duration::ZERO };
    run.limits.wall.unwrap_or(max_timeout) + compile + before + QUEUE_ALLOWANCE
}
