//! Runs, after they were accepted.

use std::time::Duration;

use super::Error;
use super::history::History;
use crate::domain::execution::{Execution, ExecutionState};
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::page::{Page, PageRequest};
use crate::workers::client::{self, Call};
use crate::workers::{Worker, Workers};

/// How long the worker may take to stop a run.
const CANCEL_DEADLINE: Duration = Duration::from_secs(10);

/// Shows runs and cancels them.
#[derive(Clone)]
pub struct Executions {
    /// Where they are remembered.
    pub history: History,
    /// Where they run.
    pub workers: Workers,
}

impl Executions {
    /// A user's runs without what they wrote, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        user: &UserId,
        page: &PageRequest<ExecutionId>,
    ) -> Result<Page<Execution, ExecutionId>, Error> {
        self.history.list(user, page).await
    }

    /// A user's run, with everything it did.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`].
    pub async fn get(&self, user: &UserId, id: &ExecutionId) -> Result<Execution, Error> {
        self.history.get(user, id).await?.ok_or(Error::ExecutionNotFound)
    }

    /// The worker that an execution was given to.
    pub(super) fn home(&self, execution: &Execution) -> Result<&Worker, Error> {
        let home = self.workers.home(execution.worker_instance.as_deref());
        home.ok_or(Error::Fault("no worker is configured"))
    }

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
            ExecutionState::Running => {}
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
