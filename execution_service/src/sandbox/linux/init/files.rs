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
use rustix::fs::{AtFlags, Dir, FileType, statat};

use crate::sandbox::files::{FileEntry, FileKind, FileMode, Root};
use crate::sandbox::linux::syscall::open_beneath;
use crate::sandbox::linux::wire::channel::MAX_CHUNK;
use crate::sandbox::linux::wire::init::{InitReply, Piece};
use crate::sandbox::spec::{REQUEST_DIR, WORKSPACE};

/// The worker, which is another user, opens FIFOs there.
const REQUEST_DIR_MODE: Mode = Mode::S_IRWXU.union(Mode::S_IXGRP).union(Mode::S_IXOTH);

/// Mode of the FIFOs that init makes for the worker, which is another user. Whoever could open one must be
/// in the sandbox, or have its request directory.
const OPEN_TO_THE_WORKER: Mode = Mode::from_bits_truncate(0o666);

/// The most that an entry of a listing takes in a message beside its name: two lengths and a kind.
const ENTRY_BYTES: usize = 16;

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

    /// Lists a directory, in whatever order it is in: at most `limit` entries, and no more than one message
    /// has room for.
    pub fn list(&self, root: Root, path: Option<&str>, limit: usize) -> io::Result<InitReply> {
        let path = CString::new(path.unwrap_or(".")).map_err(io::Error::other)?;
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let directory = open_beneath(self.directory(root)?, &path, flags, 0)?;
        let mut listed = Dir::new(directory)?;
        let (mut entries, mut room, mut truncated) = (Vec::new(), MAX_CHUNK, false);
        while let Some(entry) = listed.next() {
            let name = entry?.file_name().to_owned();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let left = room.checked_sub(name.as_bytes().len() + ENTRY_BYTES);
            let Some(left) = left.filter(|_| entries.len() < limit) else {
                truncated = true;
                break;
            };
            // Of one that has just been removed nothing is said.
            let Ok(found) = statat(listed.fd()?, &name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            room = left;
            let kind = match FileType::from_raw_mode(found.st_mode) {
                FileType::RegularFile => FileKind::Regular,
                FileType::Directory => FileKind::Directory,
                FileType::Symlink => FileKind::Symlink,
                FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => FileKind::Special,
            };
            let size = u64::try_from(found.st_size).unwrap_or_default();
            entries.push(FileEntry { name: name.into_bytes(), kind, size });
        }
        Ok(InitReply::Listed { entries, truncated })
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
    use crate::sandbox::linux::wire::channel::MAX_PACKET;
    use crate::sandbox::linux::wire::init::FromInit;

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

    #[test]
    fn a_listing_names_what_is_there_and_follows_nothing() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = || OwnedFd::from(File::open(home.path()).expect("it is there"));
        let files = Files { workspace: directory(), requests: directory() };
        let list = |path: Option<&str>, limit| match files.list(Root::Workspace, path, limit) {
            Ok(InitReply::Listed { mut entries, truncated }) => {
                entries.sort_by(|one, other| one.name.cmp(&other.name));
                Ok((entries, truncated))
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.kind()),
        };
        assert_eq!(list(None, 10), Ok((Vec::new(), false)));
        fs::write(home.path().join("file"), b"12345").expect("room");
        fs::create_dir(home.path().join("folder")).expect("a folder");
        symlink("folder", home.path().join("link")).expect("a link");
        mkfifoat(&files.workspace, "pipe", Mode::S_IRWXU).expect("a FIFO");
        let (entries, truncated) = list(None, 10).expect("a directory");
        let kinds: Vec<_> =
            entries.iter().map(|entry| (entry.name.as_slice(), entry.kind)).collect();
        let expected = [
            (&b"file"[..], FileKind::Regular),
            (b"folder", FileKind::Directory),
            (b"link", FileKind::Symlink),
            (b"pipe", FileKind::Special),
        ];
        assert_eq!((kinds.as_slice(), truncated), (&expected[..], false));
        assert_eq!(entries[0].size, 5);
        assert!(list(None, 3).is_ok_and(|(entries, truncated)| entries.len() == 3 && truncated));
        assert!(list(None, 0).is_ok_and(|(entries, truncated)| entries.is_empty() && truncated));
        assert_eq!(list(Some("folder"), 0), Ok((Vec::new(), false)));
        assert_eq!(list(Some("missing"), 10), Err(io::ErrorKind::NotFound));
        assert_eq!(list(Some("file"), 10), Err(io::ErrorKind::NotADirectory));
        for refused in ["link", "link/..", "../", "/"] {
            assert!(list(Some(refused), 10).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_listing_has_room_in_a_message() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = || OwnedFd::from(File::open(home.path()).expect("it is there"));
        let files = Files { workspace: directory(), requests: directory() };
        for number in 0..400 {
            fs::write(home.path().join(format!("{number:0>250}")), b"").expect("room");
        }
        let reply = files.list(Root::Workspace, None, usize::MAX).expect("a directory");
        assert!(matches!(&reply, InitReply::Listed { truncated: true, .. }));
        let message = FromInit::Reply { sequence: u64::MAX, reply };
        let bytes = postcard::to_stdvec(&message).expect("room");
        assert!((MAX_CHUNK / 2..MAX_PACKET).contains(&bytes.len()), "{} bytes", bytes.len());
    }
}
