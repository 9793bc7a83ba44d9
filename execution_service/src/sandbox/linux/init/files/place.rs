//! Where a path of the workspace leads. All of it is resolved below the workspace by the kernel.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, fstat, linkat, mkdirat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::status::status_of;
use crate::sandbox::files::{FileError, FileKind, FilePath, FileStatus};
use crate::sandbox::linux::syscall::{open_beneath, open_within};

/// What our directories may be used for.
pub const DIRECTORY_MODE: u32 = 0o755;
/// Times that something takes a name which user code takes at the same moment.
const TRIES: usize = 8;

/// What the kernel says, in the worker's words.
pub fn file_error(error: &io::Error) -> FileError {
    match error.raw_os_error().unwrap_or(libc::EIO) {
        libc::ENOENT => FileError::NotFound,
        libc::ENOTDIR => FileError::NotADirectory,
        libc::EISDIR => FileError::Directory,
        libc::ENXIO => FileError::Special,
        libc::EEXIST => FileError::Exists,
        libc::ENOTEMPTY => FileError::NotEmpty,
        libc::EXDEV | libc::ELOOP => FileError::OutOfWorkspace,
        libc::EACCES | libc::EPERM | libc::EINVAL | libc::EBUSY => FileError::Refused,
        libc::ENOSPC | libc::EDQUOT => FileError::Full,
        libc::EFBIG => FileError::TooLarge,
        libc::ENAMETOOLONG => FileError::NameTooLong,
        other => FileError::Other(other),
    }
}

/// Of a path that is none of the kernel's.
fn text(path: &[u8]) -> Result<CString, FileError> {
    CString::new(path).map_err(|_| FileError::NotFound)
}

/// Has the kernel's word as an error of ours.
pub trait Said<T> {
    /// The same, in the worker's words.
    fn said(self) -> Result<T, FileError>;
}

impl<T, E: Into<io::Error>> Said<T> for Result<T, E> {
    fn said(self) -> Result<T, FileError> {
        self.map_err(|error| file_error(&error.into()))
    }
}

/// Opens what is at `path`, links followed, for nothing but to look at it.
fn found(workspace: BorrowedFd<'_>, path: &FilePath) -> Result<OwnedFd, FileError> {
    open_within(workspace, &text(path.as_bytes())?, libc::O_PATH, 0).said()
}

/// What is at `path`, links followed.
pub fn status(workspace: BorrowedFd<'_>, path: &FilePath) -> Result<FileStatus, FileError> {
    Ok(status_of(&fstat(found(workspace, path)?).said()?))
}

/// Opens the regular file at `path`, links followed. A FIFO is not touched: whoever waits for its other
/// side would hear of it.
pub fn open_regular(
    workspace: BorrowedFd<'_>,
    path: &FilePath,
    flags: libc::c_int,
) -> Result<(OwnedFd, FileStatus), FileError> {
    is_regular(&status(workspace, path)?)?;
    let flags = flags | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = open_within(workspace, &text(path.as_bytes())?, flags, 0).said()?;
    let status = status_of(&fstat(&file).said()?);
    is_regular(&status)?;
    Ok((file, status))
}

/// Whether a file can be read and replaced as one.
fn is_regular(status: &FileStatus) -> Result<(), FileError> {
    match status.kind {
        FileKind::Regular => Ok(()),
        FileKind::Directory => Err(FileError::Directory),
        FileKind::Special | FileKind::Symlink => Err(FileError::Special),
    }
}

/// A name in a directory that is there.
pub struct Place {
    directory: OwnedFd,
    name: CString,
}

impl Place {
    /// Of `path`; directories on the way are made if `parents`.
    pub fn of(
        workspace: BorrowedFd<'_>,
        path: &FilePath,
        parents: bool,
    ) -> Result<Self, FileError> {
        let bytes = path.as_bytes();
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'/') else {
            let directory = workspace.try_clone_to_owned().said()?;
            return Ok(Self { directory, name: text(bytes)? });
        };
        let (above, name) = (&bytes[..end], text(&bytes[end + 1..])?);
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        let directory = match open_within(workspace, &text(above)?, flags, 0).said() {
            Err(FileError::NotFound) if parents => make_all(workspace, above)?,
            opened => opened?,
        };
        Ok(Self { directory, name })
    }

    /// What has the name; a link is not followed.
    pub fn status(&self) -> Result<Option<FileStatus>, FileError> {
        match statat(&self.directory, &*self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(status_of(&found))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(file_error(&error.into())),
        }
    }

    /// What would have to go for something else to have the name: nothing, a regular file or a link.
    ///
    /// # Errors
    /// For a directory, and for what is special.
    pub fn replaceable(&self) -> Result<Option<FileStatus>, FileError> {
        let there = self.status()?;
        match there.map(|status| status.kind) {
            Some(FileKind::Directory) => Err(FileError::Directory),
            Some(FileKind::Special) => Err(FileError::Special),
            Some(FileKind::Regular | FileKind::Symlink) | None => Ok(there),
        }
    }

    /// Makes the directory of that name.
    pub fn make_directory(&self, mode: u32) -> Result<(), FileError> {
        mkdirat(&self.directory, &*self.name, Mode::from_raw_mode(mode)).said()?;
        // Whatever the umask is.
        rustix::fs::chmodat(
            &self.directory,
            &*self.name,
            Mode::from_raw_mode(mode),
            AtFlags::empty(),
        )
        .said()
    }

    /// Removes what has the name: a directory, or anything else.
    pub fn remove(&self, directory: bool) -> Result<(), FileError> {
        let flags = if directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        unlinkat(&self.directory, &*self.name, flags).said()
    }

    /// Opens the directory of that name itself.
    pub fn open_directory(&self) -> Result<OwnedFd, FileError> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW;
        open_beneath(self.directory.as_fd(), &self.name, flags, 0).said()
    }

    /// Lets the owner into the directory of that name.
    pub fn open_up(&self) -> Result<(), FileError> {
        let mode = Mode::from_raw_mode(0o700);
        rustix::fs::chmodat(&self.directory, &*self.name, mode, AtFlags::empty()).said()
    }

    /// Gives the name to a file that has none yet, in the place of what has it.
    pub fn give_to(&self, file: &OwnedFd) -> Result<(), FileError> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let name =
            |name: &CString| linkat(CWD, &*path, &self.directory, &**name, AtFlags::SYMLINK_FOLLOW);
        self.take_by(name)
    }

    /// Gives the name to a symbolic link that leads to `target`, in the place of what has it.
    pub fn link_to(&self, target: &[u8]) -> Result<(), FileError> {
        let target = text(target)?;
        self.take_by(|name| rustix::fs::symlinkat(&*target, &self.directory, &**name))
    }

    /// Has something that `make` gives any free name take this one.
    fn take_by(&self, make: impl Fn(&CString) -> Result<(), Errno>) -> Result<(), FileError> {
        match make(&self.name) {
            Err(Errno::EXIST) => {}
            made => return made.said(),
        }
        // A name that is free, for the moment until it takes the other's.
        for _ in 0..TRIES {
            let aside = unused_name();
            match make(&aside) {
                Err(Errno::EXIST) => continue,
                made => made.said()?,
            }
            let moved = renameat(&self.directory, &*aside, &self.directory, &*self.name);
            if moved.is_err() {
                let _ = unlinkat(&self.directory, &*aside, AtFlags::empty());
            }
            return moved.said();
        }
        Err(FileError::Exists)
    }

    /// Gives what is at `from` this name, in the place of what has it if `overwrite`.
    pub fn rename_from(&self, from: &Self, overwrite: bool) -> Result<(), FileError> {
        use rustix::fs::{RenameFlags, renameat_with};
        let flags = if overwrite { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        let (old, new) = (&*from.name, &*self.name);
        renameat_with(&from.directory, old, &self.directory, new, flags).said()
    }
}

/// A name that nothing has, as far as can be known.
pub fn unused_name() -> CString {
    let number = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    CString::new(format!(".crucible-{number:x}")).unwrap_or_default()
}

/// Makes the directories of `path` that are missing and opens the last one.
fn make_all(workspace: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, FileError> {
    let mut directory = workspace.try_clone_to_owned().said()?;
    let mut end = 0;
    for name in path.split(|byte| *byte == b'/') {
        end += name.len() + usize::from(end > 0);
        let name = text(name)?;
        match mkdirat(&directory, &*name, Mode::from_raw_mode(DIRECTORY_MODE)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(file_error(&error.into())),
        }
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        directory = match open_beneath(directory.as_fd(), &name, flags, 0) {
            // A link that was there: where it leads is seen from the workspace. The kernel follows 40 at most.
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
                open_within(workspace, &text(&path[..end])?, flags, 0).said()?
            }
            opened => opened.said()?,
        };
    }
    Ok(directory)
}
