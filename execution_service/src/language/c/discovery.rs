//! C: gcc with everything that a program of one file needs, down to the C library's headers.

use std::path::{Path, PathBuf};

use crate::language::toolchain::probe::{ask, is_on_path};
use crate::language::toolchain::roots::{outside_system, prefix};
use crate::language::toolchain::{Candidate, Toolchain, Unsuitable};

/// Preprocessed to standard output, so that asking writes no file.
const PROBE: &str = "#include <math.h>\n#include <pthread.h>\n#include <stdio.h>\n";

pub fn examine(candidate: Candidate<'_>) -> Result<Toolchain, Unsuitable> {
    let executable = real(candidate.path)?;
    let version = ask(&executable, &["-dumpfullversion"], "")?.stdout;
    if !version.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(Unsuitable::Stranger { expected: "gcc" });
    }
    // gcc repeats the bare name of a part that it does not have.
    let compiler = part(&executable, "-print-prog-name=cc1")?
        .ok_or(Unsuitable::Incomplete("the compiler proper, cc1, is not installed"))?;
    for tool in ["-print-prog-name=as", "-print-prog-name=ld"] {
        // binutils are found on the PATH, where gcc itself leaves them as bare names.
        let name = ask(&executable, &[tool], "")?.stdout;
        if !is_on_path(Path::new(&name)) {
            return Err(Unsuitable::Incomplete("binutils (as, ld) are not installed"));
        }
    }
    let startup = part(&executable, "-print-file-name=crt1.o")?
        .ok_or(Unsuitable::Incomplete("the C library's development files are not installed"))?;
    ask(&executable, &["-E", "-x", "c", "-"], PROBE)
        .map_err(|_| Unsuitable::Incomplete("the C library's headers are not installed"))?;

    let needed = [prefix(&executable), directory(&compiler), directory(&startup)];
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
