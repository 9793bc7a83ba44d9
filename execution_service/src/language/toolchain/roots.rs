//! The directories that a sandbox must see for a toolchain to work.

use std::path::{Path, PathBuf};

/// What every sandbox sees of the host anyway, read-only.
pub const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives"];

/// Trees of package managers whose programs use libraries from all over the tree: binding only the
/// program's own prefix would leave it without its C library.
const WHOLE_TREES: [&str; 3] = ["/nix/store", "/gnu/store", "/home/linuxbrew/.linuxbrew"];

/// The directories among `wanted` that are not part of the system: sorted, without repetitions,
/// none inside another, and each both as named and as resolved, since a program may open either.
pub fn outside_system(wanted: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = wanted
        .into_iter()
        .flat_map(|path| {
            let resolved = path.canonicalize().ok();
            [Some(path), resolved]
        })
        .flatten()
        .map(|path| match WHOLE_TREES.iter().find(|tree| path.starts_with(tree)) {
            Some(tree) => PathBuf::from(tree),
            None => path,
        })
        .filter(|path| !SYSTEM.iter().any(|system| path.starts_with(system)))
        .collect();
    roots.sort();
    // Sorted by components, so whatever lies inside a directory follows it.
    roots.dedup_by(|later, earlier| later.starts_with(&*earlier));
    roots
}

/// The installation that an executable belongs to: `/opt/node` for `/opt/node/bin/node`.
pub fn prefix(executable: &Path) -> PathBuf {
    let directory = executable.parent().unwrap_or(executable);
    match directory.parent() {
        // Not for `/bin`, whose installation is the whole machine.
        Some(parent) if directory.ends_with("bin") && parent != Path::new("/") => parent.to_owned(),
        Some(_) | None => directory.to_owned(),
    }
}
