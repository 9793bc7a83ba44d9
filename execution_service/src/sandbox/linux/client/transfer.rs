//! Contents of files on their way between the worker and init: by a pipe that the worker has made. It is worth
//! what the pipe of a program's output is: whatever init puts into it, it is bytes.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use async_trait::async_trait;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use rustix::pipe::fcntl_setpipe_size;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::timeout;

use super::sandbox::{LinuxSandbox, PATIENT};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{
    Condition, FileError, FilePath, FileStatus, MOST_OF_A_PIECE, NewFile, Reader, Writer, Written,
};
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::files::{FilesReply, FilesRequest};

/// Bytes that a pipe holds. Where the user of all pipes has had too many of that, it holds what the kernel gives.
const PIPE: usize = 256 << 10;

/// Both ends of a pipe, the reading one first.
fn pipe() -> Result<(OwnedFd, OwnedFd), SandboxError> {
    let made = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).map_err(io::Error::from);
    let (reader, writer) = made.map_err(|_| FileError::Busy)?;
    // It is slower otherwise, and no worse.
    let _ = fcntl_setpipe_size(&writer, PIPE);
    Ok((reader, writer))
}

/// A file that is read.
pub struct PipeReader<'a> {
    sandbox: &'a LinuxSandbox,
    opened: Sequence,
    pipe: Receiver,
    status: FileStatus,
    left: u64,
}

impl<'a> PipeReader<'a> {
    /// Of the file at `path`.
    pub async fn open(sandbox: &'a LinuxSandbox, path: &FilePath) -> Result<Self, SandboxError> {
        let (reader, writer) = pipe()?;
        let request = FilesRequest::Open { path: path.clone() };
        let (opened, reply) = sandbox.ask_of_files(vec![writer], request, PATIENT).await?;
        let FilesReply::Status(status) = reply else {
            return Err(SandboxError::Gone);
        };
        let pipe = Receiver::from_owned_fd(reader).map_err(|_| FileError::Busy)?;
        Ok(Self { sandbox, opened, pipe, status, left: 0 })
    }
}

#[async_trait]
impl Reader for PipeReader<'_> {
    fn status(&self) -> FileStatus {
        self.status
    }

    async fn begin(&mut self, offset: u64, length: u64) -> Result<(), SandboxError> {
        self.left = length;
        let request = FilesRequest::Send { opened: self.opened, offset, length };
        self.sandbox.ask_of_files(Vec::new(), request, PATIENT).await.map(drop)
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, SandboxError> {
        if self.left == 0 {
            return Ok(None);
        }
        let most = usize::try_from(self.left).unwrap_or(MOST_OF_A_PIECE).min(MOST_OF_A_PIECE);
        let mut piece = vec![0; most];
        let Ok(read) = timeout(PATIENT, self.pipe.read(&mut piece)).await else {
            return Err(self.sandbox.give_up().await);
        };
        let mut filled = read.unwrap_or_default();
        // What is there already: fewer and larger pieces are less work for everybody behind us.
        while filled > 0 && filled < most {
            match self.pipe.try_read(&mut piece[filled..]) {
                Ok(read) if read > 0 => filled += read,
                Ok(_) | Err(_) => break,
            }
        }
        piece.truncate(filled);
        if piece.is_empty() {
            // Cut off by user code, or init is gone.
            return Err(if self.sandbox.init.is_gone() {
                SandboxError::Gone
            } else {
                FileError::Changed.into()
            });
        }
        self.left -= piece.len() as u64;
        Ok(Some(piece))
    }
}

/// A file that is written.
pub struct PipeWriter<'a> {
    sandbox: &'a LinuxSandbox,
    begun: Sequence,
    pipe: Sender,
    replaces: Option<FileStatus>,
    written: u64,
}

impl<'a> PipeWriter<'a> {
    /// Of a file that is to be called `path`.
    pub async fn begin(
        sandbox: &'a LinuxSandbox,
        path: &FilePath,
        new: NewFile,
    ) -> Result<Self, SandboxError> {
        let (reader, writer) = pipe()?;
        let request = FilesRequest::Create { path: path.clone(), new };
        let (begun, reply) = sandbox.ask_of_files(vec![reader], request, PATIENT).await?;
        let FilesReply::Begun { replaces } = reply else {
            return Err(SandboxError::Gone);
        };
        let pipe = Sender::from_owned_fd(writer).map_err(|_| FileError::Busy)?;
        Ok(Self { sandbox, begun, pipe, replaces, written: 0 })
    }
}

#[async_trait]
impl Writer for PipeWriter<'_> {
    fn replaces(&self) -> Option<FileStatus> {
        self.replaces
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), SandboxError> {
        self.written += bytes.len() as u64;
        let mut left = bytes;
        while !left.is_empty() {
            match timeout(PATIENT, self.pipe.write(left)).await {
                Ok(Ok(written)) => left = &left[written..],
                // It went wrong in there; to ask for the end is to ask why.
                Ok(Err(_)) => {
                    let request = self.end(Condition::default());
                    self.sandbox.ask_of_files(Vec::new(), request, PATIENT).await?;
                    return Err(SandboxError::Gone);
                }
                Err(_) => return Err(self.sandbox.give_up().await),
            }
        }
        Ok(())
    }

    async fn commit(self: Box<Self>, condition: &Condition) -> Result<Written, SandboxError> {
        let request = self.end(condition.clone());
        let patience = PATIENT + patience_for(self.written);
        match self.sandbox.ask_of_files(Vec::new(), request, patience).await? {
            (_, FilesReply::Written(written)) => Ok(written),
            _ => Err(SandboxError::Gone),
        }
    }
}

impl PipeWriter<'_> {
    fn end(&self, condition: Condition) -> FilesRequest {
        FilesRequest::Commit { begun: self.begun, size: self.written, condition }
    }
}

/// How long init may take for so many bytes, beside what it may take for anything.
pub fn patience_for(bytes: u64) -> Duration {
    /// On a machine that has much else to do.
    const BYTES_A_SECOND: u64 = 10 << 20;
    Duration::from_secs(bytes / BYTES_A_SECOND)
}
