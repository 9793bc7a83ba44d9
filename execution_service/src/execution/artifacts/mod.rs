//! Files that a run leaves to be fetched: those of its workspace that were asked for, and large results.
//!
//! ```text
//! drive ──▶ LargeResults   while the program runs: values above a bound go to the store instead of the answer
//! run   ──▶ collect        when it has ended: lists the workspace, matches Patterns, reads out what matches
//!               └─▶ outputs    the store of whole output streams keeps them as it keeps those
//! ```
//! All names and contents are user code's. Only regular files are read, never through a link.

mod collect;
mod patterns;
mod results;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use crate::sandbox::files::FilePath;

pub use collect::{PATIENCE, collect};
pub use patterns::{Patterns, PatternsError};
pub use results::LargeResults;

/// A file that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// What it is called.
    pub path: FilePath,
    /// In bytes.
    pub size: u64,
    /// Until when, unless room is needed before.
    pub until: SystemTime,
}

/// A file that was asked for and is not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// What it is called.
    pub path: FilePath,
    /// In bytes, as the file system says.
    pub size: u64,
    /// Why.
    pub reason: Reason,
}

/// Why a file is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is larger than one artifact may be.
    TooLarge,
    /// All of a run's together would be larger than they may be.
    TotalTooLarge,
    /// A run has so many at most.
    TooMany,
    /// It is a link, a FIFO, a socket or a device.
    NotRegular,
    /// It was changed or removed while it was read, or may not be read.
    Unreadable,
    /// There was no time left to read it.
    TooSlow,
    /// The store is full, or there is none.
    NoRoom,
    /// A large result has that name already.
    NameTaken,
}

impl Reason {
    /// As in the contract.
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
}

/// What was collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// What is stored, by path.
    pub artifacts: Vec<Artifact>,
    /// What matched and is not stored, by path.
    pub omitted: Vec<Omitted>,
    /// There are more names than were looked at, or more that matched than are told.
    pub truncated: bool,
}
