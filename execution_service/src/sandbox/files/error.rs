//! Why something could not be done with a file.

use serde::{Deserialize, Serialize};

/// Why something could not be done with a file: what user code has made of its workspace, or the limits of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum FileError {
    /// There is none.
    #[error("there is no such file or directory")]
    NotFound,
    /// What should lead to it is no directory.
    #[error("it is no directory, or leads through something that is none")]
    NotADirectory,
    /// It is a directory, and a file was asked for.
    #[error("it is a directory")]
    Directory,
    /// It is a FIFO, a socket or a device.
    #[error("it is neither a regular file nor a directory")]
    Special,
    /// There is something by that name already.
    #[error("it exists already")]
    Exists,
    /// A directory that has something in it.
    #[error("the directory is not empty")]
    NotEmpty,
    /// It is not as the caller takes it to be.
    #[error("it is not the version that was asked for")]
    Changed,
    /// A link on the way is absolute, leads out of the workspace, or leads round in a circle.
    #[error("a link on the way leads out of the workspace, or round in a circle")]
    OutOfWorkspace,
    /// User code has closed it to itself, or it would be moved into itself.
    #[error("the file system of the session refuses it")]
    Refused,
    /// The workspace is full, of bytes or of files.
    #[error("the workspace is full")]
    Full,
    /// More bytes than a file of this workspace may have.
    #[error("the file would be larger than the workspace")]
    TooLarge,
    /// The name is too long.
    #[error("the name is too long")]
    NameTooLong,
    /// As many transfers go on as may at once.
    #[error("too many transfers of files go on at once")]
    Busy,
    /// The kernel's number for anything else.
    #[error("the file system says {0}")]
    Other(i32),
}
