//! Why a candidate would not do, in words that an operator can act upon.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why a candidate was passed over.
#[derive(Debug, Error)]
pub enum Unsuitable {
    /// Services are not started in the directory that the operator has in mind.
    #[error("it is not an absolute path")]
    Relative,
    /// It could not be started.
    #[error("it cannot be started: {0}")]
    NotStarted(io::Error),
    /// It did not answer in time and was killed.
    #[error("it gave no answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    /// It ran and failed.
    #[error("it failed when asked what it is ({status}){}", said(.stderr))]
    Failed {
        /// `exit status: 127`
        status: String,
        /// The last line that it wrote to standard error; may be empty.
        stderr: String,
    },
    /// What it answered is not what such a program answers.
    #[error("it does not answer like {expected}")]
    Stranger {
        /// `CPython 3`, `Node.js`, …
        expected: &'static str,
    },
    /// It works, but what runs inside the sandboxes needs a newer one.
    #[error("it is version {version}, and {minimum} is the oldest that will do")]
    TooOld {
        /// Its version.
        version: String,
        /// The oldest version that is accepted.
        minimum: &'static str,
    },
    /// A part without which it cannot work is not installed.
    #[error("it is incomplete: {0}")]
    Incomplete(&'static str),
    /// The sandbox's user is kept out on the way to it.
    #[error(
        "{} lies behind {} (mode {mode:04o}), which the sandbox's user may not {}",
        .path.display(), .barrier.display(), .need
    )]
    OutOfReach {
        /// What had to be reached.
        path: PathBuf,
        /// The directory or file that is in the way.
        barrier: PathBuf,
        /// Permission bits of the barrier.
        mode: u32,
        /// What the sandbox's user would have to do with the barrier.
        need: &'static str,
    },
    /// The way to it could not be looked at.
    #[error("{} cannot be looked at: {source}", .path.display())]
    Obscure {
        /// Where looking failed.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The sandboxes would have to see it at a place where they have something of their own.
    #[error(
        "{} is below {}, where every sandbox has a directory of its own; it has to be elsewhere",
        .path.display(), .by.display()
    )]
    Covered {
        /// What would have to be seen.
        path: PathBuf,
        /// What covers it.
        by: PathBuf,
    },
    /// In the sandboxes it would lie over something of their own.
    #[error(
        "{} contains {}, where every sandbox has a directory of its own; it has to be elsewhere",
        .path.display(), .own.display()
    )]
    Covering {
        /// What would have to be seen.
        path: PathBuf,
        /// What it would cover.
        own: PathBuf,
    },
    /// Sharing it with the sandboxes would show them a home or the whole machine.
    #[error(
        "it is installed straight into {}, all of which the sandboxes would have to see",
        .0.display()
    )]
    TooWide(PathBuf),
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}
