//! Making a session.

use super::show::lives;
use super::{CHANGE_DEADLINE, Sessions, call};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::{NewSession, Session, SessionStage, SessionView};
use crate::domain::timestamp::Timestamp;
use crate::services::Error;
use crate::workers::Worker;
use crate::workers::client::Call;

impl Sessions {
    /// Makes a session.
    ///
    /// # Errors
    /// When the worker does not make it.
    pub async fn create(
        &self,
        user: &UserId,
        new: NewSession,
        request_id: &str,
    ) -> Result<SessionView, Error> {
        let (worker, account, language) = match &new.language {
            Some(language) => {
                let placement = self.workers.place(language, request_id).await?;
                (placement.worker, placement.account, Some(placement.language.name.clone()))
            }
            None => {
                let (worker, account) = self.workers.place_any(request_id).await?;
                (worker, account, None)
            }
        };
        let new = NewSession { language: language.clone(), ..new };
        let now = Timestamp::now();
        let session = Session {
            id: SessionId::generate(),
            user: user.clone(),
            language,
            created_at: now,
            expires_at: now.after(new.ttl),
            metadata: new.metadata.clone(),
            worker_instance: Some(account.instance_id.clone()),
            stage: SessionStage::Starting,
        };
        let call = call(request_id, CHANGE_DEADLINE);
        // A caller who leaves half-way must not leave a sandbox behind that nobody knows of.
        let making = self.clone().make(worker, session, new, call);
        self.background.finish(making).await.ok_or(Error::Fault("a session's maker ended"))?
    }

    async fn make(
        self,
        worker: Worker,
        mut session: Session,
        new: NewSession,
        call: Call,
    ) -> Result<SessionView, Error> {
        self.database.insert_session(&session, &self.boot).await?;
        let made = worker.client().create_session(&call, &session.id, &session.user, &new).await;
        match made {
            Ok(live) => {
                session.created_at = live.created_at;
                session.expires_at = live.expires_at;
                self.database.session_is_live(&session).await?;
                session.stage = SessionStage::Live;
                Ok(lives(session, live))
            }
            Err(error) => {
                let error = match &session.language {
                    Some(language) => Error::of_call(error, language),
                    None => Error::from(error),
                };
                if error.leaves_doubt() {
                    // It may live: whoever looks at it next will know.
                    self.database.session_is_live(&session).await?;
                } else {
                    self.database.delete_session_row(&session.id).await?;
                }
                Err(error)
            }
        }
    }
}
