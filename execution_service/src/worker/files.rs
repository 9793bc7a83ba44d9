//! Files of sessions.

use super::{Worker, WorkerError};
use crate::sandbox::files::{Listing, Root};
use crate::sandbox::workspace::WorkspacePath;

/// Entries that are listed at once.
const MOST_ENTRIES: usize = 1000;

impl Worker {
    /// What is in a directory of a session's workspace; without a path, in the workspace itself.
    ///
    /// # Errors
    /// No such session, or no such directory.
    pub async fn list_files(
        &self,
        session: (&str, &str),
        path: Option<&WorkspacePath>,
    ) -> Result<Listing, WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        session.deadline.touch();
        session.end_pause().await?;
        let listing = session.sandbox.list_files(Root::Workspace, path, MOST_ENTRIES).await;
        self.answer(&session, listing)
    }
}
