//! A virtual environment that somebody still makes while the service runs already.

use std::path::{Path, PathBuf};

use super::{Found, Sharing, examine};
use crate::language::Toolchains;
use crate::language::toolchain::roots::outside_system;
use crate::language::toolchain::{Candidate, Unsuitable};

/// The file in a virtual environment that is made last: with it, everything else is there.
pub const COMPLETE: &str = "complete";

/// Whether the virtual environment at `place` is complete.
pub fn is_complete(place: &Path) -> bool {
    place.join(COMPLETE).is_file()
}

/// One that is announced before there is a sandbox: those that are made from then on have its directory, and
/// zygotes of its interpreter may be asked for.
#[derive(Clone, Debug)]
pub struct Awaited {
    place: PathBuf,
    /// What there will be, as far as that is known: not the packages.
    pub expected: Toolchains,
    sharing: Sharing,
}

impl Awaited {
    /// One at `place`, an empty or half-filled directory, for a service that has `now`. `None` where no language
    /// has such environments.
    ///
    /// # Errors
    /// A place that the sandboxes could not be shown.
    pub fn announce(
        place: &Path,
        now: &Toolchains,
        preload: Option<&[String]>,
        sharing: Sharing,
    ) -> Result<Option<Self>, Unsuitable> {
        let Some(expected) = now.with_environment(place, preload) else {
            return Ok(None);
        };
        if !place.is_absolute() {
            return Err(Unsuitable::Relative);
        }
        if !place.is_dir() {
            return Err(Unsuitable::Incomplete("its directory must be there before it is filled"));
        }
        sharing.uncovered(place)?;
        sharing.fit_to_share(place)?;
        Ok(Some(Self { place: place.to_owned(), expected, sharing }))
    }

    /// Directories that the sandboxes must have for it.
    pub fn roots(&self) -> Vec<PathBuf> {
        outside_system([self.place.clone()])
    }

    /// Whether it is there.
    pub fn is_complete(&self) -> bool {
        is_complete(&self.place)
    }

    /// What there is with it. Blocks for as long as its interpreter takes to answer.
    ///
    /// # Errors
    /// Why it would not do.
    pub fn examine(&self) -> Result<Toolchains, Unsuitable> {
        let languages = self.expected.found.iter().map(|found| found.language);
        for language in languages {
            let Some(kind) = language.descriptor().virtual_environment else { continue };
            let path = self.place.join(kind.executable);
            let toolchain =
                examine(language, Candidate { path: &path, named: true }, &self.sharing)?;
            if let Some(toolchains) = self.expected.with(Found { language, toolchain }) {
                return Ok(toolchains);
            }
        }
        Err(Unsuitable::Incomplete("its interpreter is elsewhere"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::discovery::{Discovery, SandboxUser};
    use crate::language::python::PYTHON;
    use crate::language::toolchain::Toolchain;

    fn now() -> Toolchains {
        let toolchain = Toolchain::bare(PathBuf::from("/usr/bin/python3"), String::from("3.11.2"));
        let found = vec![Found { language: PYTHON, toolchain }];
        Toolchains::new(&Discovery { found, ..Discovery::default() }, None)
    }

    #[test]
    fn only_a_directory_that_sandboxes_can_be_shown_is_awaited() {
        let there = tempfile::tempdir().expect("a directory");
        let announce = |place: &Path, covered: Vec<PathBuf>| {
            let user = SandboxUser { uid: 4_000_000, gid: 4_000_000 };
            let sharing = Sharing { user, home: Some(PathBuf::from("/home/ann")), covered };
            Awaited::announce(place, &now(), None, sharing)
        };
        let refused = |place: &Path, covered| announce(place, covered).err();
        let covering = vec![there.path().to_owned()];
        assert!(matches!(refused(Path::new("next"), vec![]), Some(Unsuitable::Relative)));
        let missing = there.path().join("missing");
        assert!(matches!(refused(&missing, vec![]), Some(Unsuitable::Incomplete(_))));
        assert!(matches!(refused(there.path(), covering), Some(Unsuitable::Covered { .. })));
        assert!(matches!(refused(Path::new("/home"), vec![]), Some(Unsuitable::TooWide(_))));

        let awaited =
            announce(there.path(), vec![]).expect("it may be shown").expect("Python has such");
        assert!(awaited.roots().contains(&there.path().to_owned()) && !awaited.is_complete());
        std::fs::write(there.path().join(COMPLETE), "").expect("written");
        assert!(awaited.is_complete());
        assert!(awaited.examine().is_err(), "there is no interpreter in it");
    }
}
