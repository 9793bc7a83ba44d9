//! What is said of settings that cannot be used.

use std::process::ExitCode;

use telemetry::plain_lines;
use thiserror::Error;

/// Everything that is wrong with the settings. Each names the variable or flag, and the remedy; none
/// quotes the value, which may be a secret or hold one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the settings cannot be used:\n  {}", .0.join("\n  "))]
pub struct Refused(pub Vec<String>);

impl Refused {
    /// `Ok` when there is nothing to complain of.
    ///
    /// # Errors
    /// When there is.
    pub fn unless_empty(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// Tells the operator, on standard error, and gives the status to end with: 1, as for everything
    /// else that keeps a program from starting.
    pub fn tell(&self, program: &str) -> ExitCode {
        eprintln!("{program}: {}", plain_lines(&self.to_string()));
        ExitCode::FAILURE
    }
}
