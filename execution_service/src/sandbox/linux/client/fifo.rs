//! The FIFOs of a kernel that opens its control channel by name. Whatever init and user code have put
//! there is looked at before it is opened.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use async_trait::async_trait;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};

use tokio::net::unix::pipe::Sender;
use tokio::time::sleep;

use crate::sandbox::backend::{Fifo, InputStream};
use crate::sandbox::linux::syscall::open_beneath;

/// Between two looks whether a FIFO is read: at first, and at last.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LAST_PAUSE: Duration = Duration::from_millis(16);

/// Opens the FIFO `name` below `directory`, both ways: its other side opens and closes it for each
/// message, so that there is always somebody there.
///
/// # Errors
/// `InvalidData` if it is none; those of `openat2(2)`.
pub fn open_fifo(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<OwnedFd> {
    NamedFifo::find(directory, name)?.open(OFlag::O_RDWR)
}

/// A FIFO that is there, and which nobody has opened by this.
pub struct NamedFifo(OwnedFd);

impl NamedFifo {
    /// The FIFO `name` below `directory`.
    ///
    /// # Errors
    /// `InvalidData` if it is none; those of `openat2(2)`.
    pub fn find(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<Self> {
        // Nothing happens to a file that is opened in this way, and it cannot become another afterwards.
        let found = open_beneath(directory, name, libc::O_PATH | libc::O_NOFOLLOW, 0)?;
        if !is_of_kind(&found, SFlag::S_IFIFO)? {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "something that is no FIFO"));
        }
        Ok(Self(found))
    }

    fn open(&self, access: OFlag) -> io::Result<OwnedFd> {
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        let flags = access | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        open(path.as_str(), flags, Mode::empty()).map_err(io::Error::from)
    }
}

#[async_trait]
impl Fifo for NamedFifo {
    async fn until_it_is_read(self: Box<Self>) -> io::Result<InputStream> {
        let mut pause = FIRST_PAUSE;
        loop {
            // Refused until somebody reads, or waits for somebody to write.
            match self.open(OFlag::O_WRONLY) {
                Ok(fifo) => return Ok(Box::new(Sender::from_owned_fd(fifo)?)),
                Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {}
                Err(error) => return Err(error),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }
}

/// What init calls a directory of the sandbox, if it is one in memory: to ask about it must not take time.
pub fn directory(given: OwnedFd) -> Option<OwnedFd> {
    let directory = is_of_kind(&given, SFlag::S_IFDIR).unwrap_or(false);
    let in_memory = fstatfs(&given).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC);
    (directory && in_memory).then_some(given)
}

fn is_of_kind(fd: impl AsFd, kind: SFlag) -> io::Result<bool> {
    Ok(SFlag::from_bits_truncate(fstat(fd)?.st_mode) & SFlag::S_IFMT == kind)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use nix::unistd::mkfifo;
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[test]
    fn only_fifos_are_opened_whatever_has_their_name() {
        let home = tempfile::tempdir().expect("a directory");
        let at = |name: &str| home.path().join(name);
        mkfifo(&at("fifo"), Mode::S_IRWXU).expect("a FIFO");
        fs::create_dir(at("folder")).expect("a folder");
        fs::write(at("file"), b"text").expect("room");
        symlink("fifo", at("link")).expect("a link");
        let _socket = UnixListener::bind(at("socket")).expect("a socket");
        let directory = File::open(home.path()).expect("it is there");
        let opened = |name: &CStr| open_fifo(directory.as_fd(), name).is_ok();
        assert!(opened(c"fifo"));
        for other in [c"folder", c"file", c"link", c"socket", c"missing", c"../fifo", c"/dev/zero"]
        {
            assert!(!opened(other), "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_fifo_is_opened_when_it_is_read_and_loses_nothing() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("fifo");
        mkfifo(&path, Mode::S_IRWXU).expect("a FIFO");
        let directory = File::open(home.path()).expect("it is there");
        let fifo = NamedFifo::find(directory.as_fd(), c"fifo").expect("it is one");
        let reading = tokio::task::spawn_blocking(move || fs::read(path));
        let mut writer = Box::new(fifo).until_it_is_read().await.expect("somebody reads");
        writer.write_all(b"all of it").await.expect("there is room");
        drop(writer);
        let read = reading.await.expect("no panic").expect("it is read");
        assert_eq!(read, b"all of it");
    }

    #[test]
    fn only_a_directory_in_memory_is_one_of_a_sandbox() {
        for other in ["/proc/self", "/proc/self/status", "/dev/null"] {
            assert!(directory(File::open(other).expect(other).into()).is_none(), "{other}");
        }
        let shm = File::open("/dev/shm").map(OwnedFd::from);
        match shm.map(directory) {
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => eprintln!("skipped: a directory in memory (no tmpfs at /dev/shm)"),
        }
    }
}
