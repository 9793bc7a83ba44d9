//! Opening files and changing mounts.

#![expect(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::mem;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::check;

/// Opens `path` below `dir` and nowhere else: no `..`, no symbolic links, no magic links.
pub fn open_beneath(
    dir: BorrowedFd<'_>,
    path: &CStr,
    flags: libc::c_int,
    mode: libc::mode_t,
) -> io::Result<OwnedFd> {
    let flags = OFlags::from_bits_retain(flags.cast_unsigned()) | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    Ok(openat2(dir, path, flags, Mode::from_raw_mode(mode), resolve)?)
}

/// Opens `path` below `dir` and nowhere else. Symbolic links are followed as long as they stay below: none that
/// is absolute, no magic links.
pub fn open_within(
    dir: BorrowedFd<'_>,
    path: &CStr,
    flags: libc::c_int,
    mode: libc::mode_t,
) -> io::Result<OwnedFd> {
    /// The kernel gives up when something is renamed while it goes up a `..` of a link. Whoever renames
    /// all the time is told so.
    const TRIES: usize = 4;
    let flags = OFlags::from_bits_retain(flags.cast_unsigned()) | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut opened = Err(Errno::AGAIN);
    for _ in 0..TRIES {
        opened = openat2(dir, path, flags, Mode::from_raw_mode(mode), resolve);
        if !matches!(opened, Err(Errno::AGAIN)) {
            break;
        }
    }
    Ok(opened?)
}

/// Adds attributes (`MOUNT_ATTR_*`) to the mount at `path`, and to those below it if `recursive`.
pub fn mount_setattr(path: &CStr, recursive: bool, attributes: u64) -> io::Result<()> {
    /// `struct mount_attr` of `include/uapi/linux/mount.h`, as of its first version.
    #[repr(C)]
    struct MountAttr {
        set: u64,
        clear: u64,
        propagation: u64,
        userns_fd: u64,
    }
    let attr = MountAttr { set: attributes, clear: 0, propagation: 0, userns_fd: 0 };
    let flags = if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: `path` is a C string, `attr` is initialised and its size is given.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const attr,
            mem::size_of::<MountAttr>(),
        )
    })?;
    Ok(())
}
