//! Files into a sandbox and out of it, a packet's worth at a time.

use std::io;

use super::sandbox::{LinuxSandbox, PATIENT};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{FileMode, Root};
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
            let (path, offset) = (String::from(path.as_str()), content.len() as u64);
            let request = InitRequest::Read { root, path, offset };
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
}
