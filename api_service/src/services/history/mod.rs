//! What is remembered of executions, written behind the answers and not before them.
//!
//! ```text
//! a run begins, ends ──▶ journal (a file; outlives this process)
//!                   └──▶ pending (memory; what is asked for is looked up here first)
//!                           └── writer, every few milliseconds ──▶ database, many in one transaction
//! ```
//! An execution is answered when the journal has it. Without a journal it is answered when the
//! database has it; many that end at once still share a transaction.

mod pending;
mod replay;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use self::pending::Pending;
use super::Error;
use crate::domain::execution::{Execution, ExecutionFilter};
use crate::domain::ids::{BootId, ExecutionId, UserId};
use crate::domain::page::{Page, PageRequest};
use crate::storage::{self, Change, Database, ExecutionRow, Journal};

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
    book: Mutex<Book>,
    /// Something waits for the database.
    more: Notify,
    /// Somebody waits for something that waits for the database.
    hurry: Notify,
    /// The number of the last change that is in the database, as all before it are.
    written: watch::Sender<u64>,
}

/// Under one lock, so that the journal's order is that of the numbers.
struct Book {
    journal: Option<Journal>,
    /// Files of the journal that are removed after the next write.
    turned_over: Vec<PathBuf>,
    pending: Pending,
}

/// A change that was noted.
#[must_use = "it may be in memory only"]
pub(super) struct Noted {
    number: u64,
    in_journal: bool,
}

impl History {
    /// Brings into the database what killed gateways left in `folder`, and begins a journal there;
    /// without a folder there is none.
    ///
    /// # Errors
    /// When the database or the folder cannot be used.
    pub async fn open(
        database: Database,
        folder: Option<&Path>,
        boot: BootId,
    ) -> Result<Self, OpenError> {
        let journal = match folder {
            Some(folder) => {
                replay::replay(&database, folder).await?;
                Some(Journal::create(folder, &boot)?)
            }
            None => None,
        };
        let book = Book { journal, turned_over: Vec::new(), pending: Pending::default() };
        Ok(Self {
            shared: Arc::new(Shared {
                database,
                boot,
                book: Mutex::new(book),
                more: Notify::new(),
                hurry: Notify::new(),
                written: watch::Sender::new(0),
            }),
        })
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
            let book = self.shared.book();
            if book.pending.len() < MAX_PENDING {
                return Ok(());
            }
            book.pending.last_number()
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
        self.note(id, Change::Put(Arc::new(row)))
    }

    /// Notes that an execution never was one.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(super) fn take_back(&self, id: ExecutionId) -> Result<Noted, Error> {
        self.note(id.clone(), Change::TakeBack(id))
    }

    fn note(&self, id: ExecutionId, change: Change) -> Result<Noted, Error> {
        let line = change.to_line().map_err(|_| Error::Fault("an execution is not JSON"))?;
        let mut book = self.shared.book();
        let in_journal = match &mut book.journal {
            Some(journal) => match journal.append(&line) {
                Ok(()) => true,
                Err(error) => {
                    tracing::error!(%error, "the journal cannot be written; waiting for the database");
                    false
                }
            },
            None => false,
        };
        let number = book.pending.put(id, change);
        let is_half_full = book.pending.len() >= MAX_PENDING / 2;
        drop(book);
        self.shared.more.notify_one();
        if is_half_full {
            self.shared.hurry.notify_one();
        }
        Ok(Noted { number, in_journal })
    }

    /// Waits until what was noted outlives this process.
    ///
    /// # Errors
    /// When there is no journal and the database does not take it.
    pub(super) async fn kept(&self, noted: Noted) -> Result<(), Error> {
        if noted.in_journal { Ok(()) } else { self.written(noted.number).await }
    }

    /// A user's execution with everything it did, in its latest state.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, user: &UserId, id: &ExecutionId) -> Result<Option<Execution>, Error> {
        // In this order: what is no longer pending is in the database.
        let pending = self.shared.book().pending.get(id);
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
        filter: &ExecutionFilter,
    ) -> Result<Page<Execution, ExecutionId>, Error> {
        let last = self.shared.book().pending.last_number();
        self.written(last).await?;
        Ok(self.shared.database.executions_of(user, page, filter).await?)
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
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal's folder cannot be used.
    #[error("the journal's folder cannot be used")]
    Journal(#[from] io::Error),
    /// What was left behind cannot be written to the database.
    #[error(transparent)]
    Database(#[from] storage::Error),
}
