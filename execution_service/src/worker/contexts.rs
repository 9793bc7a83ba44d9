//! The contexts of sessions: made, interrupted, restarted, deleted.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::OwnedMutexGuard;
use tokio::time::sleep;

use super::{Worker, WorkerError};
use crate::execution::handle::Cause;
use crate::execution::kernel::KernelError;
use crate::execution::runner::Runner;
use crate::sandbox::backend::{Killed, ProcessTree, SandboxError};
use crate::sandbox::files::{FileError, FileKind, FilePath, FileStatus};
use crate::session::{Context, NewContext, Session};

/// Between two looks whether a run has begun that was not there to be ended before.
const ANOTHER: Duration = Duration::from_millis(20);

impl Worker {
    /// Makes one more context in a session. Its interpreter is started by its first run.
    ///
    /// # Errors
    /// No such session, language or directory, an id that is taken, or too many.
    pub async fn create_context(
        &self,
        session: (&str, &str),
        new: NewContext,
    ) -> Result<Arc<Context>, WorkerError> {
        self.offers(new.language)?;
        let session = self.sessions.get(session.0, session.1)?;
        session.deadline.touch();
        if let Some(directory) = &new.directory {
            match session.sandbox.status(&FilePath::from(directory)).await {
                Ok(FileStatus { kind: FileKind::Directory, .. }) => {}
                Ok(_) => return Err(WorkerError::NoDirectory(FileError::NotADirectory)),
                Err(SandboxError::File(error)) => return Err(WorkerError::NoDirectory(error)),
                found => self.answer(&session, found).map(drop)?,
            }
        }
        Ok(session.contexts.create(new, &session.sandbox)?)
    }

    /// Interrupts the run that goes on in a context of a session, or with an empty id in all. Whether there was one.
    ///
    /// # Errors
    /// No such session or context.
    pub fn interrupt_contexts(
        &self,
        session: (&str, &str),
        context: &str,
    ) -> Result<bool, WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        session.deadline.touch();
        let contexts = session.contexts.meant_by(context)?;
        // Each of them, and not only up to the first.
        let interrupted = contexts.iter().filter(|context| context.current.interrupt()).count();
        Ok(interrupted > 0)
    }

    /// Ends the run that goes on in a context of a session, and its interpreter, or with an empty id those of all; the next
    /// run starts another one. Files, commands and other contexts stay as they are.
    ///
    /// # Errors
    /// No such session or context.
    pub async fn restart_contexts(
        self: &Arc<Self>,
        session: (&str, &str),
        context: &str,
    ) -> Result<Arc<Session>, WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        session.deadline.touch();
        let contexts = session.contexts.meant_by(context)?;
        self.end_kernels(&session, contexts, Cause::ContextRestarted).await?;
        Ok(session)
    }

    /// Deletes a context of a session with its run and its interpreter. Runs that wait for it are refused.
    ///
    /// # Errors
    /// No such session or context.
    pub async fn delete_context(
        self: &Arc<Self>,
        session: (&str, &str),
        context: &str,
    ) -> Result<(), WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        session.deadline.touch();
        let context = session.contexts.remove(context)?;
        self.end_kernels(&session, vec![context], Cause::ContextDeleted).await
    }

    /// Ends the interpreters of `contexts`. Goes on if its caller goes away.
    async fn end_kernels(
        self: &Arc<Self>,
        session: &Arc<Session>,
        contexts: Vec<Arc<Context>>,
        cause: Cause,
    ) -> Result<(), WorkerError> {
        let (worker, session) = (Arc::clone(self), Arc::clone(session));
        let ending = async move {
            let each = contexts.iter().map(async |context| {
                let runner = end_run(context, cause).await;
                worker.end_kernel(&session, context, runner).await
            });
            try_join_all(each).await.map(drop)
        };
        let ended = self.tasks.spawn("end contexts", ending).await;
        ended.unwrap_or(Err(WorkerError::ShuttingDown))
    }

    /// Kills the interpreter of a context with all that it has started.
    async fn end_kernel(
        &self,
        session: &Arc<Session>,
        context: &Context,
        mut runner: OwnedMutexGuard<Runner>,
    ) -> Result<(), WorkerError> {
        let Some(kernel) = runner.kernel.take() else {
            return Ok(());
        };
        context.note_kernel(&runner);
        let root = kernel.process.id;
        let spared = session.others_than(root);
        let tree = ProcessTree { root, spared, since: session.begun, orphans: false };
        match session.sandbox.kill_tree(&tree).await {
            Ok(Killed::Tree) => Ok(()),
            Ok(Killed::Everything) => {
                tracing::info!(session_id = session.id, "all processes of a session were killed");
                Ok(())
            }
            Err(error) => {
                // What it has started may go on, in the name of a context that is told to be new.
                tracing::error!(session_id = session.id, %error, "ended: a context in it cannot be");
                self.lose(session);
                match error {
                    SandboxError::Gone => Err(self.end_of(session)),
                    error => Err(KernelError::from(error).into()),
                }
            }
        }
    }
}

/// Ends what runs in a context; gives its runner once nothing does.
async fn end_run(context: &Context, cause: Cause) -> OwnedMutexGuard<Runner> {
    let mut idle = pin!(Arc::clone(&context.runner).lock_owned());
    loop {
        context.current.end(cause);
        tokio::select! {
            runner = &mut idle => return runner,
            () = sleep(ANOTHER) => {}
        }
    }
}
