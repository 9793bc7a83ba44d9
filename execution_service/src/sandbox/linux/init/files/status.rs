//! What `stat` says, in the worker's words.

use rustix::fs::{FileType, Stat};

use crate::sandbox::files::{FileKind, FileStatus, Moment};

/// Of what `stat` found.
pub fn status_of(stat: &Stat) -> FileStatus {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::Regular,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => FileKind::Special,
    };
    FileStatus {
        kind,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        mode: stat.st_mode & 0o7777,
        modified: moment(stat.st_mtime, stat.st_mtime_nsec),
        changed: moment(stat.st_ctime, stat.st_ctime_nsec),
        inode: stat.st_ino,
    }
}

fn moment(seconds: i64, nanos: impl TryInto<u32>) -> Moment {
    Moment { seconds, nanos: nanos.try_into().unwrap_or_default() }
}
