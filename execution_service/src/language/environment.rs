//! The environment that every process in a sandbox starts with; nothing of ours is inherited.

use std::collections::BTreeMap;
use std::path::Path;

use crate::sandbox::spec::{PROGRAMS_DIR, WORKSPACE};

/// Directories in which programs are looked for, after those of the interpreters that were found.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The `PATH` on which `executables` are found by their names.
pub(super) fn search_path<'a>(executables: impl Iterator<Item = &'a Path>) -> String {
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

/// The fixed part, `extra`, and a `PATH` on which `executable` is found. [`Toolchains`] puts the one in its place on
/// which all are.
///
/// [`Toolchains`]: super::Toolchains
pub fn environment(executable: &str, extra: &[(&str, &str)]) -> BTreeMap<String, String> {
    let path = search_path([Path::new(executable)].into_iter());
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
