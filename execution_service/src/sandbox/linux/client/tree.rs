//! Lists what is below a directory: level by level, a message's worth of directories at a time.

use std::collections::VecDeque;

use super::sandbox::{LinuxSandbox, PATIENT};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{FileKind, FilePath, Tree, TreeEntry};
use crate::sandbox::linux::wire::channel::MAX_CHUNK;
use crate::sandbox::linux::wire::files::{DirectoryFrom, Found, Listed};
use crate::sandbox::linux::wire::init::{InitReply, InitRequest};

/// Most directories in one request.
const MOST_DIRECTORIES: usize = 256;

/// Most bytes of paths and targets in one tree: those of a hostile one would be as much as memory.
const MOST_OF_NAMES: usize = 4 << 20;

/// A walk that goes on.
struct Walk {
    /// Nearest to the top first, each with its level.
    ahead: VecDeque<(DirectoryFrom, u32)>,
    tree: Tree,
    depth: u32,
    limit: usize,
    names: usize,
}

impl LinuxSandbox {
    pub(super) async fn walk(
        &self,
        directory: Option<&FilePath>,
        depth: u32,
        limit: usize,
    ) -> Result<Tree, SandboxError> {
        let top = DirectoryFrom { path: directory.cloned(), from: 0 };
        let (ahead, tree) = (VecDeque::from([(top, 1)]), Tree::default());
        let mut walk = Walk { ahead, tree, depth, limit, names: MOST_OF_NAMES };
        let mut is_top = true;
        while walk.goes_on() {
            let request = InitRequest::Tree { directories: walk.next() };
            let InitReply::Tree(listed) = self.ask(request, PATIENT).await? else {
                return Err(SandboxError::Gone);
            };
            if let (true, Some(Listed::Failed(error))) = (is_top, listed.first()) {
                return Err(SandboxError::File(*error));
            }
            is_top = false;
            // An init that user code has taken over could say what cannot be.
            walk.take(listed).ok_or(SandboxError::Gone)?;
        }
        let Walk { ahead, mut tree, .. } = walk;
        tree.truncated |= !ahead.is_empty();
        tree.entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(tree)
    }
}

impl Walk {
    fn goes_on(&self) -> bool {
        !self.ahead.is_empty() && self.tree.entries.len() < self.limit
    }

    /// The directories for one request; they stay ahead until they are listed.
    fn next(&self) -> Vec<DirectoryFrom> {
        let mut room = MAX_CHUNK;
        let fits = |(directory, _): &&(DirectoryFrom, u32)| {
            let takes = 16 + directory.path.as_ref().map_or(0, |path| path.as_bytes().len());
            let left = room.checked_sub(takes);
            room = left.unwrap_or_default();
            left.is_some()
        };
        let ahead = self.ahead.iter().take(MOST_DIRECTORIES).take_while(fits);
        ahead.map(|(directory, _)| directory.clone()).collect()
    }

    /// Takes in what init said of the first directories ahead; nothing if that cannot be.
    fn take(&mut self, listed: Vec<Listed>) -> Option<()> {
        // With nothing we could be kept here for ever.
        if listed.is_empty() {
            return None;
        }
        for one in listed {
            let (mut directory, level) = self.ahead.pop_front()?;
            let (entries, next) = match one {
                Listed::Whole { entries } => (entries, None),
                Listed::Part { entries, next } => (entries, Some(next)),
                // It was removed meanwhile, or user code has closed it.
                Listed::Failed(_) => continue,
            };
            let progress = !entries.is_empty() || next.is_some_and(|next| next != directory.from);
            for found in entries {
                self.add(directory.path.as_ref(), found, level)?;
            }
            if let Some(next) = next {
                directory.from = next;
                self.ahead.push_front((directory, level));
                return progress.then_some(());
            }
        }
        Some(())
    }

    /// Takes in one entry; nothing for one that cannot be.
    fn add(&mut self, directory: Option<&FilePath>, found: Found, level: u32) -> Option<()> {
        let Found { name, status, target } = found;
        if name.is_empty() || name.contains(&b'/') || name.contains(&0) {
            return None;
        }
        // User code can go deeper than a path is long.
        let Ok(path) = FilePath::join(directory, &name) else {
            self.tree.truncated = true;
            return Some(());
        };
        let takes = path.as_bytes().len() + target.as_ref().map_or(0, Vec::len);
        let left = self.names.checked_sub(takes);
        let Some(left) = left.filter(|_| self.tree.entries.len() < self.limit) else {
            self.tree.truncated = true;
            // No more is wanted.
            self.limit = self.limit.min(self.tree.entries.len());
            return Some(());
        };
        self.names = left;
        if status.kind == FileKind::Directory && level < self.depth {
            let below = DirectoryFrom { path: Some(path.clone()), from: 0 };
            self.ahead.push_back((below, level + 1));
        }
        self.tree.entries.push(TreeEntry { path, status, target });
        Some(())
    }
}
