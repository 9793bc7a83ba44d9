//! A step that failed, as one process tells it another.

use std::io;

use serde::{Deserialize, Serialize};

/// A step that failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// The step, in words.
    pub stage: String,
    /// The error number.
    pub errno: i32,
}

impl Failure {
    /// Of `error` at `stage`.
    pub fn at(stage: &str, error: &io::Error) -> Self {
        Self { stage: String::from(stage), errno: error.raw_os_error().unwrap_or(libc::EIO) }
    }

    /// As the standard error type.
    pub fn error(&self) -> io::Error {
        io::Error::from_raw_os_error(self.errno)
    }
}
