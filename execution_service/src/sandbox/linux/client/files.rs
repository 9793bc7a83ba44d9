//! Files into a sandbox and out of it, a packet's worth at a time.

use std::io;

use super::sandbox::{LinuxSandbox, PATIENT};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{self, FileMode, FilePath, Listing, Root};
use crate::sandbox::linux::wire::channel::MAX_CHUNK;
use crate::sandbox::linux::wire::init::{InitReply, InitRequest, Piece};
use crate::sandbox::workspace::WorkspacePath;

impl LinuxSandbox {
    /// Writes a file.
    pub async fn put(
        &self,
        root: Root,
        path: &WorkspacePath,
        content: &[u8],
        mode: FileMode,
    ) -> Result<(), SandboxError> {
        let mut chunks = content.chunks(MAX_CHUNK);
        let first = chunks.next().unwrap_or_default();
        self.put_piece(root, path, Piece::First(mode), first).await?;
        for chunk in chunks {
            self.put_piece(root, path, Piece::Next, chunk).await?;
        }
        Ok(())
    }

    async fn put_piece(
        &self,
        root: Root,
        path: &WorkspacePath,
        piece: Piece,
        chunk: &[u8],
    ) -> Result<(), SandboxError> {
        let (path, chunk) = (String::from(path.as_str()), Vec::from(chunk));
        let request = InitRequest::Write { root, path: path.clone(), piece, chunk };
        let reply = self.ask(request, PATIENT).await?;
        if let InitReply::Failed(failure) = reply {
            return Err(SandboxError::Write { path, source: failure.error() });
        }
        let InitReply::Done = reply else {
            return Err(SandboxError::Gone);
        };
        Ok(())
    }

    /// Reads a file of at most `limit` bytes; `None` if it is larger.
    pub async fn get(
        &self,
        root: Root,
        path: &WorkspacePath,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        let failed = |source| SandboxError::Read { path: path.to_string(), source };
        let mut content = Vec::new();
        loop {
            let offset = content.len() as u64;
            let request = InitRequest::Read { root, path: FilePath::from(path), offset };
            let reply = self.ask(request, PATIENT).await?;
            if let InitReply::Failed(failure) = reply {
                return Err(failed(failure.error()));
            }
            let InitReply::Content { size, mut chunk } = reply else {
                return Err(SandboxError::Gone);
            };
            let Ok(size) = usize::try_from(size).map(|size| size.max(content.len())) else {
                return Ok(None);
            };
            if size > limit {
                return Ok(None);
            }
            // Full pieces only: an init that user code has taken over could keep us here with short ones.
            if chunk.len() != (size - content.len()).min(MAX_CHUNK) {
                return Err(failed(io::Error::from(io::ErrorKind::UnexpectedEof)));
            }
            content.append(&mut chunk);
            if content.len() == size {
                return Ok(Some(content));
            }
        }
    }

    /// Reads a packet's worth of a file of the workspace.
    pub async fn get_piece(
        &self,
        path: &FilePath,
        offset: u64,
    ) -> Result<files::Piece, SandboxError> {
        let request = InitRequest::Read { root: Root::Workspace, path: path.clone(), offset };
        match self.ask(request, PATIENT).await? {
            InitReply::Content { size, chunk } => Ok(files::Piece { size, data: chunk }),
            InitReply::Failed(failure) => {
                Err(SandboxError::Read { path: path.to_string(), source: failure.error() })
            }
            _ => Err(SandboxError::Gone),
        }
    }

    /// Lists a directory, of at most `limit` entries.
    pub async fn list(
        &self,
        root: Root,
        path: Option<&WorkspacePath>,
        limit: usize,
    ) -> Result<Listing, SandboxError> {
        let failed = |source| {
            let path = path.map_or_else(|| String::from("."), WorkspacePath::to_string);
            SandboxError::List { path, source }
        };
        let request = InitRequest::List {
            root,
            path: path.map(|path| String::from(path.as_str())),
            limit: u64::try_from(limit).unwrap_or(u64::MAX),
        };
        let reply = self.ask(request, PATIENT).await?;
        if let InitReply::Failed(failure) = reply {
            return Err(failed(failure.error()));
        }
        let InitReply::Listed { mut entries, truncated } = reply else {
            return Err(SandboxError::Gone);
        };
        let impossible = |name: &[u8]| name.is_empty() || name.contains(&b'/') || name.contains(&0);
        if entries.len() > limit || entries.iter().any(|entry| impossible(&entry.name)) {
            return Err(failed(io::Error::from(io::ErrorKind::InvalidData)));
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Listing { entries, truncated })
    }
}
