//! Why a worker cannot start here.

use std::io;

use crate::sandbox::isolation::Refusal;

/// Why a worker cannot start on this host.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A wall cannot be had here. The text names it and its remedy.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A step failed that fails nowhere.
    #[error(
        "{stage}: {source}\n  remedy: this is a fault of ours, or a host out of memory or descriptors"
    )]
    Failed {
        /// The step.
        stage: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The other process that takes part in the boot has said why.
    #[error("the other half of the worker could not start")]
    SaidElsewhere,
}
