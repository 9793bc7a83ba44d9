//! Reads the files out of a workspace that somebody wants, when the program has ended.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Artifact, Collected, Omitted, Patterns, Reason};
use crate::execution::outputs::{Kept, Outputs};
use crate::sandbox::backend::{Sandbox, SandboxError};
use crate::sandbox::files::{FileKind, FilePath, FileStatus, TreeEntry};

/// How long it may take in all: so much longer an answer is owed.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Most files of a run, and most that are named because they are not stored.
const MOST: usize = 100;
/// Bytes of one.
const LARGEST: u64 = 32 << 20;
/// Bytes of all.
const TOTAL: u64 = 64 << 20;
/// Names that are looked at.
const NAMES: usize = 20_000;
/// Bytes of the paths that are told, of all together: an answer is not made of names.
const PATHS: usize = 64 << 10;

/// For whom, and where to.
struct Collection<'a> {
    sandbox: &'a dyn Sandbox,
    store: Option<&'a Arc<Outputs>>,
    id: &'a str,
    owner: &'a str,
    deadline: Instant,
    total: u64,
    paths: usize,
    collected: Collected,
}

/// Stores what matches of the files in `sandbox`, as what `owner`'s run `id` has left. `taken` are the names that
/// it has given away already.
pub async fn collect(
    sandbox: &dyn Sandbox,
    patterns: &Patterns,
    store: Option<&Arc<Outputs>>,
    (id, owner): (&str, &str),
    taken: &BTreeSet<FilePath>,
) -> Collected {
    let deadline = Instant::now() + PATIENCE;
    let collected = Collected::default();
    let mut collection =
        Collection { sandbox, store, id, owner, deadline, total: 0, paths: 0, collected };
    match timeout_at(deadline, sandbox.tree(None, patterns.depth(), NAMES)).await {
        Ok(Ok(tree)) => {
            collection.collected.truncated = tree.truncated;
            for entry in tree.entries.into_iter().filter(|entry| patterns.matches(&entry.path)) {
                collection.take(entry, taken).await;
            }
        }
        // User code has seen to it that nothing can be looked at in time.
        Ok(Err(_)) | Err(_) => collection.collected.truncated = true,
    }
    collection.collected
}

impl Collection<'_> {
    async fn take(&mut self, entry: TreeEntry, taken: &BTreeSet<FilePath>) {
        let TreeEntry { path, status: FileStatus { kind, size, .. }, target: _ } = entry;
        if kind == FileKind::Directory {
            return;
        }
        self.paths += path.as_bytes().len();
        if self.paths > PATHS {
            self.collected.truncated = true;
            return;
        }
        let stored = match self.refusal(kind, size, taken.contains(&path)) {
            Some(reason) => Err(reason),
            None => self.store(&path, size).await,
        };
        match stored {
            Ok(artifact) => {
                self.total += artifact.size;
                self.collected.artifacts.push(artifact);
            }
            Err(_) if self.collected.omitted.len() == MOST => self.collected.truncated = true,
            Err(reason) => self.collected.omitted.push(Omitted { path, size, reason }),
        }
    }

    /// Why a file is not even begun with.
    fn refusal(&self, kind: FileKind, size: u64, taken: bool) -> Option<Reason> {
        if kind != FileKind::Regular {
            Some(Reason::NotRegular)
        } else if taken {
            Some(Reason::NameTaken)
        } else if size > LARGEST {
            Some(Reason::TooLarge)
        } else if self.total + size > TOTAL {
            Some(Reason::TotalTooLarge)
        } else if self.collected.artifacts.len() == MOST {
            Some(Reason::TooMany)
        } else if Instant::now() >= self.deadline {
            Some(Reason::TooSlow)
        } else {
            None
        }
    }

    /// Piece by piece, so that no more than that of it is in memory.
    async fn store(&self, path: &FilePath, size: u64) -> Result<Artifact, Reason> {
        let store = self.store.ok_or(Reason::NoRoom)?;
        let kept = Kept::Artifact(path.clone());
        let keeping = timeout_at(self.deadline, store.keep(self.id, kept, self.owner, size)).await;
        let mut keeping = keeping.map_err(|_| Reason::TooSlow)?.ok_or(Reason::NoRoom)?;
        let mut file = self.in_time(self.sandbox.open(path)).await?;
        // Another file, or another size than was listed: somebody is at it.
        let FileStatus { kind, size: now, .. } = file.status();
        if kind != FileKind::Regular || now != size {
            return Err(Reason::Unreadable);
        }
        self.in_time(file.begin(0, size)).await?;
        let mut read: u64 = 0;
        while read < size {
            let piece = self.in_time(file.next()).await?.ok_or(Reason::Unreadable)?;
            read += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if read > size {
                return Err(Reason::Unreadable);
            }
            let written = timeout_at(self.deadline, keeping.append(piece)).await;
            written.map_err(|_| Reason::TooSlow)?.map_err(|_| Reason::NoRoom)?;
        }
        let until = keeping.publish();
        Ok(Artifact { path: path.clone(), size, until })
    }

    /// What comes of something that is done inside.
    async fn in_time<T>(
        &self,
        doing: impl Future<Output = Result<T, SandboxError>>,
    ) -> Result<T, Reason> {
        let done = timeout_at(self.deadline, doing).await;
        done.map_err(|_| Reason::TooSlow)?.map_err(|_| Reason::Unreadable)
    }
}
