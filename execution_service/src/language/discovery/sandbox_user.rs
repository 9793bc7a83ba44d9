//! The sandbox's user, and whether it can get to a file of the host.

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::language::toolchain::Unsuitable;

/// The host identity that the sandboxes will have: for a worker started as root an unprivileged
/// high id, which only the permissions for everybody let in; otherwise the worker's own user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SandboxUser {
    /// User id on the host.
    pub uid: u32,
    /// Group id on the host. Supplementary groups are left out on purpose: a sandbox has none.
    pub gid: u32,
}

const READ: u32 = 4;
const ENTER: u32 = 1;

impl SandboxUser {
    /// Checks that every directory on the way to `path` can be entered, and `path` itself read and
    /// executed or entered. Both the path as given and what it resolves to are walked, because a
    /// symbolic link can lead from a public directory into a private one.
    ///
    /// # Errors
    /// [`Unsuitable::OutOfReach`] with the first barrier, [`Unsuitable::Obscure`] when even this
    /// process cannot look there.
    pub fn reach(self, path: &Path) -> Result<(), Unsuitable> {
        self.walk(path)?;
        let resolved = path
            .canonicalize()
            .map_err(|source| Unsuitable::Obscure { path: path.to_owned(), source })?;
        if resolved == path { Ok(()) } else { self.walk(&resolved) }
    }

    fn walk(self, path: &Path) -> Result<(), Unsuitable> {
        let mut so_far = PathBuf::new();
        for component in path.components() {
            // `a/b/..` needs b to be enterable, which the loop has checked by then.
            so_far.push(component);
            if component == Component::CurDir {
                continue;
            }
            let last = so_far.as_os_str() == path.as_os_str();
            self.pass(path, &so_far, if last { READ | ENTER } else { ENTER })?;
        }
        Ok(())
    }

    fn pass(self, path: &Path, barrier: &Path, wanted: u32) -> Result<(), Unsuitable> {
        let metadata = barrier
            .metadata()
            .map_err(|source| Unsuitable::Obscure { path: barrier.to_owned(), source })?;
        let mode = metadata.mode();
        let granted = if metadata.uid() == self.uid {
            mode >> 6
        } else if metadata.gid() == self.gid {
            mode >> 3
        } else {
            mode
        };
        if granted & wanted == wanted {
            return Ok(());
        }
        let need = match (metadata.is_dir(), granted & ENTER) {
            (true, 0) => "enter",
            (false, 0) => "execute",
            (_, _) => "read",
        };
        Err(Unsuitable::OutOfReach {
            path: path.to_owned(),
            barrier: barrier.to_owned(),
            mode: mode & 0o7777,
            need,
        })
    }
}
