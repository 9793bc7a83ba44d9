//! What has changed between two looks at a directory. The kernel would tell of every change at once, by inotify; but
//! that is refused in sandboxes, because its instances are counted for the host's user.

use std::collections::BTreeMap;

use crate::sandbox::files::{FileKind, FilePath, Tree, TreeEntry};

/// What was seen at the last look.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<FilePath, TreeEntry>);

/// One name that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How.
    pub kind: ChangeKind,
    /// As it is, or as it was before it was removed.
    pub entry: TreeEntry,
}

/// How something has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there.
    Created,
    /// It is another file by that name, or has changed. A directory changes by what is in it.
    Modified,
    /// It is not there.
    Removed,
}

impl Seen {
    /// What is there when one begins to watch.
    pub fn first(tree: Tree) -> Self {
        Self(by_path(tree))
    }

    /// What has changed since the last look, by path.
    pub fn look(&mut self, tree: Tree) -> Vec<Change> {
        let mut before = std::mem::replace(&mut self.0, by_path(tree));
        let mut changes = Vec::new();
        for (path, entry) in &self.0 {
            let kind = match before.remove(path) {
                None => ChangeKind::Created,
                Some(old) if is_changed(&old, entry) => ChangeKind::Modified,
                Some(_) => continue,
            };
            changes.push(Change { kind, entry: entry.clone() });
        }
        let gone = before.into_values();
        changes.extend(gone.map(|entry| Change { kind: ChangeKind::Removed, entry }));
        changes.sort_by(|one, other| one.entry.path.cmp(&other.entry.path));
        changes
    }
}

fn by_path(tree: Tree) -> BTreeMap<FilePath, TreeEntry> {
    tree.entries.into_iter().map(|entry| (entry.path.clone(), entry)).collect()
}

fn is_changed(old: &TreeEntry, new: &TreeEntry) -> bool {
    match (old.status.kind, new.status.kind) {
        (FileKind::Directory, FileKind::Directory) => false,
        _ => old != new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::files::{FileStatus, Moment};

    fn tree(entries: &[(&str, FileKind, u64)]) -> Tree {
        let entry = |(path, kind, size): &(&str, FileKind, u64)| TreeEntry {
            path: FilePath::parse(Vec::from(*path)).expect("a path"),
            status: FileStatus {
                kind: *kind,
                size: *size,
                mode: 0o644,
                modified: Moment { seconds: size.cast_signed(), nanos: 0 },
                changed: Moment::default(),
                inode: 1,
            },
            target: None,
        };
        Tree { entries: entries.iter().map(entry).collect(), truncated: false }
    }

    #[test]
    fn changes_are_what_differs() {
        use FileKind::{Directory, Regular};
        let mut seen = Seen::first(tree(&[("a", Directory, 1), ("a/x", Regular, 1)]));
        let mut look = |entries: &[(&str, FileKind, u64)]| {
            let changes = seen.look(tree(entries)).into_iter();
            let told = changes.map(|one| (one.entry.path.to_string(), one.kind));
            told.collect::<Vec<_>>()
        };
        let told = |path: &str, kind| (String::from(path), kind);
        use ChangeKind::{Created, Modified, Removed};
        assert_eq!(look(&[("a", Directory, 2), ("a/x", Regular, 1)]), []);
        let after = look(&[("a", Directory, 2), ("a/x", Regular, 3), ("b", Regular, 0)]);
        assert_eq!(after, [told("a/x", Modified), told("b", Created)]);
        assert_eq!(
            look(&[("a", Regular, 2)]),
            [told("a", Modified), told("a/x", Removed), told("b", Removed),]
        );
        assert_eq!(look(&[("a", Regular, 2)]), []);
    }
}
