//! Whether there is room, asked before anything is downloaded.

use std::path::Path;

use super::{Packages, ProvisionError};

/// Checks that the file system of `place` has room for `packages`.
///
/// # Errors
/// [`ProvisionError::NoRoom`]; where it cannot be told, nothing.
pub(super) fn has_room(place: &Path, packages: &Packages) -> Result<(), ProvisionError> {
    let Ok(file_system) = rustix::fs::statvfs(place) else {
        return Ok(());
    };
    let free = file_system.f_bavail.saturating_mul(file_system.f_frsize);
    if free < packages.bytes {
        return Err(ProvisionError::NoRoom {
            place: place.to_owned(),
            needed: packages.bytes,
            free,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_any_disk_has_is_refused_before_anything_is_done() {
        let packages = Packages { bytes: u64::MAX, ..Packages::minimal() };
        let refused = has_room(Path::new("/"), &packages).expect_err("no disk is so large");
        assert!(refused.to_string().contains("free"), "{refused}");
        assert!(has_room(Path::new("/"), &Packages { bytes: 0, ..packages }).is_ok());
    }
}
