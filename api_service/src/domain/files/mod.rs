//! Files of a session's workspace.

mod entity_tag;
mod path;

pub use self::entity_tag::{Condition, EntityTags, TAGS_PATTERN, Versions};
pub use self::path::{Encoding, FilePath, MAX_PATH, PathText, decoded, encoded};

use super::timestamp::Timestamp;

/// Most levels of a listing.
pub const MAX_DEPTH: u32 = 64;
/// Most entries of a listing.
pub const MAX_ENTRIES: u32 = 10_000;
/// Entries of a listing when nobody says how many.
pub const DEFAULT_ENTRIES: u32 = 1000;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A FIFO, a socket or a device.
    Special,
}

/// What is known of a file beside its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// What it is.
    pub kind: FileKind,
    /// Bytes in a regular file.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// When its content was changed last, as programs have it.
    pub modified_at: Timestamp,
    /// Of a regular file: another one after every change.
    pub version: Option<String>,
}

/// One name in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Where.
    pub path: FilePath,
    /// What. Of a link, itself.
    pub info: FileInfo,
    /// Where a link leads.
    pub target: Option<Vec<u8>>,
}

/// What is below a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// By path.
    pub entries: Vec<FileEntry>,
    /// There is more.
    pub truncated: bool,
}

/// A change below a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// How.
    pub kind: ChangeKind,
    /// As it is, or was.
    pub entry: FileEntry,
}

/// How something has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there.
    Created,
    /// It is another file, or was changed.
    Modified,
    /// It is not there any more.
    Removed,
}

/// How something takes a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placing {
    /// In the place of what has it.
    pub overwrite: bool,
    /// Making the directories on the way.
    pub parents: bool,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Where.
    pub path: FilePath,
    /// Makes the directories on the way.
    pub parents: bool,
    /// Goes behind what is there.
    pub append: bool,
    /// What must be so when it takes its name.
    pub condition: Condition,
    /// Bytes, where that is known before.
    pub size: Option<u64>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// As it is now.
    pub info: FileInfo,
    /// Nothing had its name.
    pub created: bool,
}

/// What was unpacked of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked {
    /// Regular files.
    pub files: u64,
    /// Directories.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// Of all files.
    pub bytes: u64,
}

/// Why something could not be done with a file, for a reason that lies in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileProblem {
    /// There is none.
    NotFound,
    /// It is a directory.
    Directory,
    /// It is no directory, or what leads to it is none.
    NotADirectory,
    /// It is a FIFO, a socket or a device.
    Special,
    /// There is something by that name.
    Exists,
    /// The directory is not empty.
    NotEmpty,
    /// It is not the version that was asked for.
    Changed,
    /// The file system of the session refuses it.
    Refused,
    /// It would be more than the workspace may hold.
    TooLarge,
    /// The workspace is full.
    DiskFull,
    /// What should be an archive is none, or holds what may not be unpacked.
    Archive,
    /// As many transfers or watchers go on as may at once.
    Busy,
}
