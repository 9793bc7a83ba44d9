//! Beginning sessions and ending them, and what can be done to one meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Worker, WorkerError};
use crate::execution::kernel::KernelError;
use crate::execution::limits::RequestedLimits;
use crate::language::Language;
use crate::pool::{Acquired, Demand};
use crate::sandbox::backend::SandboxError;
use crate::session::{Context, NewSession, Session};

impl Worker {
    /// Begins a session.
    ///
    /// # Errors
    /// Too many, no such language, limits out of range, or a fault of ours.
    pub async fn create_session(
        &self,
        new: NewSession,
        limits: RequestedLimits,
    ) -> Result<Arc<Session>, WorkerError> {
        self.accepts_work()?;
        if let Some(language) = new.language {
            self.toolchain(language)?;
        }
        let limits = self.range.grant(limits)?;
        let promise = self.sessions.promise(&new.id, &new.owner)?;
        let room = self.owners.promise(&new.owner, limits.sandbox)?;
        let made = async {
            match new.language {
                Some(language) => {
                    let acquired =
                        self.pool.acquire(language, Demand::Session, limits.sandbox).await?;
                    let Acquired { runner, cold: _, refill: _ } = acquired;
                    Ok((Arc::clone(&runner.sandbox), Some((language, runner))))
                }
                None => Ok((self.pool.make_empty(limits.sandbox).await?, None)),
            }
        };
        match made.await {
            Err(error) => Err(self.cause_of(error).await),
            Ok((sandbox, first)) => {
                Ok(promise.keep(Session::begin(new, limits, sandbox, first, room)))
            }
        }
    }

    /// Moves the deadline of a session: to `ttl` from now.
    ///
    /// # Errors
    /// [`crate::session::SessionError`].
    pub fn extend_session(
        &self,
        id: &str,
        owner: &str,
        ttl: Duration,
    ) -> Result<Arc<Session>, WorkerError> {
        let session = self.sessions.get(id, owner)?;
        session.deadline.move_to(ttl);
        session.deadline.touch();
        Ok(session)
    }

    /// Makes one more context in a session. Its interpreter is started by its first run.
    ///
    /// # Errors
    /// No such session, no such language, an id that is taken, or too many.
    pub fn create_context(
        &self,
        session: (&str, &str),
        id: &str,
        language: Language,
        env: BTreeMap<String, String>,
    ) -> Result<Arc<Context>, WorkerError> {
        self.toolchain(language)?;
        let session = self.sessions.get(session.0, session.1)?;
        Ok(session.contexts.create(id, language, env, &session.sandbox)?)
    }

    /// Ends a session; returns when nothing of it is left.
    ///
    /// # Errors
    /// [`crate::session::SessionError`].
    pub async fn end_session(&self, id: &str, owner: &str) -> Result<(), WorkerError> {
        let session = self.sessions.remove(id, owner)?;
        // As a task of its own it goes on if the caller goes away.
        let _ = self.tasks.spawn("end session", async move { session.end().await }).await;
        Ok(())
    }

    /// What the sandbox of `session` has answered to somebody who wants to know; if it is gone, the session
    /// is lost.
    pub(super) fn answer<T>(
        &self,
        session: &Arc<Session>,
        answer: Result<T, SandboxError>,
    ) -> Result<T, WorkerError> {
        answer.map_err(|error| match error {
            error if matches!(error, SandboxError::Gone) || session.sandbox.is_gone() => {
                self.lose(session);
                self.end_of(session)
            }
            SandboxError::Start { source, .. } => WorkerError::NotExecutable(source),
            SandboxError::File(error) => WorkerError::File(error),
            other => WorkerError::from(KernelError::from(other)),
        })
    }
}
