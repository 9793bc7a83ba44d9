//! Files that are only in memory, in no directories but those that their paths name.

use std::collections::BTreeMap;
use std::io;

use async_trait::async_trait;

use super::Operation;
use super::sandbox::FakeSandbox;
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{
    FileKind, FileMode, FilePath, FileStatus, FileSystem, Moment, Root, Tree, TreeEntry,
};

/// Of a file of `size` bytes, or a directory of none.
fn status(kind: FileKind, size: u64, mode: u32) -> FileStatus {
    let (modified, changed) = (Moment::default(), Moment::default());
    FileStatus { kind, size, mode, modified, changed, inode: 0 }
}

#[async_trait]
impl FileSystem for FakeSandbox {
    async fn tree(
        &self,
        directory: Option<&FilePath>,
        depth: u32,
        limit: usize,
    ) -> Result<Tree, SandboxError> {
        self.check(Operation::List).await?;
        let above = directory.map_or_else(String::new, |directory| format!("{directory}/"));
        let mut found = BTreeMap::new();
        for path in self.inside.paths(Root::Workspace) {
            let Some(below) = path.strip_prefix(&above) else {
                continue;
            };
            let ends = below.match_indices('/').map(|(at, _)| at);
            for at in ends.take(depth as usize) {
                let folder = Vec::from(&path[..above.len() + at]);
                found.insert(folder, status(FileKind::Directory, 0, 0o755));
            }
            if below.matches('/').count() < depth as usize
                && let Some((content, mode)) = self.inside.file(Root::Workspace, &path)
            {
                let mode = if mode == FileMode::Executable { 0o755 } else { 0o644 };
                let file = status(FileKind::Regular, content.len() as u64, mode);
                found.insert(path.into_bytes(), file);
            }
        }
        if let (true, Some(directory)) = (found.is_empty(), directory) {
            let source = io::Error::from(io::ErrorKind::NotFound);
            return Err(SandboxError::File { path: directory.to_string(), source });
        }
        let mut entries: Vec<_> = found
            .into_iter()
            .filter_map(|(path, status)| {
                Some(TreeEntry { path: FilePath::parse(path).ok()?, status, target: None })
            })
            .collect();
        entries.sort_by_key(|entry| entry.path.depth());
        let truncated = entries.len() > limit;
        entries.truncate(limit);
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Tree { entries, truncated })
    }
}
