//! What is below a directory.

use super::{FilePath, FileStatus};

/// What is below a directory, as far as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// By path.
    pub entries: Vec<TreeEntry>,
    /// There is more within the depth that was asked for: more entries than were asked for, more
    /// bytes of names than anybody should have to hold, or some whose path is too long to name. What was listed is what lies nearest to the top.
    pub truncated: bool,
}

/// One name below a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Below the workspace, not below the directory that was listed.
    pub path: FilePath,
    /// What is there. Of a link, itself.
    pub status: FileStatus,
    /// Where a link leads, as user code has written it.
    pub target: Option<Vec<u8>>,
}
