//! What file operations on a sandbox speak of.

mod condition;
mod error;
mod path;
mod status;
mod system;
mod tree;

use serde::{Deserialize, Serialize};

pub use condition::{Condition, Version, Versions};
pub use error::FileError;
pub use path::FilePath;
pub use status::{FileStatus, Moment};
pub use system::{FileSystem, MOST_OF_A_PIECE, NewFile, Placing, Reader, Writer, Written};
pub use tree::{Tree, TreeEntry};

/// The directory that a path is resolved in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Root {
    /// The user's workspace.
    Workspace,
    /// The request directory, for what the worker tells a kernel.
    Requests,
}

/// What may be done with a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileMode {
    /// It is read and written.
    Regular,
    /// It may be executed as well.
    Executable,
}

/// What is in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// By name.
    pub entries: Vec<FileEntry>,
    /// There are more, which were not asked for or for which there was no room.
    pub truncated: bool,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// As user code has chosen it: any bytes but `/` and NUL, 255 at most.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: FileKind,
    /// Bytes in a regular file; what the file system says of others.
    pub size: u64,
}

/// What a name in a directory stands for. A link is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A FIFO, a socket or a device.
    Special,
}
