//! Ending an execution early.

use std::time::Duration;

use super::Executions;
use crate::domain::execution::ExecutionState;
use crate::domain::ids::{ExecutionId, UserId};
use crate::services::Error;
use crate::workers::client::{self, Call};

/// How long the worker may take to stop a run.
const CANCEL_DEADLINE: Duration = Duration::from_secs(10);

impl Executions {
    /// Ends a user's run early. Whoever waits for it gets its answer, with what it had written.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`] or [`Error::ExecutionNotRunning`].
    pub async fn cancel(
        &self,
        user: &UserId,
        id: &ExecutionId,
        request_id: &str,
    ) -> Result<(), Error> {
        let execution = self.get(user, id).await?;
        match execution.state {
            ExecutionState::Queued | ExecutionState::Running => {}
            ExecutionState::Finished(_) | ExecutionState::Cancelled | ExecutionState::Unknown => {
                return Err(Error::ExecutionNotRunning);
            }
        }
        let call = Call { request_id: request_id.to_owned(), deadline: CANCEL_DEADLINE };
        match self.home(&execution)?.client().cancel(&call, id, user).await {
            Ok(()) => Ok(()),
            // It ended between our look and the call.
            Err(client::Error::ExecutionNotFound) => Err(Error::ExecutionNotRunning),
            Err(error) => Err(Error::from(error)),
        }
    }
}
