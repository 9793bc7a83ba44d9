//! Rich Python: private virtual environments for the sandboxes, each made once and kept.
//!
//! ```text
//! DATA_DIR/python/<fingerprint>/          one per interpreter and list of packages
//! ├── bin lib pyvenv.cfg                  the environment itself
//! ├── share/matplotlib/fontlist-*.json    built here, because a sandbox could not keep it
//! └── complete                            written last: without it the rest is thrown away
//! ```
//!
//! It is made in its final place rather than renamed into it: the scripts in `bin` and the file
//! names in byte code are absolute, and a service that runs already has the directory in its sandboxes.

mod bound;
mod disk;
mod error;
mod fingerprint;
mod finish;
mod installer;
mod packages;
mod progress;
mod sweep;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use execution_service::language::discovery::{COMPLETE, is_complete};
use execution_service::language::toolchain::Toolchain;

pub use bound::{BOUND, become_command};
pub use error::ProvisionError;
pub use packages::{Choice, Packages};
pub use progress::Progress;
pub use sweep::sweep;

/// What a virtual environment is made from.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The interpreter that it is for.
    pub python: Toolchain,
    /// What is in it.
    pub packages: Packages,
    /// The `crucible` executable, through which commands are run so that they end with us.
    pub launcher: PathBuf,
}

/// How one is being made.
pub struct Making<'a> {
    /// Is told of every step.
    pub progress: &'a mut dyn FnMut(Progress<'_>),
    /// Set from elsewhere, it ends the attempt soon.
    pub stop: &'a AtomicBool,
}

impl Recipe {
    /// Where the environment is, or would be, below `data_directory`.
    pub fn place(&self, data_directory: &Path) -> PathBuf {
        data_directory.join("python").join(fingerprint::of(self))
    }

    /// The environment, if an earlier start completed it.
    pub fn existing(&self, data_directory: &Path) -> Option<PathBuf> {
        let place = self.place(data_directory);
        is_complete(&place).then_some(place)
    }

    /// Makes its directory, for [`Recipe::fill`], and gives its path.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn announce(&self, data_directory: &Path) -> Result<PathBuf, ProvisionError> {
        let place = self.place(data_directory);
        fs::create_dir_all(&place).map_err(|source| ProvisionError::file(&place, source))?;
        Ok(place)
    }

    /// Makes the environment and gives its path. Takes from some seconds to some minutes, most of it network.
    ///
    /// The caller holds the lock on the data directory: two at once would build in one place.
    ///
    /// # Errors
    /// [`ProvisionError`], whose text is one line for the operator; nothing is left behind then.
    pub fn make(
        &self,
        data_directory: &Path,
        making: &mut Making<'_>,
    ) -> Result<PathBuf, ProvisionError> {
        let place = self.announce(data_directory)?;
        let made = self.fill(&place, making);
        if made.is_err() {
            // The error says why it failed; that the rubble could not be removed adds nothing, and
            // the next start tries to remove it again and says so if it cannot.
            let _ = fs::remove_dir(&place);
        }
        made.map(|()| place)
    }

    /// The same in the directory `place`, which stays whatever happens: sandboxes may have it. What an earlier attempt
    /// has left in it is thrown away.
    ///
    /// # Errors
    /// As of [`Recipe::make`].
    pub fn fill(&self, place: &Path, making: &mut Making<'_>) -> Result<(), ProvisionError> {
        let made = self.build(place, making);
        if made.is_err() {
            // As above.
            let _ = sweep::empty(place);
        }
        made
    }

    fn build(&self, place: &Path, making: &mut Making<'_>) -> Result<(), ProvisionError> {
        sweep::empty(place)?;
        disk::has_room(place, &self.packages)?;
        installer::create(self, place, making)?;
        installer::install(self, place, making)?;
        finish::finish(self, place, making)?;
        let complete = place.join(COMPLETE);
        fs::write(&complete, "").map_err(|source| ProvisionError::file(&complete, source))
    }
}

impl Making<'_> {
    fn is_to_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
