//! Work that every sandbox would otherwise do for itself, and throw away: byte code and fonts.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ProvisionError, Recipe, bound};

/// Lets matplotlib find the font list that is made here; says itself how.
pub(super) const FONT_CACHE: &str = include_str!("crucible_font_cache.py");

/// Compiling some 3000 files and looking at every font is silent and takes half a minute on a slow
/// machine.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn finish(
    recipe: &Recipe<'_>,
    place: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(), ProvisionError> {
    let python = OsString::from(place.join("bin/python3"));
    let packages = site_packages(place)?;
    for (name, content) in [
        ("crucible_font_cache.py", FONT_CACHE),
        // A .pth file rather than sitecustomize: Debian's and Ubuntu's own sitecustomize comes
        // first on sys.path and would hide ours.
        ("crucible_font_cache.pth", "import crucible_font_cache\n"),
    ] {
        let path = packages.join(name);
        fs::write(&path, content).map_err(|source| ProvisionError::file(&path, source))?;
    }

    progress("Compiling to byte code");
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
    match bound::run("compileall", recipe.launcher, &compile, &[], PATIENCE, &mut |_| {}) {
        Ok(()) | Err(ProvisionError::Failed { .. }) => {}
        Err(error) => return Err(error),
    }

    progress("Looking at the fonts");
    let fonts = place.join("share/matplotlib");
    fs::create_dir_all(&fonts).map_err(|source| ProvisionError::file(&fonts, source))?;
    let look = [
        python,
        "-I".into(),
        "-c".into(),
        "import importlib.util as u\nif u.find_spec('matplotlib'): import matplotlib.font_manager"
            .into(),
    ];
    let variables = [("MPLCONFIGDIR", fonts.as_path()), ("MPLBACKEND", Path::new("agg"))];
    bound::run("matplotlib", recipe.launcher, &look, &variables, PATIENCE, &mut |_| {})
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
