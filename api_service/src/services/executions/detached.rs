//! Executions that depend neither on a caller nor on the thread that serves one.

use std::time::Duration;

use super::Executions;
use tracing::Instrument;

use super::follow::Live;
use super::start::{Keep, Started};
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::run::RunRequest;
use crate::services::Error;
use crate::services::background::Background;

/// How often it is looked whether all have ended, when the gateway stops.
const LOOK: Duration = Duration::from_millis(20);

/// Starts what goes on without its caller: on the main runtime, by the connection to the worker that lives there. The
/// threads of the server end with the last connection.
#[derive(Clone)]
pub struct Detached {
    /// With workers that are connected from the main runtime.
    pub executions: Executions,
    /// The main runtime.
    pub background: Background,
}

impl Detached {
    /// Starts code as the execution `id`, and waits until the worker has taken it on.
    ///
    /// # Errors
    /// When it cannot be started, or is refused as a whole.
    pub async fn start(
        &self,
        user: &UserId,
        id: ExecutionId,
        run: RunRequest,
        request_id: &str,
    ) -> Result<Started, Error> {
        let (own, user, request_id) =
            (self.executions.clone(), user.clone(), request_id.to_owned());
        let starting = async move { own.start(&user, id, run, &request_id, Keep::Log).await };
        let started = self.background.finish(starting.in_current_span()).await;
        let started = started.ok_or(Error::Fault("the start of a run was cut off"))??;
        started.follower.accepted().await?;
        Ok(started)
    }
}

impl Live {
    /// Waits until nothing goes on any more.
    pub async fn drained(&self) {
        while !self.is_empty() {
            tokio::time::sleep(LOOK).await;
        }
    }
}
