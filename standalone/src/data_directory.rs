//! The directory that holds everything Crucible keeps, and the right to use it.
//!
//! ```text
//! DATA_DIR/
//! ├── secret_key internal_token   mode 0600, made once
//! ├── crucible.db                 mode 0600, SQLite, unless DATABASE_URL says otherwise
//! ├── python/<fingerprint>/       rich Python
//! ├── outputs/                    the worker's: whole output, for an hour
//! ├── run/                        the worker's socket, the services' addresses; emptied at start
//! └── lock                        held by the one launcher that runs here; says which
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The data directory, locked for this process.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    /// Released by the kernel when this process ends, however it ends.
    lock: File,
    left_behind: Option<LeftBehind>,
}

/// What a launcher that was killed had left in the directory of sockets and addresses, and is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    /// `pid 4711, http://127.0.0.1:8000`
    pub holder: String,
    /// The files.
    pub files: Vec<PathBuf>,
}

/// Why the data directory cannot be used.
#[derive(Debug, Error)]
pub enum DataDirectoryError {
    /// Something in it could not be made or opened.
    #[error("choose another --data-dir, this one cannot be used: {}", .path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another launcher runs on it.
    #[error("{} is in use by another Crucible ({holder}); stop it, or choose another --data-dir", .path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// `pid 4711, http://127.0.0.1:8000`
        holder: String,
    },
}

impl DataDirectory {
    /// Makes the directory if need be and locks it. With `shared`, for root, everybody may pass
    /// through it: the sandboxes' users have to reach the Python packages inside. Otherwise it is
    /// the owner's alone, and so are the sandboxes.
    ///
    /// # Errors
    /// When it cannot be made, or another launcher holds it.
    pub fn open(path: &Path, shared: bool) -> Result<Self, DataDirectoryError> {
        let mode = if shared { 0o755 } else { 0o700 };
        make(path, mode)?;
        let lock_path = path.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(|source| DataDirectoryError::File { path: lock_path.clone(), source })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only the message depends on it, and it names the directory in any case.
                let _ = lock.read_to_string(&mut holder);
                return Err(DataDirectoryError::InUse { path: path.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => {
                return Err(DataDirectoryError::File { path: lock_path, source });
            }
        }
        let mut holder = String::new();
        lock.read_to_string(&mut holder)
            .map_err(|source| DataDirectoryError::File { path: lock_path, source })?;
        let mut directory = Self { path: path.to_owned(), lock, left_behind: None };
        let files = fs::read_dir(directory.run()).into_iter().flatten().flatten();
        let files: Vec<PathBuf> = files.map(|file| file.path()).collect();
        directory.left_behind = (!files.is_empty()).then_some(LeftBehind { holder, files });
        directory.describe_holder(&format!("pid {}", std::process::id()))?;
        directory.empty_run()?;
        Ok(directory)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was found in it and removed.
    pub fn left_behind(&self) -> Option<&LeftBehind> {
        self.left_behind.as_ref()
    }

    /// Where sockets and address files of the running services are.
    pub fn run(&self) -> PathBuf {
        self.path.join("run")
    }

    /// What the next launcher that wants this directory is told.
    ///
    /// # Errors
    /// When the lock file cannot be written.
    pub fn describe_holder(&self, holder: &str) -> Result<(), DataDirectoryError> {
        let mut lock = &self.lock;
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| lock.write_all(holder.as_bytes()))
            .map_err(|source| DataDirectoryError::File { path: self.path.join("lock"), source })
    }

    /// The URL of the SQLite file, which is made here, empty, so that it is never for a moment
    /// readable by others.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn database_url(&self) -> Result<String, DataDirectoryError> {
        let path = self.path.join("crucible.db");
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| DataDirectoryError::File { path: path.clone(), source })?;
        // The three characters that mean something in a URL's path.
        let escaped =
            path.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        Ok(format!("sqlite://{escaped}"))
    }

    /// Removes what the last launcher's services left: a killed one cannot remove its own socket.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub fn empty_run(&self) -> Result<(), DataDirectoryError> {
        let run = self.run();
        match fs::remove_dir_all(&run) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(DataDirectoryError::File { path: run, source }),
        }
        make(&run, 0o700)
    }
}

/// Makes a directory with exactly this mode, whatever the umask, and leaves an existing one alone.
fn make(path: &Path, mode: u32) -> Result<(), DataDirectoryError> {
    let failed = |source| DataDirectoryError::File { path: path.to_owned(), source };
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(failed)
}
