//! Making a terminal. Each has a file system of its own, which is mounted nowhere: no sandbox finds the
//! terminal of another by its name, and one that needs none pays nothing.

use std::io;
use std::os::fd::OwnedFd;

use nix::unistd::Uid;
use rustix::fs::{Mode, OFlags, openat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount,
    fsopen,
};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::termios::tcsetwinsize;

use crate::sandbox::spec::TerminalSize;

/// Makes one of `user`'s: the worker's end, which never waits, and the process's.
pub fn make(user: Uid, size: TerminalSize) -> io::Result<[OwnedFd; 2]> {
    let context = fsopen("devpts", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (option, value) in [("uid", user.to_string()), ("mode", String::from("600"))] {
        fsconfig_set_string(&context, option, value)?;
    }
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let outer = openat(mount, "ptmx", flags, Mode::empty())?;
    unlockpt(&outer)?;
    tcsetwinsize(&outer, size.into())?;
    let inner =
        ioctl_tiocgptpeer(&outer, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    Ok([outer, inner])
}
