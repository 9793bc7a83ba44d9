//! The executions that go on here, and those who follow them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::Executions;
use super::log::{End, Follower, Log};
use crate::domain::execution::{Execution, ExecutionState};
use crate::domain::ids::{ExecutionId, UserId};
use crate::services::Error;

/// All executions that go on in this gateway: as many as workers take on.
#[derive(Clone, Default)]
pub struct Live(Arc<Mutex<HashMap<ExecutionId, Entry>>>);

struct Entry {
    user: UserId,
    log: Arc<Log>,
    begun: Arc<AtomicBool>,
}

impl Live {
    fn entries(&self) -> MutexGuard<'_, HashMap<ExecutionId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more; it goes on until what this gives is ended or dropped.
    pub(super) fn enter(
        &self,
        id: &ExecutionId,
        user: &UserId,
        stopping: CancellationToken,
    ) -> Ongoing {
        let (log, begun) = (Log::new(), Arc::<AtomicBool>::default());
        let entry = Entry { user: user.clone(), log: log.clone(), begun: begun.clone() };
        self.entries().insert(id.clone(), entry);
        Ongoing { live: self.clone(), id: id.clone(), log, begun, stopping }
    }

    fn is_queued(&self, id: &ExecutionId) -> bool {
        self.entries().get(id).is_some_and(|entry| !entry.begun.load(Ordering::Relaxed))
    }

    /// Tells a run that waits for its turn from one that has begun.
    pub(super) fn now(&self, mut execution: Execution) -> Execution {
        if execution.state == ExecutionState::Running && self.is_queued(&execution.id) {
            execution.state = ExecutionState::Queued;
        }
        execution
    }
}

/// An execution that goes on. Dropped without an end, its task was cut off: followers are told so.
pub(super) struct Ongoing {
    live: Live,
    id: ExecutionId,
    pub(super) log: Arc<Log>,
    begun: Arc<AtomicBool>,
    stopping: CancellationToken,
}

impl Ongoing {
    /// It waits no more.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    pub(super) fn end(self, end: End) {
        // Before the log is closed: whoever does not find it here finds its end in the history.
        self.live.entries().remove(&self.id);
        self.log.close(end);
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.live.entries().remove(&self.id);
        self.log.close(End::Failed(if self.stopping.is_cancelled() {
            Error::GatewayStopping
        } else {
            Error::Fault("an execution's task was cut off")
        }));
    }
}

impl Executions {
    /// What happens in a user's execution after event number `after`; 0 for all that is still there.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`]; [`Error::ExecutionNotRunning`] when it has ended;
    /// [`Error::ExecutionElsewhere`].
    pub async fn follow(
        &self,
        user: &UserId,
        id: &ExecutionId,
        after: u64,
    ) -> Result<Follower, Error> {
        let found = {
            let entries = self.live.entries();
            let entry = entries.get(id).filter(|entry| entry.user == *user);
            entry.map(|entry| entry.log.clone())
        };
        if let Some(log) = found {
            return Ok(Follower::new(log, after));
        }
        Err(match self.get(user, id).await?.state {
            ExecutionState::Queued | ExecutionState::Running => Error::ExecutionElsewhere,
            ExecutionState::Finished(_) | ExecutionState::Cancelled | ExecutionState::Unknown => {
                Error::ExecutionNotRunning
            }
        })
    }
}
