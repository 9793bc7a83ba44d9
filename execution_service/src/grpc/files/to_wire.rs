//! Files in the words of the wire.

use std::time::UNIX_EPOCH;

use proto::execution_v1 as wire;

use crate::files::unpack::Unpacked;
use crate::files::watch::{Change, ChangeKind};
use crate::sandbox::files::{FileKind, FileStatus, Tree, TreeEntry};
use crate::worker::files::{Changes, Found};

pub fn info(status: &FileStatus) -> wire::FileInfo {
    let kind = match status.kind {
        FileKind::Regular => wire::FileKind::Regular,
        FileKind::Directory => wire::FileKind::Directory,
        FileKind::Symlink => wire::FileKind::Symlink,
        FileKind::Special => wire::FileKind::Special,
    };
    let time = status.modified.time();
    let modified_at_ms = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    };
    wire::FileInfo {
        kind: i32::from(kind),
        size: status.size,
        mode: status.mode,
        modified_at_ms,
        version: status.version().map(|version| version.to_string()).unwrap_or_default(),
    }
}

fn entry(TreeEntry { path, status, target }: TreeEntry) -> wire::FileEntry {
    wire::FileEntry {
        path: Vec::from(path).into(),
        info: Some(info(&status)),
        target: target.unwrap_or_default().into(),
    }
}

pub fn tree(Tree { entries, truncated }: Tree) -> wire::ListFilesResponse {
    wire::ListFilesResponse { entries: entries.into_iter().map(entry).collect(), truncated }
}

pub fn found(found: &Found) -> wire::FileFound {
    let Found { status, part: (offset, length), not_modified, no_such_range, partial } = *found;
    let info = Some(info(&status));
    wire::FileFound { info, offset, length, not_modified, no_such_range, partial }
}

pub fn changes(Changes { changes, truncated }: Changes) -> wire::FileChanges {
    let change = |Change { kind, entry: of }| {
        let kind = match kind {
            ChangeKind::Created => wire::file_change::Kind::Created,
            ChangeKind::Modified => wire::file_change::Kind::Modified,
            ChangeKind::Removed => wire::file_change::Kind::Removed,
        };
        wire::FileChange { kind: i32::from(kind), entry: Some(entry(of)) }
    };
    let changes = changes.into_iter().map(change).collect();
    wire::FileChanges { changes, truncated, ended: String::new() }
}

pub fn unpacked(unpacked: &Unpacked) -> wire::ArchiveUnpacked {
    let Unpacked { files, directories, links, bytes } = *unpacked;
    wire::ArchiveUnpacked { files, directories, links, bytes }
}
