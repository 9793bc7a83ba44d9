//! Ends what users have running who were disabled or deleted, and then forgets the deleted.
//!
//! It is done again and again and not once: a request that was let in just before, here or by another
//! gateway that does not know yet, may begin something after the first look.

use std::time::Duration;

use super::Error;
use super::executions::Executions;
use super::sessions::Sessions;
use crate::domain::execution::ExecutionFilter;
use crate::domain::ids::UserId;
use crate::domain::page::PageRequest;
use crate::domain::timestamp::Timestamp;
use crate::storage::Database;

/// A deleted user is forgotten after this time: twice as long as another gateway may let the user in.
const FORGET_AFTER: Duration = Duration::from_secs(10);

/// How long whoever disables a user waits for the end of what the user has running: a worker may hang.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends sessions and runs that nobody may have any more.
#[derive(Clone)]
pub struct Offboarding {
    /// Who is disabled.
    pub database: Database,
    /// Cancels runs.
    pub executions: Executions,
    /// Ends sessions.
    pub sessions: Sessions,
}

impl Offboarding {
    /// Ends what `user`, who has just been disabled, has running. What cannot be ended now will be later.
    pub(super) async fn begin(&self, user: &UserId, request_id: &str) {
        // What has begun just now is in the database after this.
        let (newest, all) = (PageRequest { limit: 1, after: None }, ExecutionFilter::default());
        if let Err(error) = self.executions.list(user, &newest, &all).await {
            tracing::warn!(%error, "the runs of a disabled user end later");
        }
        let ending = self.end_everything(request_id);
        if tokio::time::timeout(PATIENCE, ending).await.is_err() {
            tracing::warn!(%user, "what a disabled user has running ends later");
        }
    }

    /// Ends what goes on, and forgets of whom nothing does.
    pub(super) async fn go_on(&self) {
        self.end_everything("offboarding").await;
        if let Err(error) = self.forget_the_deleted().await {
            tracing::error!(%error, "deleted users could not be forgotten");
        }
    }

    async fn end_everything(&self, request_id: &str) {
        if let Err(error) = self.end_runs(request_id).await {
            tracing::warn!(%error, "a run of a disabled user could not be ended");
        }
        if let Err(error) = self.end_sessions(request_id).await {
            tracing::warn!(%error, "a session of a disabled user could not be ended");
        }
    }

    async fn end_runs(&self, request_id: &str) -> Result<(), Error> {
        for (user, id) in self.database.executions_of_the_disabled().await? {
            match self.executions.cancel(&user, &id, request_id).await {
                // It has ended by itself.
                Ok(_) | Err(Error::ExecutionNotRunning | Error::ExecutionNotFound) => {}
                // That one knows in some seconds, too.
                Err(Error::ExecutionElsewhere) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn end_sessions(&self, request_id: &str) -> Result<(), Error> {
        for (user, id) in self.database.sessions_of_the_disabled().await? {
            match self.sessions.end(&user, &id, request_id).await {
                Ok(()) | Err(Error::SessionNotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn forget_the_deleted(&self) -> Result<(), Error> {
        let before = Timestamp::now().before(FORGET_AFTER);
        for user in self.database.users_deleted_before(before).await? {
            self.database.forget_deleted_user(&user).await?;
            tracing::info!(%user, "a deleted user is forgotten");
        }
        Ok(())
    }
}
