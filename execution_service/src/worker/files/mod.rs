//! Files of sessions.

mod download;
mod transfer;
mod upload;
mod watch;

pub use download::{Asked, AskedRange, Found};
pub use transfer::{OpenDownload, Transfer};
pub use watch::{Changes, Watch};

use std::sync::Arc;

use super::{Worker, WorkerError};
use crate::files::MOST_ENTRIES;
use crate::files::pack::PackError;
use crate::files::unpack::UnpackError;
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{Condition, FilePath, FileStatus, Placing, Tree};
use crate::session::Session;

impl Worker {
    /// What is below a directory of a session's workspace: see
    /// [`FileSystem::tree`](crate::sandbox::files::FileSystem::tree).
    ///
    /// # Errors
    /// No such session, or no such directory.
    pub async fn list_files(
        &self,
        session: (&str, &str),
        path: Option<&FilePath>,
        depth: u32,
        limit: usize,
    ) -> Result<Tree, WorkerError> {
        let session = self.session_of_files(session).await?;
        self.answer(&session, session.sandbox.tree(path, depth, limit.min(MOST_ENTRIES)).await)
    }

    /// Removes a file, a link or a directory.
    ///
    /// # Errors
    /// No such session, or [`WorkerError::File`].
    pub async fn remove_file(
        &self,
        session: (&str, &str),
        path: &FilePath,
        whole: bool,
        condition: &Condition,
    ) -> Result<(), WorkerError> {
        let session = self.session_of_files(session).await?;
        self.answer(&session, session.sandbox.remove(path, whole, condition).await)
    }

    /// Gives something another name.
    ///
    /// # Errors
    /// As [`Worker::remove_file`].
    pub async fn move_file(
        &self,
        session: (&str, &str),
        (from, to): (&FilePath, &FilePath),
        placing: Placing,
    ) -> Result<(), WorkerError> {
        let session = self.session_of_files(session).await?;
        self.answer(&session, session.sandbox.rename(from, to, placing).await)
    }

    /// Copies a regular file.
    ///
    /// # Errors
    /// As [`Worker::remove_file`].
    pub async fn copy_file(
        &self,
        session: (&str, &str),
        (from, to): (&FilePath, &FilePath),
        placing: Placing,
    ) -> Result<FileStatus, WorkerError> {
        let session = self.session_of_files(session).await?;
        let _place = session.files.of_transfer()?;
        self.answer(&session, session.sandbox.copy(from, to, placing).await)
    }

    /// Makes a directory; true if it was not there.
    ///
    /// # Errors
    /// As [`Worker::remove_file`].
    pub async fn make_directory(
        &self,
        session: (&str, &str),
        path: &FilePath,
        parents: bool,
    ) -> Result<bool, WorkerError> {
        let session = self.session_of_files(session).await?;
        self.answer(&session, session.sandbox.make_directory(path, parents, None).await)
    }

    /// The session, which is used now.
    async fn session_of_files(&self, session: (&str, &str)) -> Result<Arc<Session>, WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        session.deadline.touch();
        session.wake().await?;
        Ok(session)
    }
}

impl From<PackError> for Failed {
    fn from(error: PackError) -> Self {
        match error {
            PackError::TooMany => Self::Told(WorkerError::Archive(error.to_string())),
            PackError::Sandbox(error) => Self::Sandbox(error),
        }
    }
}

impl From<UnpackError> for Failed {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::Refused(text) => Self::Told(WorkerError::Archive(text)),
            UnpackError::File { entry, error } => {
                Self::Told(WorkerError::FileInArchive { entry, error })
            }
            UnpackError::Sandbox(error) => Self::Sandbox(error),
        }
    }
}

/// Why something was not done: for a reason that can be told as it is, or one that may be the session's end.
enum Failed {
    Told(WorkerError),
    Sandbox(SandboxError),
}

impl From<SandboxError> for Failed {
    fn from(error: SandboxError) -> Self {
        Self::Sandbox(error)
    }
}

impl From<WorkerError> for Failed {
    fn from(error: WorkerError) -> Self {
        Self::Told(error)
    }
}
