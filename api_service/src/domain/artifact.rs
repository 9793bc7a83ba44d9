//! Files of a workspace that an answer tells of.

use std::fmt;

use crate::domain::timestamp::Timestamp;

/// A path below the workspace, as it is on disk: any bytes but NUL. User code has chosen it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath(pub Vec<u8>);

impl fmt::Display for FilePath {
    /// As it is, where it is UTF-8; bytes that are not are percent-encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.utf8_chunks() {
            f.write_str(part.valid())?;
            part.invalid().iter().try_for_each(|byte| write!(f, "%{byte:02X}"))?;
        }
        Ok(())
    }
}

/// A file that the worker stores for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it is called.
    pub path: FilePath,
    /// In bytes.
    pub size: u64,
    /// Until when at most.
    pub until: Timestamp,
}

/// A file that was asked for and is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omitted {
    /// What it is called.
    pub path: FilePath,
    /// In bytes, as the file system says.
    pub size: u64,
    /// Why.
    pub reason: OmittedReason,
}

/// Why a file that was asked for is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OmittedReason {
    /// It is larger than one artifact may be.
    TooLarge,
    /// All of a run's together would be larger than they may be.
    TotalTooLarge,
    /// A run has so many at most.
    TooMany,
    /// It is a link, a FIFO, a socket or a device.
    NotRegular,
    /// It could not be read: it was changed or removed meanwhile, or may not be read.
    Unreadable,
    /// There was no time left to read it.
    TooSlow,
    /// The store is full, or there is none.
    NoRoom,
    /// A large result has that name already.
    NameTaken,
}

impl OmittedReason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::TooLarge,
        Self::TotalTooLarge,
        Self::TooMany,
        Self::NotRegular,
        Self::Unreadable,
        Self::TooSlow,
        Self::NoRoom,
        Self::NameTaken,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TotalTooLarge => "total_too_large",
            Self::TooMany => "too_many",
            Self::NotRegular => "not_regular",
            Self::Unreadable => "unreadable",
            Self::TooSlow => "too_slow",
            Self::NoRoom => "no_room",
            Self::NameTaken => "name_taken",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == text)
    }
}

/// What a run has collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// What is stored, by path.
    pub artifacts: Vec<Artifact>,
    /// What was asked for and is not stored.
    pub omitted: Vec<Omitted>,
    /// The workspace has more names than are looked at: there may be more that was asked for.
    pub truncated: bool,
}

/// What a run did to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// What it is called.
    pub path: FilePath,
    /// What was done.
    pub change: Change,
    /// In bytes, when the run had ended; absent when it was removed.
    pub size: Option<u64>,
}

/// What can be done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Created,
    /// It was there before, and is another one now or was written to.
    Modified,
    /// It is not there any more.
    Removed,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Created, Self::Modified, Self::Removed];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Removed => "removed",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == text)
    }
}

/// What a run in a session did to files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// By path.
    pub files: Vec<FileChange>,
    /// There were more, or the workspace has more names than are looked at.
    pub truncated: bool,
}

#[cfg(test)]
mod tests {
    use super::FilePath;

    #[test]
    fn a_name_that_is_no_text_is_percent_encoded_where_it_is_not() {
        let shown = |bytes: &[u8]| FilePath(bytes.to_vec()).to_string();
        assert_eq!(shown("ä b/c%20".as_bytes()), "ä b/c%20");
        assert_eq!(shown(b"a\xff\xe2b"), "a%FF%E2b");
    }
}
