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
