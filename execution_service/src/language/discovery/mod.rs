//! Which of the wanted languages this machine really has for the sandboxes.
//!
//! ```text
//! search         where to look: what the operator names, PATH, well-known places
//! └── examine    the language's own question, and what makes an answer suitable
//!     └── sharing    may the sandboxes see what was found?
//!         └── sandbox_user   may the sandbox's user read it?
//! awaited        the same for what is not there yet
//! ```

mod awaited;
mod missing;
mod sandbox_user;
mod search;
mod sharing;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use awaited::{Awaited, COMPLETE, is_complete};
pub use missing::{Missing, PassedOver};
pub use sandbox_user::SandboxUser;
pub use search::Search;
pub use sharing::Sharing;

use super::descriptor::Language;
use super::toolchain::{Candidate, Toolchain, Unsuitable};

/// A language that can be run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The language.
    pub language: Language,
    /// What runs it.
    pub toolchain: Toolchain,
}

/// The answer of [`discover`]: every wanted language is in exactly one of `found` and `missing`.
#[derive(Debug, Default)]
pub struct Discovery {
    /// In the order in which they were wanted.
    pub found: Vec<Found>,
    /// The rest of the wanted languages.
    pub missing: Vec<Missing>,
    /// For the log: whatever was looked at and left.
    pub passed_over: Vec<PassedOver>,
}

/// Finds a toolchain for each of the `wanted` languages, as the process environment suggests
/// (`PATH`, `HOME` and each language's own variable, such as `PYTHON_EXECUTABLE`).
///
/// `environment` is a virtual environment whose interpreter is taken, and no other, for the language
/// that has such. Blocks for as long as the candidates take to answer: some 300 ms in all, 10 s for each
/// one that hangs. No thread is started, so it can be called before a process forks or unshares.
pub fn discover(wanted: &[Language], environment: Option<&Path>, user: SandboxUser) -> Discovery {
    discover_in(&Search::from_env(wanted), &Sharing::from_env(user), wanted, environment)
}

/// [`discover`], told where to look and what may be shared.
pub fn discover_in(
    search: &Search,
    sharing: &Sharing,
    wanted: &[Language],
    environment: Option<&Path>,
) -> Discovery {
    let mut discovery = Discovery::default();
    for &language in wanted {
        let candidates = search.candidates(language, environment);
        let mut passed_over = Vec::new();
        let found = candidates.paths.into_iter().find_map(|path| {
            let candidate = Candidate { path: &path, named: candidates.named_by.is_some() };
            match examine(language, candidate, sharing) {
                Ok(toolchain) => Some(toolchain),
                Err(reason) => {
                    passed_over.push(PassedOver { language, candidate: path, reason });
                    None
                }
            }
        });
        match found {
            Some(toolchain) => discovery.found.push(Found { language, toolchain }),
            None => {
                let missing = Missing::account(language, candidates.named_by, &passed_over);
                discovery.missing.push(missing);
            }
        }
        discovery.passed_over.append(&mut passed_over);
    }
    discovery
}

fn examine(
    language: Language,
    candidate: Candidate<'_>,
    sharing: &Sharing,
) -> Result<Toolchain, Unsuitable> {
    if !candidate.path.is_absolute() {
        return Err(Unsuitable::Relative);
    }
    let toolchain = (language.descriptor().examine)(candidate)?;
    sharing.check(&toolchain.executable)?;
    toolchain.roots.iter().try_for_each(|root| sharing.check_whole(root))?;
    Ok(toolchain)
}
