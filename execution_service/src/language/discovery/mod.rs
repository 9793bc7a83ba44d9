//! Which interpreters and compilers this machine really has for the sandboxes.
//!
//! ```text
//! surroundings   where to look: overrides, virtual environment, PATH, well-known places
//! └── question   ask a candidate what it is: clean environment, time-out, no terminal
//!     ├── python, node, bash, c     the question in each language, and what makes an answer suitable
//!     └── visitor                   can the sandbox's user reach what was found?
//! ```
//!
//! A candidate is believed only after it has answered for itself: the first `python3` on a PATH is
//! as often a version manager's shim as it is an interpreter.

mod sandbox_user;
mod search;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use crate::language::toolchain::unsuitable::Unsuitable;
pub use sandbox_user::Visitor;
pub use search::Surroundings;

use crate::language::Language;

/// An interpreter or compiler that the sandboxes can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// What it runs.
    pub language: Language,
    /// The real executable: shims and symbolic links are resolved. The Python of a virtual
    /// environment alone stays the link it is, because its path is what selects the environment.
    pub executable: PathBuf,
    /// As it says of itself: `3.11.2`, `20.19.0`, `5.2.15`, `12.2.0`.
    pub version: String,
    /// Directories outside of [`Surroundings::SYSTEM`] that must be in the sandbox, read-only and
    /// at the same path, or it cannot run. Sorted, none inside another.
    pub roots: Vec<PathBuf>,
    /// The virtual environment that `executable` belongs to (Python only).
    pub environment: Option<PathBuf>,
    /// Packages that can be imported, by name, with their versions (Python only).
    pub packages: BTreeMap<String, String>,
    /// What it can do beyond the ordinary: `rich_display` (Python with IPython),
    /// `typescript` (Node that strips types).
    pub features: Vec<String>,
}

/// A language that was wanted and has no suitable toolchain here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What cannot be run.
    pub language: Language,
    /// The operator has named the one that would not do.
    pub named: bool,
    /// What was looked at and why it would not do.
    pub reason: String,
    /// What the operator can do about it.
    pub remedy: String,
}

/// A candidate that would not do, although a later one may have.
#[derive(Debug)]
pub struct PassedOver {
    /// The language it was a candidate for.
    pub language: Language,
    /// Where it was found.
    pub candidate: PathBuf,
    /// Why it would not do.
    pub reason: Unsuitable,
}

/// The answer of [`discover`]: every wanted language is in exactly one of `found` and `missing`.
#[derive(Debug, Default)]
pub struct Discovery {
    /// One per language, in the order in which they were wanted.
    pub found: Vec<Toolchain>,
    /// The rest of the wanted languages.
    pub missing: Vec<Missing>,
    /// For the log: whatever was looked at and left.
    pub passed_over: Vec<PassedOver>,
}

/// Finds a toolchain for each of the `wanted` languages, as the process environment suggests
/// (`PATH`, `HOME` and `PYTHON_EXECUTABLE`, `NODE_EXECUTABLE`, `BASH_EXECUTABLE`, `GCC_EXECUTABLE`).
///
/// `python_environment` is a virtual environment whose Python is taken, and no other. Blocks for as long as the
/// candidates take to answer: some 300 ms in all, 10 s for each one that hangs. No thread is
/// started, so it can be called before a process forks or unshares.
pub fn discover(
    wanted: &[Language],
    python_environment: Option<&Path>,
    visitor: Visitor,
) -> Discovery {
    discover_in(&Surroundings::from_env(), wanted, python_environment, visitor)
}

/// [`discover`], told where to look.
pub fn discover_in(
    surroundings: &Surroundings,
    wanted: &[Language],
    python_environment: Option<&Path>,
    visitor: Visitor,
) -> Discovery {
    let mut discovery = Discovery::default();
    for &language in wanted {
        let environment = python_environment.filter(|_| language == Language::Python);
        let mut passed_over = Vec::new();
        let named = environment.is_some() || surroundings.overrides.contains_key(&language);
        let found =
            surroundings.candidates(language, environment).into_iter().find_map(|candidate| {
                match examine(language, &candidate, named, surroundings, visitor) {
                    Ok(toolchain) => Some(toolchain),
                    Err(reason) => {
                        passed_over.push(PassedOver { language, candidate, reason });
                        None
                    }
                }
            });
        match found {
            Some(toolchain) => discovery.found.push(toolchain),
            None => {
                let missing = surroundings.missing(language, environment, &passed_over);
                discovery.missing.push(missing);
            }
        }
        discovery.passed_over.append(&mut passed_over);
    }
    discovery
}

fn examine(
    language: Language,
    candidate: &Path,
    named: bool,
    surroundings: &Surroundings,
    visitor: Visitor,
) -> Result<Toolchain, Unsuitable> {
    if !candidate.is_absolute() {
        return Err(Unsuitable::Relative);
    }
    let toolchain = match language {
        Language::Python => super::python::discovery::examine(candidate, named),
        Language::Node => super::node::discovery::examine(candidate),
        Language::Bash => super::bash::discovery::examine(candidate),
        Language::C => super::c::discovery::examine(candidate),
    }?;
    surroundings.uncovered(&toolchain.executable)?;
    visitor.reach(&toolchain.executable)?;
    for root in &toolchain.roots {
        surroundings.uncovered(root)?;
        surroundings.fit_to_share(root)?;
        visitor.reach(root)?;
    }
    Ok(toolchain)
}
