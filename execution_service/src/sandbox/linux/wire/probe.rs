//! What a process is told that makes attempts against the walls.

use serde::{Deserialize, Serialize};

use crate::sandbox::spec::SandboxLimits;

/// Which attempts to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// Those against everything but the limits.
    Walls,
    /// To use more files, processes and bytes than the sandbox may.
    Resources,
    /// To use more processor time than the sandbox may.
    Processor,
    /// None, but to look at the process of that number, which must be confined as the one that looks.
    Neighbour(i32),
}

/// What the attempts are aimed at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Targets {
    /// The worker's number, where it can be seen.
    pub worker: i32,
    /// A port of the loopback interface on which the worker listens.
    pub port: u16,
    /// The name of an abstract socket on which the worker listens.
    pub abstract_socket: String,
    /// Directories of which nobody inside may change anything.
    pub read_only: Vec<String>,
    /// The directory in which files can be made.
    pub workspace: String,
    /// What the sandbox may use.
    pub limits: SandboxLimits,
}
