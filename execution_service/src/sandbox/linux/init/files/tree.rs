//! Lists directories with all that is known of their entries: a message's worth at a time, whatever is in them.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, FileType, RawDir, SeekFrom, readlinkat_raw, seek, statat};

use super::place::file_error;
use super::status::status_of;
use crate::sandbox::linux::syscall::open_within;
use crate::sandbox::linux::wire::channel::MAX_CHUNK;
use crate::sandbox::linux::wire::files::{DirectoryFrom, Found, Listed};

/// Most entries that are looked at for one request: about a millisecond's work.
const MOST_AT_ONCE: usize = 512;
/// The most that an entry takes in a message beside its name and its target.
const ENTRY_BYTES: usize = 96;
/// The most that is said of a directory beside its entries.
const DIRECTORY_BYTES: usize = 16;
/// For names as the kernel gives them out.
const NAMES: usize = 16 << 10;
/// Longest target of a link: `PATH_MAX`.
const LONGEST_TARGET: usize = 4096;

/// What one request may still take.
struct Left {
    entries: usize,
    bytes: usize,
}

/// Lists the first of `directories`, each from where it is to be gone on with: as many as there is room for.
pub fn list(workspace: BorrowedFd<'_>, directories: &[DirectoryFrom]) -> Vec<Listed> {
    let mut left = Left { entries: MOST_AT_ONCE, bytes: MAX_CHUNK };
    let mut listed = Vec::new();
    for directory in directories {
        if left.entries == 0 || left.bytes < DIRECTORY_BYTES {
            break;
        }
        left.bytes -= DIRECTORY_BYTES;
        let one = list_one(workspace, directory, &mut left)
            .unwrap_or_else(|error| Listed::Failed(file_error(&error)));
        // Of an empty one no entry was looked at, but it was opened.
        left.entries = left.entries.saturating_sub(1);
        listed.push(one);
    }
    listed
}

fn list_one(
    workspace: BorrowedFd<'_>,
    DirectoryFrom { path, from }: &DirectoryFrom,
    left: &mut Left,
) -> io::Result<Listed> {
    let path = path.as_ref().map_or(&b"."[..], |path| path.as_bytes());
    let path = CString::new(path).map_err(io::Error::other)?;
    let directory = open_within(workspace, &path, libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    if *from > 0 {
        seek(&directory, SeekFrom::Start(*from))?;
    }
    let mut buffer = [MaybeUninit::uninit(); NAMES];
    let mut names = RawDir::new(directory.as_fd(), &mut buffer);
    let (mut entries, mut next) = (Vec::new(), *from);
    while let Some(name) = names.next() {
        let name = name?;
        let after = name.next_entry_cookie();
        let bytes = name.file_name().to_bytes();
        if !matches!(bytes, b"." | b"..") {
            // Of one that has just been removed nothing is said.
            if let Some(found) = look(directory.as_fd(), bytes) {
                let takes = ENTRY_BYTES + bytes.len() + found.target.as_ref().map_or(0, Vec::len);
                if left.entries == 0 || left.bytes < takes {
                    return Ok(Listed::Part { entries, next });
                }
                left.entries -= 1;
                left.bytes -= takes;
                entries.push(found);
            }
        }
        next = after;
    }
    Ok(Listed::Whole { entries })
}

/// What is called `name`; a link is not followed.
fn look(directory: BorrowedFd<'_>, name: &[u8]) -> Option<Found> {
    let status = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let mut target = None;
    if FileType::from_raw_mode(status.st_mode) == FileType::Symlink {
        let mut space = [MaybeUninit::uninit(); LONGEST_TARGET];
        let (read, _) = readlinkat_raw(directory, name, &mut space).ok()?;
        target = Some(Vec::from(read));
    }
    Some(Found { name: Vec::from(name), status: status_of(&status), target })
}

#[cfg(test)]
mod tests;
