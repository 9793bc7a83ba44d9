//! What of the host the sandboxes may be shown, and can see.

use std::path::{Path, PathBuf};

use super::sandbox_user::SandboxUser;
use crate::language::toolchain::Unsuitable;

/// The host, as far as it decides what can be shared with the sandboxes.
#[derive(Clone, Debug)]
pub struct Sharing {
    /// Who will read it.
    pub user: SandboxUser,
    /// The operator's home, which the sandboxes must never see as a whole.
    pub home: Option<PathBuf>,
    /// Where a sandbox has directories of its own, so that nothing of the host's can be there.
    pub covered: Vec<PathBuf>,
}

impl Sharing {
    /// Where every sandbox has directories of its own.
    pub const COVERED: [&str; 6] =
        ["/tmp", "/var/tmp", "/dev/shm", "/home/user", "/run/crucible", "/opt/crucible/runtimes"];

    /// As the process environment says.
    pub fn from_env(user: SandboxUser) -> Self {
        Self {
            user,
            home: std::env::var_os("HOME").map(PathBuf::from),
            covered: Self::COVERED.map(PathBuf::from).to_vec(),
        }
    }

    /// Checks that what is at `path` can be seen in a sandbox, at the same path.
    ///
    /// # Errors
    /// [`Unsuitable::Covered`], [`Unsuitable::OutOfReach`], [`Unsuitable::Obscure`].
    pub fn check(&self, path: &Path) -> Result<(), Unsuitable> {
        self.uncovered(path)?;
        self.user.reach(path)
    }

    /// Checks that the directory `root` may be shown to the sandboxes with everything in it, and can
    /// be seen by them.
    ///
    /// # Errors
    /// Those of [`Self::check`], [`Unsuitable::Covering`], [`Unsuitable::TooWide`].
    pub(super) fn check_whole(&self, root: &Path) -> Result<(), Unsuitable> {
        self.uncovered(root)?;
        self.fit_to_share(root)?;
        self.user.reach(root)
    }

    /// Refuses what something of the sandbox's own lies over, there or where links lead to.
    pub(super) fn uncovered(&self, path: &Path) -> Result<(), Unsuitable> {
        let resolved = path.canonicalize().ok();
        for path in [Some(path), resolved.as_deref()].into_iter().flatten() {
            if let Some(by) = self.covered.iter().find(|covered| path.starts_with(covered)) {
                return Err(Unsuitable::Covered { path: path.to_owned(), by: by.clone() });
            }
        }
        Ok(())
    }

    /// Refuses a directory whose sharing would show a home or the whole machine, or hide what is the
    /// sandbox's own.
    pub(super) fn fit_to_share(&self, root: &Path) -> Result<(), Unsuitable> {
        if let Some(own) = self.covered.iter().find(|own| own.starts_with(root)) {
            return Err(Unsuitable::Covering { path: root.to_owned(), own: own.clone() });
        }
        let local = self.home.as_ref().map(|home| home.join(".local"));
        let homes = [self.home.as_deref(), local.as_deref(), Some(Path::new("/root"))];
        let too_wide = homes.into_iter().flatten().any(|home| home.starts_with(root))
            || root.parent().is_none_or(|parent| parent == Path::new("/home"))
            || ["/etc", "/home", "/opt", "/proc", "/sys", "/var"]
                .iter()
                .any(|broad| Path::new(broad).starts_with(root));
        if too_wide { Err(Unsuitable::TooWide(root.to_owned())) } else { Ok(()) }
    }
}
