//! Starting an execution: checked, placed, noted, and run in a task that does not depend on its caller.

use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::drive::Drive;
use super::log::Follower;
use super::record::Record;
use super::{Executions, deadline};
use crate::domain::execution::{Execution, ExecutionState};
use crate::domain::field_error::FieldError;
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::run::RunRequest;
use crate::domain::session::Session;
use crate::domain::timestamp::Timestamp;
use crate::services::Error;
use crate::workers::Placement;
use crate::workers::client::Call;

/// Whether the log of an execution is kept for a while after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Only if somebody else follows it meanwhile: whoever started it gets the end, or nothing.
    Nothing,
    /// For whoever comes back.
    Log,
}

/// An execution that goes on, whatever becomes of this.
pub struct Started {
    /// Which.
    pub id: ExecutionId,
    /// In which language, by its own name.
    pub language: LanguageName,
    /// Follows it from its first event on.
    pub follower: Follower,
    /// Cancelled, the caller wants it no more: a stateless run is ended, one in a session interrupted.
    pub unwanted: CancellationToken,
}

impl Executions {
    /// Starts code as the execution `id`, which is new. It runs on the runtime that this is called in, where
    /// the connection to the worker lives.
    ///
    /// # Errors
    /// When it cannot be started; what goes wrong later is the end of its log.
    pub async fn start(
        &self,
        user: &UserId,
        id: ExecutionId,
        run: RunRequest,
        request_id: &str,
        keep: Keep,
    ) -> Result<Started, Error> {
        if self.stopping.is_cancelled() {
            return Err(Error::GatewayStopping);
        }
        self.users.must_exist(user).await?;
        let wanted = self.wanted(user, &run, request_id).await?;
        let placement = match self.place(user, &run, &wanted, request_id).await {
            Ok(placement) => placement,
            Err(error @ Error::WorkerUnavailable(..)) => {
                // A session that is over is so without the worker's word.
                self.session_of(user, &run).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let language = placement.language.name.clone();
        if !run.compiler_flags.is_empty() && placement.language.compiler_flags.is_empty() {
            let told = format!("the language {language} takes none");
            return Err(Error::Refused(FieldError::new("compiler_flags", told)));
        }
        let run = RunRequest { language: Some(language.clone()), ..run };
        let begun = Execution {
            id: id.clone(),
            user: user.clone(),
            session: run.session.clone(),
            language: language.clone(),
            worker_instance: Some(placement.account.instance_id.clone()),
            created_at: Timestamp::now(),
            finished_at: None,
            state: ExecutionState::Running,
        };
        let record = Record::begin(&self.history, begun).await?;
        let deadline = deadline::of_run(&run, placement.language.compile, self.max_timeout);
        let call = Call { request_id: request_id.to_owned(), deadline };
        let unwanted = CancellationToken::new();
        let ends = (unwanted.clone(), self.stopping.clone());
        let ongoing = self.live.enter(&id, user, keep == Keep::Log, ends);
        let follower = Follower::new(ongoing.log.clone(), 0);
        let drive = Drive { service: self.clone(), user: user.clone(), placement, run, call };
        let task = drive.until_the_end(record, ongoing, unwanted.clone());
        tokio::spawn(task.in_current_span());
        Ok(Started { id, language, follower, unwanted })
    }

    /// The language that a run asks for, if by nothing but its context.
    async fn wanted(
        &self,
        user: &UserId,
        run: &RunRequest,
        request_id: &str,
    ) -> Result<LanguageName, Error> {
        match (&run.language, &run.session, &run.context) {
            (Some(language), ..) => Ok(language.clone()),
            (None, Some(session), Some(context)) => {
                self.sessions.language_of(user, session, context, request_id).await
            }
            (None, ..) => Err(Error::Fault("a run without a language and without a context")),
        }
    }

    /// On the worker of its session, or on any.
    async fn place(
        &self,
        user: &UserId,
        run: &RunRequest,
        language: &LanguageName,
        request_id: &str,
    ) -> Result<Placement, Error> {
        let placed = match (&run.session, self.workers.only()) {
            (None, _) => self.workers.place(language, request_id).await,
            // Where else: it need not be looked up, and that would cost a read of the database.
            (Some(_), Some(only)) => self.workers.place_on(only, language, request_id).await,
            (Some(id), None) => {
                let session = self.sessions.usable(user, id).await?;
                let home = self.sessions.home(&session)?;
                self.workers.place_on(home, language, request_id).await
            }
        };
        Ok(placed?)
    }

    /// The session that the run is meant for, if it can still be. Asked only when something went
    /// wrong: the worker knows whose session is whose, and refuses a run in a foreign one itself.
    pub(super) async fn session_of(
        &self,
        user: &UserId,
        run: &RunRequest,
    ) -> Result<Option<Session>, Error> {
        match &run.session {
            Some(id) => self.sessions.usable(user, id).await.map(Some),
            None => Ok(None),
        }
    }
}
