//! Brings what is pending into the database.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Book, History};
use crate::domain::ids::ExecutionId;
use crate::storage::{self, Change, Database, ExecutionRow};

/// How long changes are gathered: most runs begin and end in this time, and are one row written once.
const GATHER: Duration = Duration::from_millis(200);
/// Between two tries of a database that fails.
const RETRY: Duration = Duration::from_secs(1);

impl History {
    /// Writes until `stop`. What is pending then is for [`History::close`].
    pub async fn write_behind(self, stop: CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                self.shared.more.notified().await;
                tokio::select! {
                    () = tokio::time::sleep(GATHER) => {}
                    () = self.shared.hurry.notified() => {}
                }
                while let Err(error) = self.write().await {
                    tracing::error!(%error, "executions cannot be written; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        })
        .await;
    }

    /// Writes what is pending, and ends the journal.
    ///
    /// # Errors
    /// When the database fails; the journal then stays for the next start.
    pub async fn close(&self) -> Result<(), storage::Error> {
        self.write().await?;
        let journal = {
            let mut book = self.shared.book();
            if book.pending.len() == 0 { book.journal.take() } else { None }
        };
        if let Some(Err(error)) = journal.map(storage::Journal::remove) {
            tracing::warn!(%error, "the journal cannot be removed; it is read again at the next start");
        }
        Ok(())
    }

    async fn write(&self) -> Result<(), storage::Error> {
        let batch = {
            let mut book = self.shared.book();
            book.turn_over();
            book.pending.batch()
        };
        let changes = batch.changes.iter().map(|(_, _, change)| change);
        write_changes(&self.shared.database, changes).await?;
        let done = {
            let mut book = self.shared.book();
            book.pending.written(&batch);
            std::mem::take(&mut book.turned_over)
        };
        self.shared.written.send_replace(batch.last);
        for path in done {
            // Read again at the next start, which changes nothing.
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(%error, path = %path.display(), "an old journal cannot be removed");
            }
        }
        Ok(())
    }
}

impl Book {
    /// To be done together with the batch: everything in the old file is in that or was written.
    fn turn_over(&mut self) {
        match self.journal.as_mut().map(storage::Journal::turn_over) {
            Some(Ok(Some(old))) => self.turned_over.push(old),
            Some(Err(error)) => tracing::warn!(%error, "the journal goes on in its long file"),
            Some(Ok(None)) | None => {}
        }
    }
}

/// Writes the changes, in one transaction if it can be done.
pub(super) async fn write_changes(
    database: &Database,
    changes: impl Iterator<Item = &Change>,
) -> Result<(), storage::Error> {
    let (mut rows, mut taken_back) = (Vec::<Arc<ExecutionRow>>::new(), Vec::<ExecutionId>::new());
    for change in changes {
        match change {
            Change::Put(row) => rows.push(row.clone()),
            Change::TakeBack(id) => taken_back.push(id.clone()),
        }
    }
    match database.write_executions(&rows, &taken_back).await {
        Err(storage::Error::NoSuchUser) => {}
        done => return done,
    }
    // A user was deleted meanwhile, and the executions with the user: the others are written alone.
    for row in &rows {
        match database.write_executions(std::slice::from_ref(row), &[]).await {
            Ok(()) | Err(storage::Error::NoSuchUser) => {}
            Err(error) => return Err(error),
        }
    }
    database.write_executions(&[], &taken_back).await
}
