//! The directory that stored outputs lie in. It is held by descriptor: the worker's own user need not
//! be able to walk the path that leads to it.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Gid, Mode, OFlags, Uid, chownat, flock, fstat,
    openat, statat, unlinkat,
};
use rustix::io::Errno;

use super::entry::Number;

/// What every file of ours ends in, so that nothing else in the directory is ever touched.
const SUFFIX: &str = ".output";

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The system said so.
    #[error("OUTPUT_DIR: {}: {step}: {source}", .path.display())]
    System {
        /// Which directory.
        path: PathBuf,
        /// What was tried.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It is somebody else's.
    #[error(
        "OUTPUT_DIR: {} belongs to uid {owner} and is not empty; name a directory that is new, or empty", .path.display()
    )]
    Foreign {
        /// Which directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Another worker keeps its outputs there.
    #[error("OUTPUT_DIR: {} is in use by another worker; name one of its own", .path.display())]
    InUse {
        /// Which directory.
        path: PathBuf,
    },
}

/// A directory that was found or made while there was still the right to.
#[derive(Debug)]
pub struct OutputDirectory {
    path: PathBuf,
    handle: OwnedFd,
}

impl OutputDirectory {
    /// Finds or makes the directory `path`, for `user` (of uid and gid alike) if that is another one
    /// than ours.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn prepare(path: &Path, user: Option<u32>) -> Result<Self, DirectoryError> {
        let failed = |step: &'static str| {
            move |source| DirectoryError::System { path: path.to_owned(), step, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("making it"))?;
        // Not to be read or written by this handle, so that root without the right to look into other
        // people's directories, as in a container, gets it as well.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || openat(CWD, path, flags, Mode::empty()).map_err(io::Error::from);
        let handle = open().map_err(failed("opening it"))?;
        let owner = fstat(&handle).map_err(io::Error::from).map_err(failed("its owner"))?.st_uid;
        if let Some(user) = user
            && owner != user
        {
            let files = std::fs::read_dir(path).map_err(failed("looking into it"))?;
            if files.count() > 0 {
                return Err(DirectoryError::Foreign { path: path.to_owned(), owner });
            }
            let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
            chownat(&handle, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)
                .map_err(io::Error::from)
                .map_err(failed("giving it to the worker"))?;
        }
        Ok(Self { path: path.to_owned(), handle })
    }

    /// Takes the directory for this worker alone, and removes what an earlier one has left. Gives it
    /// with the number and the bytes of what was left.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub(super) fn take(self) -> Result<(Directory, usize, u64), DirectoryError> {
        let Self { path, handle } = self;
        let failed = |step: &'static str| {
            let path = path.clone();
            move |source: Errno| DirectoryError::System { path, step, source: source.into() }
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // Opened anew, so that no process forked before holds the lock on.
        let handle = openat(&handle, ".", flags, Mode::empty())
            .map_err(failed("opening it as the worker"))?;
        match flock(&handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(DirectoryError::InUse { path }),
            Err(errno) => return Err(failed("locking it")(errno)),
        }
        let directory = Directory { handle };
        let (count, bytes) = directory.sweep().map_err(failed("removing what is left there"))?;
        Ok((directory, count, bytes))
    }
}

/// A directory that is this worker's.
#[derive(Debug)]
pub(super) struct Directory {
    handle: OwnedFd,
}

impl Directory {
    pub(super) fn create(&self, number: Number) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(File::from(openat(&self.handle, file_name(number), flags, mode)?))
    }

    pub(super) fn open(&self, number: Number) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.handle, file_name(number), flags, Mode::empty())?))
    }

    pub(super) fn remove(&self, number: Number) -> io::Result<()> {
        Ok(unlinkat(&self.handle, file_name(number), AtFlags::empty())?)
    }

    fn sweep(&self) -> Result<(usize, u64), Errno> {
        let (mut count, mut bytes) = (0, 0);
        for entry in Dir::read_from(&self.handle)? {
            let entry = entry?;
            if !entry.file_name().to_bytes().ends_with(SUFFIX.as_bytes()) {
                continue;
            }
            let found = statat(&self.handle, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile {
                unlinkat(&self.handle, entry.file_name(), AtFlags::empty())?;
                count += 1;
                bytes += u64::try_from(found.st_size).unwrap_or_default();
            }
        }
        Ok((count, bytes))
    }
}

/// A name that no caller has a say in.
fn file_name(number: Number) -> String {
    format!("{number:016x}{SUFFIX}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_an_earlier_worker_left_is_removed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("outputs");
        let (first, count, _) = OutputDirectory::prepare(&path, None).unwrap().take().unwrap();
        assert_eq!(count, 0);
        io::Write::write_all(&mut first.create(7).unwrap(), b"abc").unwrap();
        fs::write(path.join("mine.txt"), "x").unwrap();
        let second = OutputDirectory::prepare(&path, None).unwrap().take();
        assert!(matches!(second, Err(DirectoryError::InUse { .. })), "{second:?}");
        drop(first);
        let (_, count, bytes) = OutputDirectory::prepare(&path, None).unwrap().take().unwrap();
        assert_eq!((count, bytes), (1, 3));
        assert!(path.join("mine.txt").exists());
    }

    #[test]
    fn a_directory_of_somebody_else_is_not_taken_over() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("precious"), "x").unwrap();
        let refused = OutputDirectory::prepare(place.path(), Some(4711));
        assert!(matches!(refused, Err(DirectoryError::Foreign { .. })), "{refused:?}");
        assert!(place.path().join("precious").exists());
    }
}
