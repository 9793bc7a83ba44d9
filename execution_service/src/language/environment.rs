//! The environment that every process in a sandbox starts with; nothing of ours is inherited.

use std::collections::BTreeMap;
use std::path::Path;

use crate::sandbox::spec::WORKSPACE;

/// Directories in which programs are looked for, after those of the interpreters that were found.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// That of a command which may use all of `executables`: each of them is found by its name.
pub fn environment_of<'a>(executables: impl Iterator<Item = &'a Path>) -> BTreeMap<String, String> {
    let mut directories: Vec<&str> = Vec::new();
    let own = executables.filter_map(|executable| executable.parent()?.to_str());
    for directory in own.chain(PATH.split(':')) {
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    let path = directories.join(":");
    environment("", &[("PATH", &path)])
}

/// The fixed part, `extra`, and in front of all other directories of `PATH` the one that
/// `executable` is in: "python3" inside is the Python that was found.
pub fn environment(executable: &str, extra: &[(&str, &str)]) -> BTreeMap<String, String> {
    let path = match executable.rsplit_once('/') {
        Some((directory, _)) if !PATH.split(':').any(|known| known == directory) => {
            format!("{directory}:{PATH}")
        }
        Some(_) | None => String::from(PATH),
    };
    let fixed = [
        ("PATH", path.as_str()),
        ("HOME", WORKSPACE),
        ("USER", "user"),
        ("LANG", "C.UTF-8"),
        ("TMPDIR", "/tmp"),
        ("TERM", "dumb"),
    ];
    fixed
        .iter()
        .chain(extra)
        .map(|(name, value)| (String::from(*name), String::from(*value)))
        .collect()
}
