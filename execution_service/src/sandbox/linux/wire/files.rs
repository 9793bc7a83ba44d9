//! What the worker asks an init about files, and what it says.

use serde::{Deserialize, Serialize};

use super::Sequence;
use crate::sandbox::files::{
    Condition, FileError, FilePath, FileStatus, NewFile, Placing, Written,
};

/// What can be done with files of the workspace. Each is a bounded piece of work, or done in bounded pieces.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FilesRequest {
    /// Tell what is there; links are followed.
    Status { path: FilePath },
    /// Open a regular file. The request carries the end of a pipe that its content is to be written to.
    /// Whoever drops the other end wants no more of it.
    Open { path: FilePath },
    /// Write this part of the file that the request of that number has opened to its pipe, and close it.
    Send { opened: Sequence, offset: u64, length: u64 },
    /// Begin a file. The request carries the end of a pipe that its content comes from. Whoever drops the other
    /// end before it is committed wants nothing of it.
    Create { path: FilePath, new: NewFile },
    /// Give the file that the request of that number has begun its name, when it has this size.
    Commit { begun: Sequence, size: u64, condition: Condition },
    /// Copy a regular file.
    Copy { from: FilePath, to: FilePath, placing: Placing },
    /// Give something another name.
    Rename { from: FilePath, to: FilePath, placing: Placing },
    /// Make a directory.
    MakeDirectory { path: FilePath, parents: bool, mode: Option<u32> },
    /// Make a symbolic link.
    Link { path: FilePath, target: Vec<u8> },
    /// Remove something, a directory with what is in it if `whole`; some of it, if that is much.
    Remove { path: FilePath, whole: bool, condition: Condition },
}

/// What came of a [`FilesRequest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FilesReply {
    /// What is there, or was opened.
    Status(FileStatus),
    /// It was begun, and this is what has its name.
    Begun { replaces: Option<FileStatus> },
    /// It has its name.
    Written(Written),
    /// Done.
    Done,
    /// Done; there was one already, unless `made`.
    Made { made: bool },
    /// There is more to remove.
    More,
    /// Could not be done.
    Failed(FileError),
}

/// A directory to list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DirectoryFrom {
    /// Below the workspace; absent for the workspace itself.
    pub path: Option<FilePath>,
    /// Where to go on: nothing, or [`Listed::Part`]'s `next`.
    pub from: u64,
}

/// What came of one [`DirectoryFrom`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Listed {
    /// All that is left in it.
    Whole { entries: Vec<Found> },
    /// There was no room for more, which begins at `next`.
    Part { entries: Vec<Found>, next: u64 },
    /// It cannot be listed.
    Failed(FileError),
}

/// One name in a directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// Any bytes but `/` and NUL.
    pub name: Vec<u8>,
    /// Of a link, itself.
    pub status: FileStatus,
    /// Where a link leads.
    pub target: Option<Vec<u8>>,
}
