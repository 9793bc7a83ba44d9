//! Executions: started, followed, cancelled, looked at, and what they wrote. An execution belongs to the
//! records and not to a connection: who follows it may leave, and it goes on.

mod artifact;
mod assembly;
mod cancel;
mod deadline;
mod detached;
mod drive;
mod follow;
mod in_words;
mod input;
mod kept;
mod log;
mod output;
mod record;
mod start;
mod stored;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use self::detached::Detached;
pub use self::follow::Live;
pub use self::log::{End, Followed, Follower};
pub use self::start::{Keep, Started};
pub use self::stored::{Output, OutputBytes};
use super::Error;
use super::history::History;
use super::sessions::Sessions;
use super::users::Users;
use crate::domain::execution::{Execution, ExecutionFilter, ExecutionState};
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::page::{Page, PageRequest};
use crate::workers::{Worker, Workers};

/// Runs code.
#[derive(Clone)]
pub struct Executions {
    /// Where executions are remembered.
    pub history: History,
    /// Who may run.
    pub users: Users,
    /// Where they run.
    pub workers: Workers,
    /// What they may run in.
    pub sessions: Sessions,
    /// The highest time limit of a run: how long one in a session may wait for the one before it.
    pub max_timeout: Duration,
    /// Those that go on.
    pub live: Live,
    /// Cancelled, the gateway stops: what still runs is ended, and its followers are told.
    pub stopping: CancellationToken,
}

impl Executions {
    /// A user's runs without what they wrote, newest first. Where only those that wait, or only those that have
    /// begun, are asked for, a page may be shorter than it could be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        user: &UserId,
        page: &PageRequest<ExecutionId>,
        filter: &ExecutionFilter,
    ) -> Result<Page<Execution, ExecutionId>, Error> {
        // Which of the two it is, is not in the records.
        let (queued, running) = (ExecutionState::Queued.name(), ExecutionState::Running.name());
        let recorded = filter.status.map(|status| if status == queued { running } else { status });
        let of_records = ExecutionFilter { status: recorded, ..filter.clone() };
        let Page { items, next } = self.history.list(user, page, &of_records).await?;
        let now = items.into_iter().map(|execution| self.live.now(execution));
        let fits = |one: &Execution| filter.status.is_none_or(|status| one.state.name() == status);
        let items = now.filter(fits).collect();
        Ok(Page { items, next })
    }

    /// A user's run, with everything it did.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`].
    pub async fn get(&self, user: &UserId, id: &ExecutionId) -> Result<Execution, Error> {
        let found = self.history.get(user, id).await?.ok_or(Error::ExecutionNotFound)?;
        Ok(self.live.now(found))
    }

    /// The worker that an execution was given to.
    pub(super) fn home(&self, execution: &Execution) -> Result<&Worker, Error> {
        let home = self.workers.home(execution.worker_instance.as_deref());
        home.ok_or(Error::Fault("no worker is configured"))
    }
}
