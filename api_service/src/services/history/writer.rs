//! Brings what is pending into the database.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::History;
use crate::domain::ids::ExecutionId;
use crate::storage::{self, Change, Database, ExecutionRow};

/// How long changes are gathered: most runs begin and end in this time, and are one row written once.
const GATHER: Duration = Duration::from_millis(200);
/// Between two tries of a database that fails.
const RETRY: Duration = Duration::from_secs(1);

impl History {
    /// Writes until `stop`. What is pending then is for [`History::write`].
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

    /// Writes what is pending.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write(&self) -> Result<(), storage::Error> {
        let batch = self.shared.pending().batch();
        let changes = batch.changes.iter().map(|(_, _, change)| change);
        write_changes(&self.shared.database, changes).await?;
        self.shared.pending().written(&batch);
        self.shared.written.send_replace(batch.last);
        Ok(())
    }
}

/// Writes the changes, in one transaction if it can be done.
async fn write_changes(
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
