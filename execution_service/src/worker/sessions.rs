//! Beginning sessions and ending them, and what can be done to one meanwhile.

use std::sync::Arc;
use std::time::Duration;

use super::{Worker, WorkerError};
use crate::execution::handle::Cause;
use crate::execution::kernel::KernelError;
use crate::execution::limits::RequestedLimits;
use crate::pool::{Acquired, Demand};
use crate::sandbox::backend::{Sandbox, SandboxError};
use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::spec::Usage;
use crate::sandbox::workspace::WorkspaceFile;
use crate::session::{NewSession, Session};

/// For an account of a session that somebody only looks at.
const PATIENCE: Duration = Duration::from_millis(200);

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
            self.offers(language)?;
        }
        let limits = self.range.grant(limits)?;
        if let Some(policy) = &new.network {
            self.network.check(policy)?;
        }
        let promise = self.sessions.promise(&new.id, &new.owner)?;
        let room = self.owners.promise(&new.owner, limits.sandbox)?;
        let pool = self.pools.current();
        let made = async {
            match new.language {
                Some(language) => {
                    let acquired = pool.acquire(language, Demand::Session, limits.sandbox).await?;
                    let Acquired { runner, cold: _, refill: _ } = acquired;
                    Ok((Arc::clone(&runner.sandbox), Some((language, runner))))
                }
                None => Ok((pool.make_empty(limits.sandbox).await?, None)),
            }
        };
        match made.await {
            Err(error) => Err(self.cause_of(error).await),
            Ok((sandbox, first)) => {
                write_files(sandbox.as_ref(), &new.files).await?;
                let way_out = match &new.network {
                    Some(policy) => self.network.open(sandbox.as_ref(), policy.clone()).await?,
                    None => None,
                };
                let place = (sandbox, Arc::clone(pool.toolchains()));
                Ok(promise.keep(Session::begin(new, limits, place, first, way_out, room)))
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

    /// Has everything in a session stand still until it is used again, or only until its owner says so.
    ///
    /// # Errors
    /// [`WorkerError::Busy`] while a run goes on; no such session.
    pub async fn pause_session(&self, id: &str, owner: &str) -> Result<Arc<Session>, WorkerError> {
        let session = self.sessions.get(id, owner)?;
        session.pause().await?;
        Ok(session)
    }

    /// Has everything in it go on. One that was not paused is as it was.
    ///
    /// # Errors
    /// No such session, or no room for it at once.
    pub async fn resume_session(&self, id: &str, owner: &str) -> Result<Arc<Session>, WorkerError> {
        let session = self.sessions.get(id, owner)?;
        session.resume().await?;
        Ok(session)
    }

    /// What a session has used so far and holds now; `None` while nobody can tell.
    pub async fn usage_of(&self, session: &Session) -> Option<Usage> {
        let usage = session.sandbox.usage(PATIENCE).await.ok()?;
        let memory_bytes = session.sandbox.footprint().await.memory_bytes;
        Some(Usage { memory_bytes, ..usage })
    }

    /// Ends a session; returns when nothing of it is left.
    ///
    /// # Errors
    /// [`crate::session::SessionError`].
    pub async fn end_session(&self, id: &str, owner: &str) -> Result<(), WorkerError> {
        let session = self.sessions.remove(id, owner)?;
        // As a task of its own it goes on if the caller goes away.
        let ending = async move { session.end(Cause::SessionDeleted).await };
        let _ = self.tasks.spawn("end session", ending).await;
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

/// Puts files into the workspace of a session that nobody has yet.
async fn write_files(sandbox: &dyn Sandbox, files: &[WorkspaceFile]) -> Result<(), WorkerError> {
    for WorkspaceFile { path, content } in files {
        let written = sandbox.write_file(Root::Workspace, path, content, FileMode::Regular).await;
        written.map_err(|error| match error {
            SandboxError::Write { path, source } => WorkerError::NotWritten(path, source),
            other => WorkerError::from(KernelError::from(other)),
        })?;
    }
    Ok(())
}
