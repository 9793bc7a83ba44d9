//! Ending a session.

use super::{CHANGE_DEADLINE, Sessions, call};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::{EndReason, SessionStage};
use crate::services::Error;
use crate::workers::client;

impl Sessions {
    /// Ends a user's session. One that had ended by itself is put away.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], also the second time.
    pub async fn end(&self, user: &UserId, id: &SessionId, request_id: &str) -> Result<(), Error> {
        let session = self.find(user, id).await?;
        let alive = match session.stage {
            SessionStage::Starting | SessionStage::Live => {
                let call = call(request_id, CHANGE_DEADLINE);
                match self.home(&session)?.client().end_session(&call, id, user).await {
                    Ok(()) => true,
                    Err(
                        client::Error::SessionNotFound
                        | client::Error::SessionExpired
                        | client::Error::SessionLost,
                    ) => false,
                    Err(error) => return Err(Error::from(error)),
                }
            }
            SessionStage::Ended(_) => false,
        };
        if !alive {
            self.database.put_away_session(id).await?;
        } else if !self.database.end_session(id, EndReason::Deleted).await? {
            // Two callers ended it at once: the other one did.
            return Err(Error::SessionNotFound);
        }
        Ok(())
    }
}
