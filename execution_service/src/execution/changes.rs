//! Which files of a session's workspace were changed while a run went on.
//!
//! The workspace is listed when a run has ended, beside its account. The listing is what the next run begins
//! with, if nothing else has happened in the session by then; otherwise there is a new one first. What was
//! changed is what is another file now, and was touched since the run began: nobody can set the time of that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::timeout;

use crate::sandbox::backend::Sandbox;
use crate::sandbox::files::{FileKind, FilePath, FileStatus, Moment, Tree, TreeEntry};

/// Most changes that are told.
const MOST: usize = 200;
/// Bytes of the paths that are told, of all together.
const PATHS: usize = 32 << 10;
/// Names of a workspace that are looked at. A listing of them is kept with each session.
const NAMES: usize = 1024;
/// How far down is looked, in directories.
const DEEPEST: u32 = 16;
/// How long a listing may take, which is a fraction of a millisecond unless user code sees to it that it is not.
const PATIENCE: Duration = Duration::from_millis(500);

/// What was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// By path.
    pub files: Vec<FileChange>,
    /// There were more, or more names than are looked at.
    pub truncated: bool,
}

/// What was done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// What it is called.
    pub path: FilePath,
    /// What was done.
    pub change: Change,
    /// In bytes, when the run had ended; absent when it was removed.
    pub size: Option<u64>,
}

/// What can be done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Created,
    /// It was there before, and is another one now or was written to.
    Modified,
    /// It is not there any more.
    Removed,
}

impl Change {
    /// As in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Removed => "removed",
        }
    }
}

/// A workspace as it was before a run.
#[derive(Clone, Debug)]
pub struct Before {
    listing: Arc<Tree>,
    began: Moment,
}

impl Before {
    /// As it is `known` to be, or else as it is now.
    pub async fn of(sandbox: &dyn Sandbox, known: Option<Arc<Tree>>) -> Option<Self> {
        let listing = match known {
            Some(known) => known,
            None => listing(sandbox).await?,
        };
        Some(Self { listing, began: now() })
    }

    /// What is another file in `after`, for whatever reason.
    pub fn compared(&self, after: &Tree) -> Changes {
        let before = by_path(&self.listing);
        let now = by_path(after);
        let mut changes = Changes::default();
        let mut paths = 0;
        let mut tell = |path: &FilePath, change, size| {
            paths += path.as_bytes().len();
            if changes.files.len() == MOST || paths > PATHS {
                changes.truncated = true;
            } else {
                changes.files.push(FileChange { path: path.clone(), change, size });
            }
        };
        // What is in a directory that has come here did not change itself.
        let mut arrived = BTreeSet::new();
        let all: BTreeSet<&FilePath> = before.keys().chain(now.keys()).copied().collect();
        for path in all {
            let (was, is) = (before.get(path).copied(), now.get(path).copied());
            let touched = is.is_some_and(|is| is.changed >= self.began);
            let came = touched || is_below(path, &arrived);
            let regular = |status: Option<FileStatus>| {
                status.filter(|status| status.kind == FileKind::Regular)
            };
            match (regular(was), regular(is)) {
                (None, Some(is)) if came => tell(path, Change::Created, Some(is.size)),
                (Some(was), Some(is)) if was != is && came => {
                    tell(path, Change::Modified, Some(is.size));
                }
                (Some(_), None) if self.was_removed(path, &now) => {
                    tell(path, Change::Removed, None);
                }
                _ => {}
            }
            let is_another = is.is_some_and(|is| was.is_none_or(|was| was.inode != is.inode));
            if came && is_another && is.is_some_and(|is| is.kind == FileKind::Directory) {
                arrived.insert(path.as_bytes());
            }
        }
        // Of what lies deeper than either of them nothing is known.
        changes.truncated |= self.listing.truncated || after.truncated;
        changes
    }

    /// Whether what is not there any more has gone since the run began, as far as the directory that it was in
    /// can tell. Nothing is known of the workspace itself.
    fn was_removed(&self, path: &FilePath, now: &BTreeMap<&FilePath, FileStatus>) -> bool {
        let bytes = path.as_bytes();
        let above = bytes.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
        let above = above.filter_map(|(end, _)| FilePath::parse(Vec::from(&bytes[..end])).ok());
        let nearest = above.filter_map(|directory| now.get(&directory).copied()).next();
        nearest.is_none_or(|directory| directory.changed >= self.began)
    }
}

/// The workspace as it is; nothing if that cannot be seen in time.
pub async fn listing(sandbox: &dyn Sandbox) -> Option<Arc<Tree>> {
    let listed = timeout(PATIENCE, sandbox.tree(None, DEEPEST, NAMES)).await;
    let mut tree = listed.ok()?.ok()?;
    tree.entries.retain(|entry| !is_hidden(&entry.path));
    Some(Arc::new(tree))
}

/// What no caller wants to hear of: what interpreters and tools keep for themselves.
fn is_hidden(path: &FilePath) -> bool {
    const CACHES: [&[u8]; 10] = [
        b"__pycache__",
        b".ipynb_checkpoints",
        b".cache",
        b".config",
        b".local",
        b".npm",
        b".matplotlib",
        b".pytest_cache",
        b".mypy_cache",
        b".ruff_cache",
    ];
    path.as_bytes().split(|byte| *byte == b'/').any(|part| CACHES.contains(&part))
}

fn by_path(tree: &Tree) -> BTreeMap<&FilePath, FileStatus> {
    tree.entries.iter().map(|TreeEntry { path, status, .. }| (path, *status)).collect()
}

fn is_below(path: &FilePath, directories: &BTreeSet<&[u8]>) -> bool {
    let bytes = path.as_bytes();
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    !directories.is_empty() && ends.any(|(end, _)| directories.contains(&bytes[..end]))
}

/// By the clock that file systems write their times by, which is behind the exact one by up to a tick.
fn now() -> Moment {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    Moment { seconds: now.tv_sec, nanos: u32::try_from(now.tv_nsec).unwrap_or_default() }
}

#[cfg(test)]
mod tests;
