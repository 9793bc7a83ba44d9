//! Ending an execution early.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::Executions;
use super::log::{Follower, Log};
use crate::domain::execution::{Execution, ExecutionState, FinishedRun};
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::report::Status;
use crate::services::Error;
use crate::workers::client::{self, Call};

/// How long the worker may take to stop a run.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long the answer of a run that was stopped is waited for.
const ANSWER: Duration = Duration::from_secs(5);
/// A run that is on its way to the worker is not known there yet: when to ask again.
const RETRY: Duration = Duration::from_millis(20);

impl Executions {
    /// Ends a user's run early, and gives what there is of it then. Whoever waits for it gets its answer, with what
    /// it had written. A second time changes nothing.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`]; [`Error::ExecutionNotRunning`] when it has come to another end.
    pub async fn cancel(
        &self,
        user: &UserId,
        id: &ExecutionId,
        request_id: &str,
    ) -> Result<Execution, Error> {
        let ongoing = self.live.ongoing(user, id);
        let execution = self.get(user, id).await?;
        match execution.state {
            ExecutionState::Queued | ExecutionState::Running => {}
            ExecutionState::Cancelled
            | ExecutionState::Finished(FinishedRun { status: Status::Cancelled, .. }) => {
                return Ok(execution);
            }
            ExecutionState::Finished(_) | ExecutionState::Unknown => {
                return Err(Error::ExecutionNotRunning);
            }
        }
        let Some((log, unwanted)) = ongoing else {
            return self.cancel_elsewhere(user, execution, request_id).await;
        };
        if let Err(error) = self.cancel_here(user, &execution, &log, request_id).await {
            let Error::ExecutionNotRunning = error else { return Err(error) };
            // No worker knows it, and it does not end: it waits for one that does not answer.
            unwanted.cancel();
        }
        // Where it does not end by then, what there is says that it is running.
        let _ = timeout(ANSWER, Follower::new(log, 0).end()).await;
        self.get(user, id).await
    }

    /// Until the worker has been told, or the run has ended by itself.
    async fn cancel_here(
        &self,
        user: &UserId,
        execution: &Execution,
        log: &Arc<Log>,
        request_id: &str,
    ) -> Result<(), Error> {
        let call = Call { request_id: request_id.to_owned(), deadline: DEADLINE };
        let client = self.home(execution)?.client();
        let patience_ends = Instant::now() + DEADLINE;
        while !log.has_ended() {
            match client.cancel(&call, &execution.id, user).await {
                // It is on its way there, or has ended between our look and the call.
                Err(client::Error::ExecutionNotFound) if Instant::now() < patience_ends => {
                    sleep(RETRY).await;
                }
                Err(client::Error::ExecutionNotFound) => return Err(Error::ExecutionNotRunning),
                told => return Ok(told?),
            }
        }
        Ok(())
    }

    /// One that goes on in another gateway, which alone hears how it ends.
    async fn cancel_elsewhere(
        &self,
        user: &UserId,
        execution: Execution,
        request_id: &str,
    ) -> Result<Execution, Error> {
        let call = Call { request_id: request_id.to_owned(), deadline: DEADLINE };
        match self.home(&execution)?.client().cancel(&call, &execution.id, user).await {
            Ok(()) => self.get(user, &execution.id).await,
            Err(client::Error::ExecutionNotFound) => Err(Error::ExecutionNotRunning),
            Err(error) => Err(Error::from(error)),
        }
    }
}
