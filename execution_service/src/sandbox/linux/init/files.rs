//! Files that the worker puts into the sandbox and takes out of it. Paths are resolved below two directories opened
//! before any user code ran, never through a symbolic link, and with the rights of user code.

mod draft;
mod place;
mod remove;
pub mod requests;
mod status;
pub mod transfers;
pub mod tree;

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::UNIX_EPOCH;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, renameat};
use nix::sys::stat::{Mode, fchmod, mkdirat};
use nix::unistd::{UnlinkatFlags, mkfifoat, unlinkat};

use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::linux::syscall::open_beneath;
use crate::sandbox::linux::wire::channel::MAX_CHUNK;
use crate::sandbox::linux::wire::init::{InitReply, Piece};
use crate::sandbox::spec::{REQUEST_DIR, WORKSPACE};

/// The worker, which is another user, opens FIFOs there.
const REQUEST_DIR_MODE: Mode = Mode::S_IRWXU.union(Mode::S_IXGRP).union(Mode::S_IXOTH);

/// Mode of the FIFOs that init makes for the worker, which is another user. Whoever could open one must be
/// in the sandbox, or have its request directory.
const OPEN_TO_THE_WORKER: Mode = Mode::from_bits_truncate(0o666);

/// The directories that file operations start from.
pub struct Files {
    workspace: OwnedFd,
    requests: OwnedFd,
}

impl Files {
    /// Opens them.
    pub fn open() -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self {
            workspace: open(WORKSPACE, flags, Mode::empty())?,
            requests: open(REQUEST_DIR, flags, Mode::empty())?,
        })
    }

    /// The root of the workspace, good for nothing but to ask about it, and the request directory, good for
    /// nothing but to open what is in it.
    pub fn paths() -> io::Result<[OwnedFd; 2]> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let path = |directory: &str| open(directory, flags, Mode::empty());
        Ok([path(WORKSPACE)?, path(REQUEST_DIR)?])
    }

    /// The root of the workspace.
    pub fn workspace(&self) -> BorrowedFd<'_> {
        self.workspace.as_fd()
    }

    /// The directory of a root. The one for requests is put right first, whatever user code has done
    /// to it.
    fn directory(&self, root: Root) -> io::Result<BorrowedFd<'_>> {
        match root {
            Root::Workspace => Ok(self.workspace.as_fd()),
            Root::Requests => {
                fchmod(&self.requests, REQUEST_DIR_MODE)?;
                Ok(self.requests.as_fd())
            }
        }
    }

    /// Writes a piece of a file. The first one reroots whatever has that name, so that a FIFO or a
    /// link that user code left there is not written into.
    pub fn write(&self, root: Root, path: &str, piece: Piece, chunk: &[u8]) -> io::Result<()> {
        let (parent, name) = self.parent(root, path)?;
        let mut flags = libc::O_WRONLY | libc::O_APPEND | libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let mode = match piece {
            Piece::First(mode) => {
                remove(&parent, &name)?;
                flags |= libc::O_CREAT | libc::O_EXCL;
                match mode {
                    FileMode::Regular => 0o644,
                    FileMode::Executable => 0o755,
                }
            }
            Piece::Next => 0,
        };
        File::from(open_beneath(parent.as_fd(), &name, flags, mode)?).write_all(chunk)
    }

    /// Reads a piece of a file. User code may have put anything there: only a regular file is read, as
    /// the rest may have no end or never begin.
    pub fn read(&self, root: Root, path: &str, offset: u64) -> io::Result<InitReply> {
        let path = CString::new(path).map_err(io::Error::other)?;
        let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = File::from(open_beneath(self.directory(root)?, &path, flags, 0)?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let left = usize::try_from(metadata.len().saturating_sub(offset)).unwrap_or(MAX_CHUNK);
        let mut chunk = vec![0; left.min(MAX_CHUNK)];
        file.read_exact_at(&mut chunk, offset)?;
        Ok(InitReply::Content { size: metadata.len(), chunk })
    }

    /// Makes a FIFO.
    pub fn fifo(&self, path: &str) -> io::Result<()> {
        let (parent, name) = self.parent(Root::Requests, path)?;
        // A kernel that died has left its own behind.
        remove(&parent, &name)?;
        mkfifoat(&parent, name.as_c_str(), OPEN_TO_THE_WORKER)?;
        let fifo = open_beneath(parent.as_fd(), &name, libc::O_RDWR | libc::O_NONBLOCK, 0)?;
        // Whatever the umask is.
        Ok(fchmod(&fifo, OPEN_TO_THE_WORKER)?)
    }

    /// Makes the directories on the way to `path` and opens the last one.
    fn parent(&self, root: Root, path: &str) -> io::Result<(OwnedFd, CString)> {
        let mut directory = self.directory(root)?.try_clone_to_owned()?;
        let mut components = path.split('/').peekable();
        while let Some(component) = components.next() {
            let name = CString::new(component).map_err(io::Error::other)?;
            if components.peek().is_none() {
                return Ok((directory, name));
            }
            match mkdirat(&directory, name.as_c_str(), Mode::from_bits_truncate(0o755)) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(error) => return Err(io::Error::from(error)),
            }
            let flags = libc::O_PATH | libc::O_DIRECTORY;
            directory = open_beneath(directory.as_fd(), &name, flags, 0)?;
        }
        Err(io::Error::from(io::ErrorKind::InvalidInput))
    }
}

/// Makes the name free. A directory in the way is moved aside, as it may hold anything.
fn remove(parent: &OwnedFd, name: &CString) -> io::Result<()> {
    match unlinkat(parent, name.as_c_str(), UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(Errno::EISDIR) => {
            let aside = format!(".aside-{}-{}", name.to_string_lossy(), now());
            renameat(parent, name.as_c_str(), parent, aside.as_str())?;
            Ok(())
        }
        Err(error) => Err(io::Error::from(error)),
    }
}

/// A number that has not been before in this sandbox.
fn now() -> u128 {
    UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_regular_files_are_read_and_piece_by_piece() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = || OwnedFd::from(File::open(home.path()).expect("it is there"));
        let files = Files { workspace: directory(), requests: directory() };
        let content: Vec<u8> = (0..=u8::MAX).cycle().take(MAX_CHUNK + 5).collect();
        fs::write(home.path().join("file"), &content).expect("room");
        let read = |path: &str, offset| match files.read(Root::Workspace, path, offset) {
            Ok(InitReply::Content { size, chunk }) => Some((size, chunk)),
            Ok(_) | Err(_) => None,
        };
        let size = content.len() as u64;
        assert_eq!(read("file", 0), Some((size, content[..MAX_CHUNK].to_vec())));
        assert_eq!(read("file", MAX_CHUNK as u64), Some((size, content[MAX_CHUNK..].to_vec())));
        assert_eq!(read("file", size + 1), Some((size, Vec::new())));

        symlink("file", home.path().join("link")).expect("a link");
        fs::create_dir(home.path().join("folder")).expect("a folder");
        symlink(".", home.path().join("folder/here")).expect("a link");
        mkfifoat(&files.workspace, "fifo", Mode::S_IRWXU).expect("a FIFO");
        for refused in ["link", "folder", "folder/here/file", "fifo", "missing", "../file"] {
            assert_eq!(read(refused, 0), None, "{refused}");
        }
    }
}
