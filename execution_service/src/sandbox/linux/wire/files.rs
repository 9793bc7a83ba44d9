//! What the worker asks an init about files, and what it says.

use serde::{Deserialize, Serialize};

use crate::sandbox::files::{FilePath, FileStatus};

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
    Failed { errno: i32 },
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
