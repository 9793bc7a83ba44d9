//! Rich Python: a private virtual environment for the sandboxes, made once and kept.
//!
//! ```text
//! DATA_DIR/python/<fingerprint>/          one per interpreter and list of requirements
//! ├── bin lib pyvenv.cfg                  the environment itself
//! ├── share/matplotlib/fontlist-*.json    built here, because a sandbox could not keep it
//! └── complete                            written last: without it the rest is thrown away
//! ```
//!
//! It is made in its final place rather than renamed into it: the scripts in `bin` and the file
//! names in byte code are absolute.

mod bound;
mod error;
mod fingerprint;
mod finish;
mod installer;
mod sweep;

use std::fs;
use std::path::{Path, PathBuf};

use execution_service::language::toolchain::Toolchain;

pub use bound::{BOUND, become_command};
pub use error::ProvisionError;
pub use sweep::sweep;

/// The requirements that this build of Crucible was made with.
pub const REQUIREMENTS: &str = include_str!("../../requirements.txt");

const COMPLETE: &str = "complete";

/// What a virtual environment is made from.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// The interpreter that it is for.
    pub python: &'a Toolchain,
    /// In pip's format, every version pinned.
    pub requirements: &'a str,
    /// The `crucible` executable, through which commands are run so that they end with us.
    pub launcher: &'a Path,
}

impl Recipe<'_> {
    /// Where the environment is, or would be, below `data_directory`.
    pub fn place(&self, data_directory: &Path) -> PathBuf {
        data_directory.join("python").join(fingerprint::of(self))
    }

    /// The environment, if an earlier start completed it.
    pub fn existing(&self, data_directory: &Path) -> Option<PathBuf> {
        let place = self.place(data_directory);
        place.join(COMPLETE).is_file().then_some(place)
    }

    /// Makes the environment and gives its path. What an interrupted start left is thrown away.
    /// Calls `progress` with a line for every step. Takes a minute or so, most of it network.
    ///
    /// The caller holds the lock on the data directory: two at once would build in one place.
    ///
    /// # Errors
    /// [`ProvisionError`], whose text is one line for the operator; nothing is left behind then.
    pub fn make(
        &self,
        data_directory: &Path,
        progress: &mut dyn FnMut(&str),
    ) -> Result<PathBuf, ProvisionError> {
        let place = self.place(data_directory);
        let made = self.build(&place, progress);
        if made.is_err() {
            // The error says why it failed; that the rubble could not be removed adds nothing, and
            // the next start tries to remove it again and says so if it cannot.
            let _ = fs::remove_dir_all(&place);
        }
        made.map(|()| place)
    }

    fn build(&self, place: &Path, progress: &mut dyn FnMut(&str)) -> Result<(), ProvisionError> {
        if place.exists() {
            fs::remove_dir_all(place).map_err(|source| ProvisionError::file(place, source))?;
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(|source| ProvisionError::file(parent, source))?;
        }
        installer::create(self, place)?;
        installer::install(self, place, progress)?;
        finish::finish(self, place, progress)?;
        let complete = place.join(COMPLETE);
        fs::write(&complete, "").map_err(|source| ProvisionError::file(&complete, source))
    }
}
