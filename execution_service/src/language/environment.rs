//! The environment that every process in a sandbox starts with; nothing of ours is inherited.

use std::collections::BTreeMap;

use crate::sandbox::spec::WORKSPACE;

/// The fixed part, `extra`, and in front of all other directories of `PATH` the one that
/// `executable` is in: "python3" inside is the Python that was found.
pub fn environment(executable: &str, extra: &[(&str, &str)]) -> BTreeMap<String, String> {
    const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
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
