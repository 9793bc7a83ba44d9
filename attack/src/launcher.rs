//! What the attack is told of the launcher that it starts a service with.

use std::path::PathBuf;

/// The launcher's executable, and how to use it.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The `crucible` executable.
    pub executable: PathBuf,
    /// Its subcommand that becomes another command and ends when its parent does.
    pub bound: &'static str,
    /// The Python environment that the operator's own data directory holds, if there is one: the
    /// service has the same sandboxes as the operator's then.
    pub python_environment: Option<PathBuf>,
}
