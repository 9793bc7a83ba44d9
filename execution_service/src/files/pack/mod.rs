//! Makes a tar archive of a directory, a piece at a time, while it walks.

mod header;
#[cfg(test)]
mod tests;

use std::vec::IntoIter;

use super::{EVERY_LEVEL, MOST_ENTRIES};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{
    FileError, FileKind, FilePath, FileSystem, MOST_OF_A_PIECE, Reader, TreeEntry,
};

/// Two blocks of zeros are the end.
const END: usize = 2 * header::BLOCK;

/// An archive that is being made. What is neither a file, a directory nor a link is left out, and so is what user
/// code has closed to itself.
pub struct Packer<'a> {
    files: &'a (dyn FileSystem + Send + Sync),
    /// Of the directory that is packed, in bytes: names in the archive begin after it.
    above: usize,
    ahead: IntoIter<TreeEntry>,
    current: Option<Content<'a>>,
    /// What has not been given out.
    ready: Vec<u8>,
    ended: bool,
}

/// The file that is being read.
struct Content<'a> {
    reader: Box<dyn Reader + 'a>,
    /// What was said of it and has not come.
    left: u64,
    /// Zeros behind it.
    padding: usize,
}

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// There is more in the directory than an archive may hold.
    #[error(
        "there are more than {MOST_ENTRIES} files, or names too long to be packed; ask for a directory in it"
    )]
    TooMany,
    /// See [`SandboxError`].
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl<'a> Packer<'a> {
    /// Begins one of `directory`, or of the whole workspace.
    pub async fn begin(
        files: &'a (dyn FileSystem + Send + Sync),
        directory: Option<&FilePath>,
    ) -> Result<Self, PackError> {
        let tree = files.tree(directory, EVERY_LEVEL, MOST_ENTRIES).await?;
        if tree.truncated {
            return Err(PackError::TooMany);
        }
        let above = directory.map_or(0, |directory| directory.as_bytes().len() + 1);
        let (ahead, ready) = (tree.entries.into_iter(), Vec::new());
        Ok(Self { files, above, ahead, current: None, ready, ended: false })
    }

    /// The next of it, in pieces of not much more than [`MOST_OF_A_PIECE`]; nothing after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, SandboxError> {
        while self.ready.len() < MOST_OF_A_PIECE && !self.ended {
            if let Some(mut content) = self.current.take() {
                if content.go_on(&mut self.ready).await? {
                    self.current = Some(content);
                }
            } else if let Some(entry) = self.ahead.next() {
                self.current = self.begin_entry(&entry).await?;
            } else {
                self.ready.resize(self.ready.len() + END, 0);
                self.ended = true;
            }
        }
        Ok(Some(std::mem::take(&mut self.ready)).filter(|ready| !ready.is_empty()))
    }

    /// Puts the header of an entry down, and gives what follows it.
    async fn begin_entry(
        &mut self,
        entry: &TreeEntry,
    ) -> Result<Option<Content<'a>>, SandboxError> {
        let name = &entry.path.as_bytes()[self.above..];
        match entry.status.kind {
            FileKind::Special => Ok(None),
            FileKind::Directory | FileKind::Symlink => {
                self.ready.extend(header::of(name, &entry.status, entry.target.as_deref()));
                Ok(None)
            }
            FileKind::Regular => {
                let reader = match self.files.open(&entry.path).await {
                    Ok(reader) => reader,
                    // It has gone meanwhile, or is another thing now.
                    Err(SandboxError::File(
                        FileError::NotFound
                        | FileError::NotADirectory
                        | FileError::Directory
                        | FileError::Special
                        | FileError::OutOfWorkspace
                        | FileError::Refused,
                    )) => return Ok(None),
                    Err(error) => return Err(error),
                };
                let status = reader.status();
                self.ready.extend(header::of(name, &status, None));
                Ok(Some(Content::begin(reader, status.size).await?))
            }
        }
    }
}

impl<'a> Content<'a> {
    async fn begin(mut reader: Box<dyn Reader + 'a>, size: u64) -> Result<Self, SandboxError> {
        reader.begin(0, size).await?;
        let padding =
            usize::try_from(size.wrapping_neg() % header::BLOCK as u64).unwrap_or_default();
        Ok(Self { reader, left: size, padding })
    }

    /// Puts some more of it down; false after the last.
    async fn go_on(&mut self, ready: &mut Vec<u8>) -> Result<bool, SandboxError> {
        match self.reader.next().await {
            Ok(Some(piece)) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                ready.extend(piece);
                return Ok(true);
            }
            Ok(None) => {}
            // Cut off while it is read: as `tar` does, zeros stand for the rest.
            Err(SandboxError::File(FileError::Changed)) => {
                let zeros = usize::try_from(self.left).unwrap_or(MOST_OF_A_PIECE);
                let zeros = zeros.min(MOST_OF_A_PIECE);
                ready.resize(ready.len() + zeros, 0);
                self.left -= zeros as u64;
                if self.left > 0 {
                    return Ok(true);
                }
            }
            Err(error) => return Err(error),
        }
        ready.resize(ready.len() + self.padding, 0);
        Ok(false)
    }
}
