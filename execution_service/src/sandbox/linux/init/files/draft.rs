//! A file that is written and has no name yet.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, Timespec, Timestamps, fchmod, fstat, futimens, openat};

use super::place::{Place, Said, open_regular, status};
use super::status::status_of;
use crate::sandbox::files::{Condition, FileError, FilePath, FileStatus, NewFile, Written};

/// Permission bits of a file that replaces none.
const FILE_MODE: u32 = 0o644;

/// A file that is written and has no name yet: it goes with its descriptor.
pub struct Draft {
    file: OwnedFd,
    path: FilePath,
    new: NewFile,
}

impl Draft {
    /// One that is to be called `path`. What would not do is said now, although it may be so only later.
    pub fn begin(
        workspace: BorrowedFd<'_>,
        path: FilePath,
        new: NewFile,
    ) -> Result<(Self, Option<FileStatus>), FileError> {
        Place::of(workspace, &path, new.parents)?.replaceable()?;
        let replaces = now(workspace, &path)?;
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = openat(workspace, c".", flags, Mode::from_raw_mode(0o600)).said()?;
        Ok((Self { file, path, new }, replaces))
    }

    /// The file.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The file that it goes behind, and where that ends; nothing if it is a file of its own.
    pub fn goes_behind(
        &self,
        workspace: BorrowedFd<'_>,
        condition: &Condition,
    ) -> Result<Option<(OwnedFd, u64)>, FileError> {
        if !self.new.append {
            return Ok(None);
        }
        match open_regular(workspace, &self.path, libc::O_WRONLY | libc::O_APPEND) {
            Ok((file, status)) => {
                condition.check(Some(&status)).map(|()| Some((file, status.size)))
            }
            Err(FileError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives it its name.
    pub fn take_name(
        &self,
        workspace: BorrowedFd<'_>,
        condition: &Condition,
    ) -> Result<Written, FileError> {
        let place = Place::of(workspace, &self.path, self.new.parents)?;
        let replaced = place.replaceable()?;
        let there = now(workspace, &self.path)?;
        condition.check(there.or(replaced).as_ref())?;
        let kept = there.map(|status| status.mode & 0o777);
        let mode = self.new.mode.or(kept).unwrap_or(FILE_MODE);
        fchmod(&self.file, Mode::from_raw_mode(mode)).said()?;
        if let Some(modified) = self.new.modified {
            let time = Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanos.into() };
            let times = Timestamps { last_access: time, last_modification: time };
            futimens(&self.file, &times).said()?;
        }
        place.give_to(&self.file)?;
        let status = status_of(&fstat(&self.file).map_err(io::Error::from).said()?);
        Ok(Written { status, created: replaced.is_none() })
    }
}

/// What is at `path` now, if anything is.
fn now(workspace: BorrowedFd<'_>, path: &FilePath) -> Result<Option<FileStatus>, FileError> {
    match status(workspace, path) {
        Ok(status) => Ok(Some(status)),
        // Also of a link that leads nowhere, or somewhere else: it is replaced itself.
        Err(FileError::NotFound | FileError::OutOfWorkspace | FileError::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}
