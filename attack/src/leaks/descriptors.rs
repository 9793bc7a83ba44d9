//! What a process has open.

use std::fs;
use std::io;
use std::path::Path;

/// The database's own: a connection more of its pool is not something left behind.
const DATABASE: &str = "crucible.db";

/// One word for each open descriptor: `socket`, `pipe`, `anon_inode:[eventfd]`, or `file`.
pub(super) fn kinds(pid: u32, data: &Path) -> io::Result<Vec<String>> {
    let database = data.join(DATABASE);
    let database = database.to_string_lossy();
    let mut kinds = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // Closed since it was listed.
        let Ok(target) = fs::read_link(entry?.path()) else { continue };
        let target = target.to_string_lossy();
        if target.starts_with(&*database) {
            continue;
        }
        kinds.push(match target.split_once(':') {
            Some(("anon_inode", _)) => target.into_owned(),
            Some((kind, _)) if !target.starts_with('/') => String::from(kind),
            Some(_) | None => String::from("file"),
        });
    }
    Ok(kinds)
}
