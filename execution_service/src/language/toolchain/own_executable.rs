//! The executable of this process, which is a part of some languages.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;

/// "Others may execute."
const BY_OTHERS: u32 = 0o001;

/// Whether the sandboxes' users may execute it. The directories on the way to it are of no matter: it is
/// mounted.
///
/// # Errors
/// It cannot be looked at.
pub fn is_for_everybody() -> io::Result<bool> {
    Ok(fs::metadata("/proc/self/exe")?.permissions().mode() & BY_OTHERS != 0)
}
