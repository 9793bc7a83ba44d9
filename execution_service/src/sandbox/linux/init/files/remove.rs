//! Removes a directory with all that is in it, some of it at a time, whatever depth user code has gone to.
//!
//! Nobody goes down: what is in a directory of the one to be removed is moved up into that. So there are never
//! more than two directories open, and it is the same work whatever the shape is.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, RawDir, SeekFrom, chmodat, renameat, seek, unlinkat};
use rustix::io::Errno;

use super::place::{Place, Said, status, unused_name};
use crate::sandbox::files::{Condition, FileError, FileKind, FilePath};
use crate::sandbox::linux::syscall::open_beneath;

/// Most entries that are removed or moved for one request: some milliseconds' work.
const MOST_AT_ONCE: usize = 512;
/// For names as the kernel gives them out.
const NAMES: usize = 8 << 10;

/// Removes what is at `path`, or some of it; true if there is more.
pub fn remove(
    workspace: BorrowedFd<'_>,
    path: &FilePath,
    whole: bool,
    condition: &Condition,
) -> Result<bool, FileError> {
    let place = Place::of(workspace, path, false)?;
    let there = place.status()?.ok_or(FileError::NotFound)?;
    // A link is removed itself, and is as good as what it leads to for a condition.
    condition.check(status(workspace, path).ok().or(Some(there)).as_ref())?;
    if there.kind != FileKind::Directory {
        return place.remove(false).map(|()| false);
    }
    match place.remove(true) {
        Err(FileError::NotEmpty) if whole => {}
        removed => return removed.map(|()| false),
    }
    let top = match place.open_directory() {
        Err(FileError::Refused) => place.open_up().and_then(|()| place.open_directory()),
        opened => opened,
    };
    let top = match top {
        // It has just gone.
        Err(FileError::NotFound) => return Ok(false),
        top => top?,
    };
    let mut left = MOST_AT_ONCE;
    let emptied = empty(&top, &mut left, |name, left| remove_directory(&top, name, left))?;
    if !emptied {
        return Ok(true);
    }
    match place.remove(true) {
        // User code has put something there meanwhile.
        Err(FileError::NotEmpty) => Ok(true),
        Err(FileError::NotFound) => Ok(false),
        removed => removed.map(|()| false),
    }
}

/// Removes what is in `directory`, its directories by `below`; false when there may be more.
fn empty(
    directory: &OwnedFd,
    left: &mut usize,
    below: impl Fn(&std::ffi::CStr, &mut usize) -> Result<(), FileError>,
) -> Result<bool, FileError> {
    seek(directory, SeekFrom::Start(0)).said()?;
    let mut buffer = [MaybeUninit::uninit(); NAMES];
    let mut names = RawDir::new(directory.as_fd(), &mut buffer);
    let mut seen = false;
    while let Some(entry) = names.next() {
        let entry = entry.said()?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        seen = true;
        if *left == 0 {
            return Ok(false);
        }
        *left -= 1;
        if entry.file_type() == FileType::Directory {
            below(name, left)?;
        } else {
            match unlinkat(directory, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                // It has become a directory: the next look finds it.
                Err(Errno::ISDIR) => {}
                Err(error) => return Err(error).said(),
            }
        }
    }
    // What was moved up here meanwhile may not have been seen.
    Ok(!seen)
}

/// Removes the directory `name` of `top`; what is in its directories is moved up into `top`.
fn remove_directory(
    top: &OwnedFd,
    name: &std::ffi::CStr,
    left: &mut usize,
) -> Result<(), FileError> {
    match unlinkat(top, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        Err(error) => return Err(error).said(),
    }
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let open = || open_beneath(top.as_fd(), name, flags, 0).said();
    let open_up = |at: &OwnedFd, name: &std::ffi::CStr| {
        chmodat(at, name, Mode::from_raw_mode(0o700), AtFlags::empty()).said()
    };
    let directory = match open() {
        Err(FileError::Refused) => open_up(top, name).and_then(|()| open()),
        opened => opened,
    };
    let directory = match directory {
        // User code has made it something else meanwhile.
        Err(FileError::NotFound | FileError::NotADirectory | FileError::OutOfWorkspace) => {
            return Ok(());
        }
        directory => directory?,
    };
    let up = |name: &std::ffi::CStr, _: &mut usize| {
        match unlinkat(&directory, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(error) => return Err(error).said(),
        }
        let move_up = || match renameat(&directory, name, top, &*unused_name()) {
            Ok(()) | Err(Errno::NOENT | Errno::EXIST | Errno::NOTEMPTY) => Ok(()),
            Err(error) => Err(error).said(),
        };
        match move_up() {
            // One that may not be written to cannot be moved, either.
            Err(FileError::Refused) => open_up(&directory, name).and_then(|()| move_up()),
            moved => moved,
        }
    };
    let emptied = match empty(&directory, left, up) {
        Err(FileError::Refused) => {
            open_up(top, name)?;
            empty(&directory, left, up)?
        }
        emptied => emptied?,
    };
    if emptied {
        match unlinkat(top, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => return Err(error).said(),
        }
    }
    Ok(())
}
