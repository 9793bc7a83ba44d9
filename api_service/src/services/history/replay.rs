//! What killed gateways left behind.

use std::collections::HashMap;
use std::path::Path;

use super::OpenError;
use super::writer::write_changes;
use crate::storage::{Change, Database, left_behind};

/// Writes it to the database, and removes it.
pub(super) async fn replay(database: &Database, folder: &Path) -> Result<(), OpenError> {
    for file in left_behind(folder)? {
        // The last change of each counts.
        let mut last = HashMap::<String, Change>::new();
        for change in file.changes()? {
            last.insert(change.execution().to_owned(), change);
        }
        let executions = last.len();
        write_changes(database, last.values()).await?;
        let path = file.path().display().to_string();
        file.remove()?;
        tracing::info!(path, executions, "a killed gateway's journal is in the database");
    }
    Ok(())
}
