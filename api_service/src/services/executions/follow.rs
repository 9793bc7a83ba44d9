//! The executions that go on here, those that have just ended, and those who follow them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::Executions;
use super::kept::{KEPT_FOR, Kept};
use super::log::{End, Follower, Log};
use crate::domain::execution::{Execution, ExecutionState};
use crate::domain::ids::{ExecutionId, UserId};
use crate::services::Error;

/// All executions that go on in this gateway, as many as workers take on, and the logs of some that have ended.
#[derive(Clone, Default)]
pub struct Live(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    entries: HashMap<ExecutionId, Entry>,
    kept: Kept,
}

struct Entry {
    user: UserId,
    log: Arc<Log>,
    begun: Arc<AtomicBool>,
    unwanted: CancellationToken,
    /// Somebody follows it who may come back.
    keeps_log: bool,
}

impl Live {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more; it goes on until what this gives is ended or dropped.
    pub(super) fn enter(
        &self,
        id: &ExecutionId,
        user: &UserId,
        keeps_log: bool,
        (unwanted, stopping): (CancellationToken, CancellationToken),
    ) -> Ongoing {
        let (log, begun) = (Log::new(), Arc::<AtomicBool>::default());
        let (user, log_of_it, begun_) = (user.clone(), log.clone(), begun.clone());
        let entry = Entry { user, log: log_of_it, begun: begun_, unwanted, keeps_log };
        self.book().entries.insert(id.clone(), entry);
        Ongoing { live: self.clone(), id: id.clone(), log, begun, stopping }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.book().entries.is_empty()
    }

    fn is_queued(&self, id: &ExecutionId) -> bool {
        let book = self.book();
        book.entries.get(id).is_some_and(|entry| !entry.begun.load(Ordering::Relaxed))
    }

    /// Tells a run that waits for its turn from one that has begun.
    pub(super) fn now(&self, mut execution: Execution) -> Execution {
        if execution.state == ExecutionState::Running && self.is_queued(&execution.id) {
            execution.state = ExecutionState::Queued;
        }
        execution
    }

    /// The log of a user's execution that goes on here, or has just ended; it is kept from now on.
    fn follow(&self, user: &UserId, id: &ExecutionId) -> Option<Arc<Log>> {
        let mut book = self.book();
        if let Some(entry) = book.entries.get_mut(id).filter(|entry| entry.user == *user) {
            entry.keeps_log = true;
            return Some(entry.log.clone());
        }
        book.kept.find(user, id, Instant::now())
    }

    /// A user's execution that goes on here: its log, and what ends it without an answer.
    pub(super) fn ongoing(
        &self,
        user: &UserId,
        id: &ExecutionId,
    ) -> Option<(Arc<Log>, CancellationToken)> {
        let book = self.book();
        let entry = book.entries.get(id).filter(|entry| entry.user == *user)?;
        Some((entry.log.clone(), entry.unwanted.clone()))
    }

    /// Lets go of kept logs when their time is up, also if nobody asks for one any more.
    fn expire_later(&self) {
        let live = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(KEPT_FOR).await;
            live.book().kept.expire(Instant::now());
        });
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
        // Both in one: whoever finds it neither going on nor kept finds its end in the history.
        let mut book = self.live.book();
        let entry = book.entries.remove(&self.id);
        self.log.close(end);
        if let Some(Entry { user, log, keeps_log: true, .. }) = entry {
            book.kept.keep(self.id.clone(), user, log, Instant::now());
            self.live.expire_later();
        }
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        if self.log.has_ended() {
            return;
        }
        self.live.book().entries.remove(&self.id);
        self.log.close(End::Failed(if self.stopping.is_cancelled() {
            Error::GatewayStopping
        } else {
            Error::Fault("an execution's task was cut off")
        }));
    }
}

impl Executions {
    /// What happens in a user's execution after event number `after`, also for a while after its end; 0 for all that
    /// is still there.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`]; [`Error::ExecutionNotRunning`] when it has ended and its log is gone;
    /// [`Error::ExecutionElsewhere`].
    pub async fn follow(
        &self,
        user: &UserId,
        id: &ExecutionId,
        after: u64,
    ) -> Result<Follower, Error> {
        if let Some(log) = self.live.follow(user, id) {
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
