//! One interpreter or compiler of this machine: what is known of it, and how it is asked.
//!
//! A candidate is believed only after it has answered for itself: the first `python3` on a PATH is
//! as often a version manager's shim as it is an interpreter.

pub mod own_executable;
pub mod probe;
pub mod roots;
mod unsuitable;
pub mod version;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use unsuitable::Unsuitable;

/// A file that may be what a language needs.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Where it is; absolute.
    pub path: &'a Path,
    /// Whether the operator has named this very one.
    pub named: bool,
}

/// An interpreter or compiler that the sandboxes can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The real executable: shims and symbolic links are resolved. The Python of a virtual
    /// environment alone stays the link it is, because its path is what selects the environment.
    pub executable: PathBuf,
    /// As it says of itself: `3.11.2`, `20.19.0`, `5.2.15`, `12.2.0`.
    pub version: String,
    /// Directories outside of [`roots::SYSTEM`] that must be in the sandbox, read-only and
    /// at the same path, or it cannot run. Sorted, none inside another.
    pub roots: Vec<PathBuf>,
    /// The virtual environment that `executable` belongs to.
    pub environment: Option<PathBuf>,
    /// Packages that can be imported, by name, with their versions.
    pub packages: BTreeMap<String, String>,
    /// What it can do beyond the ordinary: `rich_display` (Python with IPython),
    /// `typescript` (Node that strips types).
    pub features: Vec<String>,
}

impl Toolchain {
    /// One that needs nothing but the installation that `executable` is in, with no packages.
    pub fn bare(executable: PathBuf, version: String) -> Self {
        Self {
            version,
            roots: roots::outside_system([roots::prefix(&executable)]),
            executable,
            environment: None,
            packages: BTreeMap::new(),
            features: Vec::new(),
        }
    }
}
