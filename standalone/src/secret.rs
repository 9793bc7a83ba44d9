//! Secrets that are made on the first start and kept.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand::TryRngCore;
use rand::rngs::OsRng;
use thiserror::Error;

/// Bytes of randomness in a secret: as many as the hash that uses it.
const BYTES: usize = 32;

/// Why a secret cannot be used.
#[derive(Debug, Error)]
pub enum SecretError {
    /// Its file could not be read or made.
    #[error("{} cannot be used", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could have read it.
    #[error("{} has mode {mode:04o}, so others can read it: remove it to have a new one made, or chmod 600", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else, an empty string for instance.
    #[error("{} does not hold a secret of ours: remove it to have a new one made", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The kernel gave no randomness.
    #[error("no random bytes: {0}")]
    NoRandomness(rand::rand_core::OsError),
}

/// Reads the secret in `path`, or makes one there, readable by its owner alone: 64 hexadecimal
/// digits.
///
/// # Errors
/// [`SecretError`], which names the file.
pub fn load_or_make(path: &Path) -> Result<String, SecretError> {
    let failed = |source| SecretError::File { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(secret) => {
            let mode = path.metadata().map_err(failed)?.mode() & 0o7777;
            if mode & 0o077 != 0 {
                return Err(SecretError::Exposed { path: path.to_owned(), mode });
            }
            let secret = secret.trim();
            if secret.len() != 2 * BYTES || !secret.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(SecretError::Damaged { path: path.to_owned() });
            }
            Ok(String::from(secret))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = make()?;
            write(path, &secret).map_err(failed)?;
            Ok(secret)
        }
        Err(source) => Err(failed(source)),
    }
}

fn make() -> Result<String, SecretError> {
    let mut bytes = [0; BYTES];
    OsRng.try_fill_bytes(&mut bytes).map_err(SecretError::NoRandomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Under another name first: a start that is cut short must not leave half a secret.
fn write(path: &Path, secret: &str) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    match fs::remove_file(&unfinished) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}
