//! Environments that a killed launcher had begun.

use std::fs;
use std::path::{Path, PathBuf};

use execution_service::language::discovery::is_complete;

use super::{ProvisionError, fingerprint};

/// Removes them and gives their paths. The one for today's interpreter would be removed by the next attempt
/// at it; one for another would stay for ever, at up to 1.5 GB.
///
/// The caller holds the lock on the data directory: none of them is being made now.
///
/// # Errors
/// When one cannot be removed.
pub fn sweep(data_directory: &Path) -> Result<Vec<PathBuf>, ProvisionError> {
    let mut removed = Vec::new();
    // Without the directory nothing has begun.
    for entry in fs::read_dir(data_directory.join("python")).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = entry.file_name().to_str().is_some_and(fingerprint::is_one);
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if ours && is_directory && !is_complete(&path) {
            fs::remove_dir_all(&path).map_err(|source| ProvisionError::file(&path, source))?;
            removed.push(path);
        }
    }
    Ok(removed)
}

/// Removes what is in the directory `place`, and not the directory.
pub(super) fn empty(place: &Path) -> Result<(), ProvisionError> {
    let failed = |source| ProvisionError::file(place, source);
    for entry in fs::read_dir(place).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let removed = match entry.file_type() {
            Ok(kind) if kind.is_dir() => fs::remove_dir_all(entry.path()),
            Ok(_) | Err(_) => fs::remove_file(entry.path()),
        };
        removed.map_err(|source| ProvisionError::file(&entry.path(), source))?;
    }
    Ok(())
}
