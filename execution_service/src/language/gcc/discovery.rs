//! A driver of gcc's with everything that a program needs, down to the library's headers.

use std::path::{Path, PathBuf};

use crate::language::toolchain::probe::{ask, is_on_path};
use crate::language::toolchain::roots::{outside_system, prefix};
use crate::language::toolchain::{Candidate, Toolchain, Unsuitable};

/// What a driver needs for one language, how it is asked, and how an operator is told what is missing.
#[derive(Debug)]
pub struct Parts {
    /// As `-x` names it.
    pub language: &'static str,
    /// The question for the compiler proper.
    pub compiler: &'static str,
    /// What it is told without.
    pub without_compiler: &'static str,
    /// The question for a file of the library.
    pub library: &'static str,
    /// What it is told without.
    pub without_library: &'static str,
    /// A text that needs the headers. It is preprocessed to standard output, so that asking writes no file.
    pub probe: &'static str,
    /// What it is told without.
    pub without_headers: &'static str,
}

/// Asks a candidate for its parts.
pub fn examine(candidate: Candidate<'_>, parts: &Parts) -> Result<Toolchain, Unsuitable> {
    let executable = real(candidate.path)?;
    let version = ask(&executable, &["-dumpfullversion"], "")?.stdout;
    if !version.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(Unsuitable::Stranger { expected: "gcc" });
    }
    // gcc repeats the bare name of a part that it does not have.
    let compiler =
        part(&executable, parts.compiler)?.ok_or(Unsuitable::Incomplete(parts.without_compiler))?;
    for tool in ["-print-prog-name=as", "-print-prog-name=ld"] {
        // binutils are found on the PATH, where gcc itself leaves them as bare names.
        let name = ask(&executable, &[tool], "")?.stdout;
        if !is_on_path(Path::new(&name)) {
            return Err(Unsuitable::Incomplete("binutils (as, ld) are not installed"));
        }
    }
    let library =
        part(&executable, parts.library)?.ok_or(Unsuitable::Incomplete(parts.without_library))?;
    ask(&executable, &["-E", "-x", parts.language, "-"], parts.probe)
        .map_err(|_| Unsuitable::Incomplete(parts.without_headers))?;

    let needed = [prefix(&executable), directory(&compiler), directory(&library)];
    let roots = outside_system(needed);
    Ok(Toolchain { roots, ..Toolchain::bare(executable, version) })
}

/// The driver behind a wrapper such as ccache: gcc tells under which name it was started in the end.
fn real(candidate: &Path) -> Result<PathBuf, Unsuitable> {
    let answer = ask(candidate, &["-v"], "")?;
    let driver = answer
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("COLLECT_GCC="))
        .ok_or(Unsuitable::Stranger { expected: "gcc" })?;
    let driver = if Path::new(driver).is_absolute() { Path::new(driver) } else { candidate };
    driver.canonicalize().map_err(|source| Unsuitable::Obscure { path: driver.to_owned(), source })
}

fn part(gcc: &Path, question: &str) -> Result<Option<PathBuf>, Unsuitable> {
    let path = PathBuf::from(ask(gcc, &[question], "")?.stdout);
    Ok((path.is_absolute() && path.exists()).then_some(path))
}

fn directory(file: &Path) -> PathBuf {
    file.parent().unwrap_or(file).to_owned()
}
