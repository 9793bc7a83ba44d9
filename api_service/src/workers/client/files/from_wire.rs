//! Files, from the wire.

use proto::execution_v1 as wire;

use super::Changes;
use crate::domain::files::{
    ChangeKind, FileChange, FileEntry, FileInfo, FileKind, FilePath, Listing,
};
use crate::domain::timestamp::Timestamp;
use crate::workers::client::Error;

/// The years 1 and 9999, in milliseconds: programs set other times, which no date can say.
const OLDEST: i64 = -62_135_596_800_000;
const NEWEST: i64 = 253_402_300_799_000;

pub(super) fn info(info: wire::FileInfo) -> Result<FileInfo, Error> {
    let wire::FileInfo { kind, size, mode, modified_at_ms, version } = info;
    let kind = match wire::FileKind::try_from(kind) {
        Ok(wire::FileKind::Regular) => FileKind::File,
        Ok(wire::FileKind::Directory) => FileKind::Directory,
        Ok(wire::FileKind::Symlink) => FileKind::Link,
        Ok(wire::FileKind::Special) => FileKind::Special,
        Ok(wire::FileKind::Unspecified) | Err(_) => {
            return Err(Error::Malformed("a file of no kind"));
        }
    };
    let modified_at = Timestamp::from_millis(modified_at_ms.clamp(OLDEST, NEWEST));
    // It goes into a header, in quotes.
    let plain = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain {
        return Err(Error::Malformed("a version that is none"));
    }
    let version = Some(version).filter(|version| !version.is_empty());
    Ok(FileInfo { kind, size, mode, modified_at, version })
}

pub(super) fn some_info(found: Option<wire::FileInfo>) -> Result<FileInfo, Error> {
    info(found.ok_or(Error::Malformed("nothing of a file"))?)
}

fn entry(entry: wire::FileEntry) -> Result<FileEntry, Error> {
    let wire::FileEntry { path, info, target } = entry;
    let path = FilePath::parse(path.into());
    Ok(FileEntry {
        path: path.map_err(|_| Error::Malformed("a path that is none"))?,
        info: some_info(info)?,
        target: Some(Vec::from(target)).filter(|target| !target.is_empty()),
    })
}

pub(super) fn listing(listed: wire::ListFilesResponse) -> Result<Listing, Error> {
    let wire::ListFilesResponse { entries, truncated } = listed;
    let entries = entries.into_iter().map(entry).collect::<Result<_, _>>()?;
    Ok(Listing { entries, truncated })
}

pub(super) fn changes(changes: wire::FileChanges) -> Result<Changes, Error> {
    let wire::FileChanges { changes, truncated, ended } = changes;
    let change = |change: wire::FileChange| {
        let kind = match change.kind() {
            wire::file_change::Kind::Created => ChangeKind::Created,
            wire::file_change::Kind::Modified => ChangeKind::Modified,
            wire::file_change::Kind::Removed => ChangeKind::Removed,
            wire::file_change::Kind::Unspecified => {
                return Err(Error::Malformed("a change of no kind"));
            }
        };
        let changed = change.entry.ok_or(Error::Malformed("a change of nothing"))?;
        Ok(FileChange { kind, entry: entry(changed)? })
    };
    let changes = changes.into_iter().map(change).collect::<Result<_, _>>()?;
    Ok(Changes { changes, truncated, ended: Some(ended).filter(|ended| !ended.is_empty()) })
}
