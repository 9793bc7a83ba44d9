//! Files and archives from a caller.

use tokio::io::AsyncRead;

use super::transfer::Transfer;
use crate::files::unpack::{self, UnpackError, Unpacked};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{Condition, FileError, FilePath, NewFile, Writer, Written};
use crate::worker::WorkerError;

impl Transfer {
    /// Begins a file, of `size` bytes if that is known. A condition that does not hold now is told now.
    ///
    /// # Errors
    /// [`WorkerError::File`], or the session's end.
    pub async fn create(
        &self,
        path: &FilePath,
        new: NewFile,
        condition: &Condition,
        size: Option<u64>,
    ) -> Result<Box<dyn Writer + '_>, WorkerError> {
        self.go_on(async {
            if size.is_some_and(|size| size > self.most()) {
                return Err(FileError::TooLarge.into());
            }
            let writer = self.session.sandbox.create(path, new).await?;
            condition.check(writer.replaces().as_ref())?;
            Ok::<_, SandboxError>(writer)
        })
        .await
    }

    /// Writes more of a file.
    ///
    /// # Errors
    /// As [`Transfer::create`].
    pub async fn write(
        &self,
        writer: &mut Box<dyn Writer + '_>,
        bytes: &[u8],
    ) -> Result<(), WorkerError> {
        self.go_on(writer.write(bytes)).await
    }

    /// Gives a file its name.
    ///
    /// # Errors
    /// As [`Transfer::create`].
    pub async fn commit(
        &self,
        writer: Box<dyn Writer + '_>,
        condition: &Condition,
    ) -> Result<Written, WorkerError> {
        self.go_on(writer.commit(condition)).await
    }

    /// Unpacks an archive.
    ///
    /// # Errors
    /// [`WorkerError::Archive`], [`WorkerError::FileInArchive`], or the session's end.
    pub async fn unpack(
        &self,
        path: Option<&FilePath>,
        archive: impl AsyncRead + Unpin + Send,
    ) -> Result<Unpacked, WorkerError> {
        let unpacking = unpack::unpack(&*self.session.sandbox, path, archive, self.most());
        self.go_on::<_, UnpackError>(unpacking).await
    }

    /// Most bytes that the workspace could hold.
    fn most(&self) -> u64 {
        self.session.limits.sandbox.disk_bytes
    }
}
