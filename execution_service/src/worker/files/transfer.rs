//! Contents on their way to a caller or from one.

use std::sync::Arc;

use super::Failed;
use crate::files::pack::Packer;
use crate::files::{Busy, MOST_OF_AN_OWNER, Place};
use crate::sandbox::files::Reader;
use crate::session::Session;
use crate::worker::{Worker, WorkerError};

/// A transfer of a session, with its place among them. It ends with the session.
pub struct Transfer {
    pub(super) worker: Arc<Worker>,
    pub(super) session: Arc<Session>,
    _place: Place,
}

/// What is read of a transfer, piece by piece.
pub enum OpenDownload<'a> {
    /// A file.
    File(Box<dyn Reader + 'a>),
    /// An archive.
    Archive(Packer<'a>),
    /// Nothing.
    Empty,
}

impl Worker {
    /// Begins a transfer.
    ///
    /// # Errors
    /// No such session, or too many of them.
    pub async fn transfer(
        self: &Arc<Self>,
        session: (&str, &str),
    ) -> Result<Transfer, WorkerError> {
        let session = self.session_of_files(session).await?;
        let of_owner = self.sessions.of(&session.owner);
        if of_owner.iter().map(|session| session.files.transfers()).sum::<usize>()
            >= MOST_OF_AN_OWNER
        {
            return Err(Busy.into());
        }
        let place = session.files.of_transfer()?;
        Ok(Transfer { worker: Arc::clone(self), session, _place: place })
    }
}

impl Transfer {
    /// Does some of it, unless the session ends.
    pub(super) async fn go_on<T, E: Into<Failed>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, WorkerError> {
        let done = tokio::select! {
            biased;
            () = self.session.ended.cancelled() => return Err(self.worker.end_of(&self.session)),
            done = work => done,
        };
        self.session.deadline.touch();
        done.or_else(|error| match error.into() {
            Failed::Told(error) => Err(error),
            Failed::Sandbox(error) => self.worker.answer(&self.session, Err(error)),
        })
    }

    /// The next piece of what was opened; nothing after the last.
    ///
    /// # Errors
    /// The session's end, or a file that is not what it was.
    pub async fn next(&self, open: &mut OpenDownload<'_>) -> Result<Option<Vec<u8>>, WorkerError> {
        match open {
            OpenDownload::File(reader) => self.go_on(reader.next()).await,
            OpenDownload::Archive(packer) => self.go_on(packer.next()).await,
            OpenDownload::Empty => Ok(None),
        }
    }

    /// Fires when the session ends.
    pub async fn ended(&self) -> WorkerError {
        self.session.ended.cancelled().await;
        self.worker.end_of(&self.session)
    }
}
