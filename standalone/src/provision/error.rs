//! Why rich Python could not be made.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

/// Why rich Python could not be made. None of these keeps the service from starting.
#[derive(Debug, Error)]
pub enum ProvisionError {
    /// A file or directory of the environment could not be made or removed.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A command could not be started.
    #[error("{command} cannot be started: {source}")]
    NotStarted {
        /// `pip`, `python -m venv`, …
        command: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A command failed; without network it is pip that does.
    #[error("{command} failed: {reason}")]
    Failed {
        /// `pip`, `python -m venv`, …
        command: &'static str,
        /// The line of its output that says why.
        reason: String,
    },
    /// A command said nothing for too long and was ended.
    #[error("{command} made no progress for {} s and was ended", .after.as_secs())]
    Stalled {
        /// `pip`, `python -m venv`, …
        command: &'static str,
        /// How long it was silent.
        after: Duration,
    },
    /// The disk has too little room.
    #[error(
        "{} has {} MB free, and {} MB are needed: free some, or choose PYTHON_PACKAGES=minimal",
        .place.display(), .free / 1_000_000, .needed / 1_000_000
    )]
    NoRoom {
        /// Where it was to be.
        place: PathBuf,
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// It was told to stop.
    #[error("it was stopped")]
    Stopped,
    /// Neither `ensurepip` nor a pip of 22.3 or newer is on this machine.
    #[error("there is no pip on this machine (apt-get install python3-venv python3-pip)")]
    NoPip,
}

impl ProvisionError {
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}
