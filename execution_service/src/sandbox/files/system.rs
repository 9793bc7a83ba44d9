//! The files of a workspace, as its sandbox gives them out.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Condition, FilePath, FileStatus, Moment, Tree};
use crate::sandbox::backend::SandboxError;

/// What can be done with the files of a workspace. All of it is done inside, as the sandbox's user, and below
/// the workspace: a link on the way is followed if it is relative and its target lies in there, too.
/// Names and contents are user code's. What fails for a reason that lies in the workspace is a
/// [`SandboxError::File`].
#[async_trait]
pub trait FileSystem {
    /// Lists what is below a directory, or below the workspace: `depth` levels of it, 1 is the directory
    /// alone, and at most `limit` entries, of which those are taken that lie nearest to the top. Links
    /// below it are not followed.
    async fn tree(
        &self,
        directory: Option<&FilePath>,
        depth: u32,
        limit: usize,
    ) -> Result<Tree, SandboxError>;

    /// What is there. A link that it is itself is followed, too.
    async fn status(&self, path: &FilePath) -> Result<FileStatus, SandboxError>;

    /// Opens a regular file to read it. A link that it is itself is followed, too.
    async fn open<'a>(&'a self, path: &FilePath) -> Result<Box<dyn Reader + 'a>, SandboxError>;

    /// Begins a file that is to be called `path`. Nothing is to be seen of it before it is committed, and nothing
    /// is left of it when it is dropped before that.
    async fn create<'a>(
        &'a self,
        path: &FilePath,
        new: NewFile,
    ) -> Result<Box<dyn Writer + 'a>, SandboxError>;

    /// Makes a directory, with those above it if `parents`: then it may be there already. True if it was made.
    async fn make_directory(
        &self,
        path: &FilePath,
        parents: bool,
        mode: Option<u32>,
    ) -> Result<bool, SandboxError>;

    /// Makes a symbolic link, in the place of what may have its name unless that is a directory.
    async fn link(&self, path: &FilePath, target: &[u8]) -> Result<(), SandboxError>;

    /// Removes a file, a link, or a directory: with all that is in it if `whole`.
    async fn remove(
        &self,
        path: &FilePath,
        whole: bool,
        condition: &Condition,
    ) -> Result<(), SandboxError>;

    /// Gives a file, a link or a directory another name, at once.
    async fn rename(
        &self,
        from: &FilePath,
        to: &FilePath,
        placing: Placing,
    ) -> Result<(), SandboxError>;

    /// Copies a regular file. It is to be seen when it is whole.
    async fn copy(
        &self,
        from: &FilePath,
        to: &FilePath,
        placing: Placing,
    ) -> Result<FileStatus, SandboxError>;
}

/// How something takes a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placing {
    /// In the place of what may have it, unless that is a directory or special.
    pub overwrite: bool,
    /// Making the directories on the way.
    pub parents: bool,
}

/// A file to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFile {
    /// Makes the directories on the way.
    pub parents: bool,
    /// What is written comes behind what is there.
    pub append: bool,
    /// Permission bits; those of what it replaces, or 0o644, when absent.
    pub mode: Option<u32>,
    /// When it is to have been modified; now, when absent.
    pub modified: Option<Moment>,
}

/// A regular file that is read.
#[async_trait]
pub trait Reader: Send + Sync {
    /// When it was opened.
    fn status(&self) -> FileStatus;

    /// Begins to read `length` bytes from `offset` on; to be called once.
    async fn begin(&mut self, offset: u64, length: u64) -> Result<(), SandboxError>;

    /// The next of them, in pieces of at most [`MOST_OF_A_PIECE`]; nothing after the last. Waits for as long as
    /// that takes, and fails when user code has cut the file off meanwhile.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, SandboxError>;
}

/// Most bytes that a [`Reader`] gives at once.
pub const MOST_OF_A_PIECE: usize = 256 << 10;

/// A file that is written.
#[async_trait]
pub trait Writer: Send + Sync {
    /// What had its name when it was begun, links followed.
    fn replaces(&self) -> Option<FileStatus>;

    /// Writes more. What goes wrong with the file is said by this or by [`Writer::commit`].
    async fn write(&mut self, bytes: &[u8]) -> Result<(), SandboxError>;

    /// Gives it its name, whole and at once, if the condition holds at that moment.
    async fn commit(self: Box<Self>, condition: &Condition) -> Result<Written, SandboxError>;
}

/// A file that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// As it is now.
    pub status: FileStatus,
    /// Nothing had its name before.
    pub created: bool,
}
