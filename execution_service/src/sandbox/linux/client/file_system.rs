//! The files of a workspace, by way of its init.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::sandbox::{LinuxSandbox, PATIENT};
use super::transfer::{PipeReader, PipeWriter, patience_for};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{
    Condition, FileError, FilePath, FileStatus, FileSystem, NewFile, Placing, Reader, Tree, Writer,
};
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::files::{FilesReply, FilesRequest};
use crate::sandbox::linux::wire::init::{InitReply, InitRequest};

/// How long the removal of one directory may take: user code can fill it as fast as it is emptied.
const REMOVAL: Duration = Duration::from_secs(60);

impl LinuxSandbox {
    /// Asks init about files. Gives the number of the question as well.
    pub(super) async fn ask_of_files(
        &self,
        fds: Vec<OwnedFd>,
        request: FilesRequest,
        patience: Duration,
    ) -> Result<(Sequence, FilesReply), SandboxError> {
        let reply = self.ask_with(fds, InitRequest::Files(request), patience).await?;
        match reply.said {
            InitReply::Files(FilesReply::Failed(error)) => Err(error.into()),
            InitReply::Files(said) => Ok((reply.sequence, said)),
            _ => Err(SandboxError::Gone),
        }
    }

    async fn ask_files(&self, request: FilesRequest) -> Result<FilesReply, SandboxError> {
        self.ask_of_files(Vec::new(), request, PATIENT).await.map(|(_, said)| said)
    }
}

#[async_trait]
impl FileSystem for LinuxSandbox {
    async fn tree(
        &self,
        directory: Option<&FilePath>,
        depth: u32,
        limit: usize,
    ) -> Result<Tree, SandboxError> {
        self.walk(directory, depth, limit).await
    }

    async fn status(&self, path: &FilePath) -> Result<FileStatus, SandboxError> {
        match self.ask_files(FilesRequest::Status { path: path.clone() }).await? {
            FilesReply::Status(status) => Ok(status),
            _ => Err(SandboxError::Gone),
        }
    }

    async fn open<'a>(&'a self, path: &FilePath) -> Result<Box<dyn Reader + 'a>, SandboxError> {
        Ok(Box::new(PipeReader::open(self, path).await?))
    }

    async fn create<'a>(
        &'a self,
        path: &FilePath,
        new: NewFile,
    ) -> Result<Box<dyn Writer + 'a>, SandboxError> {
        Ok(Box::new(PipeWriter::begin(self, path, new).await?))
    }

    async fn make_directory(
        &self,
        path: &FilePath,
        parents: bool,
        mode: Option<u32>,
    ) -> Result<bool, SandboxError> {
        let request = FilesRequest::MakeDirectory { path: path.clone(), parents, mode };
        match self.ask_files(request).await? {
            FilesReply::Made { made } => Ok(made),
            _ => Err(SandboxError::Gone),
        }
    }

    async fn link(&self, path: &FilePath, target: &[u8]) -> Result<(), SandboxError> {
        let request = FilesRequest::Link { path: path.clone(), target: Vec::from(target) };
        self.ask_files(request).await.map(drop)
    }

    async fn remove(
        &self,
        path: &FilePath,
        whole: bool,
        condition: &Condition,
    ) -> Result<(), SandboxError> {
        let begun = Instant::now();
        let mut condition = condition.clone();
        loop {
            let request = FilesRequest::Remove { path: path.clone(), whole, condition };
            match self.ask_files(request).await? {
                FilesReply::Done => return Ok(()),
                FilesReply::More if begun.elapsed() < REMOVAL => {}
                FilesReply::More => return Err(FileError::NotEmpty.into()),
                _ => return Err(SandboxError::Gone),
            }
            // It was as it had to be, and is not any more.
            condition = Condition::default();
        }
    }

    async fn rename(
        &self,
        from: &FilePath,
        to: &FilePath,
        placing: Placing,
    ) -> Result<(), SandboxError> {
        let request = FilesRequest::Rename { from: from.clone(), to: to.clone(), placing };
        self.ask_files(request).await.map(drop)
    }

    async fn copy(
        &self,
        from: &FilePath,
        to: &FilePath,
        placing: Placing,
    ) -> Result<FileStatus, SandboxError> {
        let patience = PATIENT + patience_for(self.limits.disk_bytes);
        let request = FilesRequest::Copy { from: from.clone(), to: to.clone(), placing };
        match self.ask_of_files(Vec::new(), request, patience).await? {
            (_, FilesReply::Written(written)) => Ok(written.status),
            _ => Err(SandboxError::Gone),
        }
    }
}
