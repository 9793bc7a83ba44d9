//! What is remembered of executions, in few transactions.
//!
//! ```text
//! a run begins, ends ──▶ pending (memory; what is asked for is looked up here first)
//!                           └── writer ──▶ database, all that is pending in one transaction
//! ```
//! An execution is answered when the database has it; many that begin and end at once share a commit.

mod pending;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use self::pending::Pending;
use super::Error;
use crate::domain::execution::Execution;
use crate::domain::ids::{BootId, ExecutionId, UserId};
use crate::domain::page::{Page, PageRequest};
use crate::storage::{Change, Database, ExecutionRow};

/// Most changes that wait for the database. At some kilobytes each, and at most 200 of a long
/// output, this is what a database that hangs may cost in memory before runs are refused.
const MAX_PENDING: usize = 1024;
/// How long a request waits for a database that is behind.
const PATIENCE: Duration = Duration::from_secs(10);

/// Remembers executions. Cheap to clone.
#[derive(Clone)]
pub struct History {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    boot: BootId,
    pending: Mutex<Pending>,
    /// Something waits for the database.
    more: Notify,
    /// Somebody waits for something that waits for the database.
    hurry: Notify,
    /// The number of the last change that is in the database, as all before it are.
    written: watch::Sender<u64>,
}

/// The number of a change that was noted.
#[must_use = "it is in memory only"]
pub(super) struct Noted(u64);

impl History {
    /// That of the gateway `boot`.
    pub fn new(database: Database, boot: BootId) -> Self {
        Self {
            shared: Arc::new(Shared {
                database,
                boot,
                pending: Mutex::default(),
                more: Notify::new(),
                hurry: Notify::new(),
                written: watch::Sender::new(0),
            }),
        }
    }

    /// Which life of the gateway it is the history of.
    pub fn boot(&self) -> &BootId {
        &self.shared.boot
    }

    /// Waits until there is room for one execution more.
    ///
    /// # Errors
    /// When the database does not catch up.
    pub(super) async fn room(&self) -> Result<(), Error> {
        let number = {
            let pending = self.shared.pending();
            if pending.len() < MAX_PENDING {
                return Ok(());
            }
            pending.last_number()
        };
        self.written(number).await
    }

    /// Notes how far an execution got. Never waits, so that it can be done while being dropped.
    ///
    /// # Errors
    /// When the report is not JSON.
    pub(super) fn put(&self, execution: Execution) -> Result<Noted, Error> {
        let id = execution.id.clone();
        let row = ExecutionRow::of(execution, &self.shared.boot)?;
        Ok(self.note(id, Change::Put(Arc::new(row))))
    }

    /// Notes that an execution never was one.
    pub(super) fn take_back(&self, id: ExecutionId) -> Noted {
        self.note(id.clone(), Change::TakeBack(id))
    }

    fn note(&self, id: ExecutionId, change: Change) -> Noted {
        let mut pending = self.shared.pending();
        let number = pending.put(id, change);
        let is_half_full = pending.len() >= MAX_PENDING / 2;
        drop(pending);
        self.shared.more.notify_one();
        if is_half_full {
            self.shared.hurry.notify_one();
        }
        Noted(number)
    }

    /// Waits until what was noted outlives this process.
    ///
    /// # Errors
    /// When the database does not take it.
    pub(super) async fn kept(&self, Noted(number): Noted) -> Result<(), Error> {
        self.written(number).await
    }

    /// A user's execution with everything it did, in its latest state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, user: &UserId, id: &ExecutionId) -> Result<Option<Execution>, Error> {
        // In this order: what is no longer pending is in the database.
        let pending = self.shared.pending().get(id);
        let found = match pending {
            Some(Change::Put(row)) => Some(row.read()?),
            Some(Change::TakeBack(_)) => None,
            None => self.shared.database.execution_of(user, id).await?,
        };
        Ok(found.filter(|execution| execution.user == *user))
    }

    /// A user's executions without their reports, newest first; those that have just ended, too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        user: &UserId,
        page: &PageRequest<ExecutionId>,
    ) -> Result<Page<Execution, ExecutionId>, Error> {
        let last = self.shared.pending().last_number();
        self.written(last).await?;
        Ok(self.shared.database.executions_of(user, page).await?)
    }

    /// Waits until the change `number` and all before it are in the database.
    async fn written(&self, number: u64) -> Result<(), Error> {
        let mut written = self.shared.written.subscribe();
        if *written.borrow_and_update() >= number {
            return Ok(());
        }
        self.shared.hurry.notify_one();
        let reached = written.wait_for(|written| *written >= number);
        match tokio::time::timeout(PATIENCE, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::DatabaseBehind),
        }
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
