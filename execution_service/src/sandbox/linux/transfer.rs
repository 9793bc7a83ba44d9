//! Files into a sandbox and out of it, a packet's worth at a time.

use std::io;

use super::channel::MAX_CHUNK;
use super::protocol::{InitReply, InitRequest, Piece};
use super::sandbox::{LinuxSandbox, PATIENT};
use crate::sandbox::backend::{Place, SandboxError};
use crate::sandbox::workspace::WorkspacePath;

impl LinuxSandbox {
    /// Writes a file, which may be executed or not.
    pub(super) async fn put(
        &self,
        place: Place,
        path: &WorkspacePath,
        content: &[u8],
        executable: bool,
    ) -> Result<(), SandboxError> {
        let mut chunks = content.chunks(MAX_CHUNK);
        let first = chunks.next().unwrap_or_default();
        self.put_piece(place, path, Piece::First { executable }, first).await?;
        for chunk in chunks {
            self.put_piece(place, path, Piece::Next, chunk).await?;
        }
        Ok(())
    }

    async fn put_piece(
        &self,
        place: Place,
        path: &WorkspacePath,
        piece: Piece,
        chunk: &[u8],
    ) -> Result<(), SandboxError> {
        let (path, chunk) = (String::from(path.as_str()), Vec::from(chunk));
        let request = InitRequest::Write { place, path: path.clone(), piece, chunk };
        match self.ask(request, PATIENT).await? {
            InitReply::Failed(failure) => {
                Err(SandboxError::Write { path, source: failure.error() })
            }
            InitReply::Done => Ok(()),
            InitReply::Started { .. }
            | InitReply::Content { .. }
            | InitReply::Usage(_)
            | InitReply::Sockets { .. } => Err(SandboxError::Gone),
        }
    }

    /// Reads a file of at most `limit` bytes; `None` if it is larger.
    pub(super) async fn get(
        &self,
        place: Place,
        path: &WorkspacePath,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        let failed = |source| SandboxError::Read { path: path.to_string(), source };
        let mut content = Vec::new();
        loop {
            let (path, offset) = (String::from(path.as_str()), content.len() as u64);
            let request = InitRequest::Read { place, path, offset };
            let (size, mut chunk) = match self.ask(request, PATIENT).await? {
                InitReply::Content { size, chunk } => (size, chunk),
                InitReply::Failed(failure) => return Err(failed(failure.error())),
                InitReply::Done
                | InitReply::Started { .. }
                | InitReply::Usage(_)
                | InitReply::Sockets { .. } => {
                    return Err(SandboxError::Gone);
                }
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
