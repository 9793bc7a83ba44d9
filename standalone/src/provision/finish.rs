//! Work that every sandbox would otherwise do for itself, and throw away: byte code and fonts.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::bound::{self, Bound};
use super::{Making, Progress, ProvisionError, Recipe};

/// Makes matplotlib's list of fonts, and lets it find the list; says itself how.
pub(super) const FONTS: &str = include_str!("crucible_fonts.py");

/// Compiling some 20,000 files and looking at every font is silent and takes minutes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(900);

pub(super) fn finish(
    recipe: &Recipe,
    place: &Path,
    making: &mut Making<'_>,
) -> Result<(), ProvisionError> {
    let python = OsString::from(place.join("bin/python3"));
    let packages = site_packages(place)?;
    for (name, content) in [
        ("crucible_fonts.py", FONTS),
        // A .pth file rather than sitecustomize: Debian's and Ubuntu's own sitecustomize comes
        // first on sys.path and would hide ours.
        ("crucible_fonts.pth", "import crucible_fonts\n"),
    ] {
        let path = packages.join(name);
        fs::write(&path, content).map_err(|source| ProvisionError::file(&path, source))?;
    }

    (making.progress)(Progress::Doing("Compiling to byte code"));
    let compile = [
        python.clone(),
        "-I".into(),
        "-m".into(),
        "compileall".into(),
        "-qq".into(),
        packages.into(),
    ];
    // Packages ship a few files that are templates or tests of syntax errors: compileall reports
    // them by its exit status, and the rest is compiled all the same.
    let (launcher, patience) = (&recipe.launcher, PATIENCE);
    let (name, variables) = ("compileall", &[][..]);
    let compiling = Bound { name, launcher, command: &compile, variables, patience };
    match bound::run(compiling, making, &mut |_, _| {}) {
        Ok(()) | Err(ProvisionError::Failed { .. }) => {}
        Err(error) => return Err(error),
    }

    (making.progress)(Progress::Doing("Looking at the fonts"));
    let fonts = place.join("share/matplotlib");
    fs::create_dir_all(&fonts).map_err(|source| ProvisionError::file(&fonts, source))?;
    let look = [
        python,
        "-I".into(),
        "-c".into(),
        "import crucible_fonts; crucible_fonts.make_list()".into(),
    ];
    let variables = [("MPLCONFIGDIR", fonts.as_path()), ("MPLBACKEND", Path::new("agg"))];
    let (name, variables) = ("matplotlib", &variables[..]);
    let looking = Bound { name, launcher, command: &look, variables, patience };
    bound::run(looking, making, &mut |_, _| {})
}

/// `lib/python3.11/site-packages`, whatever the version.
fn site_packages(place: &Path) -> Result<PathBuf, ProvisionError> {
    let library = place.join("lib");
    let missing = |source| ProvisionError::file(&library, source);
    for entry in fs::read_dir(&library).map_err(missing)? {
        let packages = entry.map_err(missing)?.path().join("site-packages");
        if packages.is_dir() {
            return Ok(packages);
        }
    }
    Err(ProvisionError::file(
        &library.join("python3.*/site-packages"),
        std::io::ErrorKind::NotFound.into(),
    ))
}
