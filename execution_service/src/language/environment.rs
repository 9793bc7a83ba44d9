//! The environment that every process in a sandbox starts with; nothing of ours is inherited.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use crate::sandbox::spec::{PROGRAMS_DIR, WORKSPACE};

/// Directories in which programs are looked for, after those of the interpreters that were found.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// `PATH` of every process in a sandbox: whichever language starts it, `python3` is the same one. Set once,
/// when it is known what this machine has.
static SEARCHED: OnceLock<String> = OnceLock::new();

/// From here on every environment finds `executables` by their names. The first call counts.
pub fn search_in<'a>(executables: impl Iterator<Item = &'a Path>) {
    let _ = SEARCHED.set(directories(executables));
}

fn directories<'a>(executables: impl Iterator<Item = &'a Path>) -> String {
    let mut directories: Vec<&str> = Vec::new();
    let own = executables.filter_map(|executable| executable.parent()?.to_str());
    // Those of the system in their own order: an interpreter in one of them is not to hide others.
    let own = own.filter(|directory| !PATH.split(':').any(|known| known == *directory));
    for directory in own.chain(PATH.split(':')).chain([PROGRAMS_DIR]) {
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    directories.join(":")
}

/// The fixed part, `extra`, and in front of all other directories of `PATH` the one that
/// `executable` is in: "python3" inside is the Python that was found.
pub fn environment(executable: &str, extra: &[(&str, &str)]) -> BTreeMap<String, String> {
    let searched = SEARCHED.get();
    let path =
        searched.cloned().unwrap_or_else(|| directories([Path::new(executable)].into_iter()));
    let fixed = [
        ("PATH", path.as_str()),
        ("HOME", WORKSPACE),
        ("USER", "user"),
        ("LANG", "C.UTF-8"),
        ("TMPDIR", "/tmp"),
        ("TERM", "dumb"),
        // A second and a size tell whether byte code is stale: programs rewrite a module within one.
        ("PYTHONDONTWRITEBYTECODE", "1"),
        // What a program printed before it was killed is in the answer, and in order with others' lines.
        ("PYTHONUNBUFFERED", "1"),
    ];
    fixed
        .iter()
        .chain(extra)
        .map(|(name, value)| (String::from(*name), String::from(*value)))
        .collect()
}
