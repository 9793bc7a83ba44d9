//! Files that are only in memory, in no directories but those that their paths name.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::Operation;
use super::inside::Inside;
use super::sandbox::FakeSandbox;
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{
    Condition, FileError, FileKind, FileMode, FilePath, FileStatus, FileSystem, MOST_OF_A_PIECE,
    Moment, NewFile, Placing, Reader, Root, Tree, TreeEntry, Writer, Written,
};

/// Of a file of `size` bytes, or a directory of none.
fn status(kind: FileKind, size: u64, mode: u32) -> FileStatus {
    let (modified, changed) = (Moment::default(), Moment::default());
    FileStatus { kind, size, mode, modified, changed, inode: 0 }
}

/// The mode, as a file system has it.
fn bits(mode: FileMode) -> u32 {
    match mode {
        FileMode::Regular => 0o644,
        FileMode::Executable => 0o755,
    }
}

impl Inside {
    fn status(&self, path: &str) -> Option<FileStatus> {
        if let Some((content, mode)) = self.file(Root::Workspace, path) {
            return Some(status(FileKind::Regular, content.len() as u64, bits(mode)));
        }
        let below = format!("{path}/");
        let is_directory = self.paths(Root::Workspace).iter().any(|one| one.starts_with(&below));
        is_directory.then(|| status(FileKind::Directory, 0, 0o755))
    }

    fn content(&self, path: &FilePath) -> Result<Vec<u8>, FileError> {
        match self.file(Root::Workspace, &path.to_string()) {
            Some((content, _)) => Ok(content),
            None if self.status(&path.to_string()).is_some() => Err(FileError::Directory),
            None => Err(FileError::NotFound),
        }
    }

    fn put(&self, path: &FilePath, content: &[u8], mode: u32) -> FileStatus {
        let mode = if mode & 0o100 == 0 { FileMode::Regular } else { FileMode::Executable };
        self.put_file(Root::Workspace, &path.to_string(), content, mode);
        status(FileKind::Regular, content.len() as u64, bits(mode))
    }
}

struct FakeReader {
    content: Vec<u8>,
    status: FileStatus,
    part: std::ops::Range<usize>,
}

#[async_trait]
impl Reader for FakeReader {
    fn status(&self) -> FileStatus {
        self.status
    }

    async fn begin(&mut self, offset: u64, length: u64) -> Result<(), SandboxError> {
        let at = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(self.content.len());
        self.part = at(offset)..at(offset.saturating_add(length));
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, SandboxError> {
        let end = self.part.end.min(self.part.start + MOST_OF_A_PIECE);
        let piece = Vec::from(&self.content[self.part.start..end]);
        self.part.start = end;
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }
}

struct FakeWriter<'a> {
    inside: &'a Inside,
    path: FilePath,
    new: NewFile,
    content: Vec<u8>,
}

#[async_trait]
impl Writer for FakeWriter<'_> {
    fn replaces(&self) -> Option<FileStatus> {
        self.inside.status(&self.path.to_string())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), SandboxError> {
        self.content.extend_from_slice(bytes);
        Ok(())
    }

    async fn commit(self: Box<Self>, condition: &Condition) -> Result<Written, SandboxError> {
        let there = self.replaces();
        condition.check(there.as_ref())?;
        let before = self.inside.content(&self.path).ok().filter(|_| self.new.append);
        let content = [before.unwrap_or_default(), self.content].concat();
        let mode = self.new.mode.or(there.map(|there| there.mode)).unwrap_or(0o644);
        let status = self.inside.put(&self.path, &content, mode);
        Ok(Written { status, created: there.is_none() })
    }
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
            let ends = below.match_indices('/').map(|(at, _)| at).chain([below.len()]);
            for at in ends.take(depth as usize) {
                let one = &path[..above.len() + at];
                found.extend(self.inside.status(one).map(|status| (Vec::from(one), status)));
            }
        }
        if let (true, Some(directory)) = (found.is_empty(), directory) {
            let is_there = self.inside.status(&directory.to_string()).is_some();
            let error = if is_there { FileError::NotADirectory } else { FileError::NotFound };
            return Err(error.into());
        }
        let entry = |(path, status)| {
            Some(TreeEntry { path: FilePath::parse(path).ok()?, status, target: None })
        };
        let mut entries: Vec<_> = found.into_iter().filter_map(entry).collect();
        entries.sort_by_key(|entry| entry.path.depth());
        let truncated = entries.len() > limit;
        entries.truncate(limit);
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Tree { entries, truncated })
    }

    async fn status(&self, path: &FilePath) -> Result<FileStatus, SandboxError> {
        self.check(Operation::Read).await?;
        let found = self.inside.status(&path.to_string());
        found.ok_or_else(|| FileError::NotFound.into())
    }

    async fn open<'a>(&'a self, path: &FilePath) -> Result<Box<dyn Reader + 'a>, SandboxError> {
        let status = self.status(path).await?;
        let content = self.inside.content(path)?;
        Ok(Box::new(FakeReader { content, status, part: 0..0 }))
    }

    async fn create<'a>(
        &'a self,
        path: &FilePath,
        new: NewFile,
    ) -> Result<Box<dyn Writer + 'a>, SandboxError> {
        self.check(Operation::Write).await?;
        let there = self.inside.status(&path.to_string());
        if there.is_some_and(|there| there.kind == FileKind::Directory) {
            return Err(FileError::Directory.into());
        }
        let (inside, path) = (&*self.inside, path.clone());
        Ok(Box::new(FakeWriter { inside, path, new, content: Vec::new() }))
    }

    async fn make_directory(
        &self,
        path: &FilePath,
        parents: bool,
        _mode: Option<u32>,
    ) -> Result<bool, SandboxError> {
        // It is there when something is in it.
        self.check(Operation::Write).await?;
        match self.inside.status(&path.to_string()).map(|there| there.kind) {
            Some(FileKind::Directory) if parents => Ok(false),
            Some(_) => Err(FileError::Exists.into()),
            None => Ok(true),
        }
    }

    async fn link(&self, path: &FilePath, _target: &[u8]) -> Result<(), SandboxError> {
        self.check(Operation::Write).await?;
        Err(SandboxError::Unsupported(format!("{path}: links in a fake sandbox")))
    }

    async fn remove(
        &self,
        path: &FilePath,
        whole: bool,
        condition: &Condition,
    ) -> Result<(), SandboxError> {
        let there = self.status(path).await?;
        condition.check(Some(&there))?;
        if there.kind == FileKind::Directory && !whole {
            return Err(FileError::NotEmpty.into());
        }
        self.inside.remove_files(Root::Workspace, &path.to_string());
        Ok(())
    }

    async fn rename(
        &self,
        from: &FilePath,
        to: &FilePath,
        placing: Placing,
    ) -> Result<(), SandboxError> {
        self.copy(from, to, placing).await?;
        self.inside.remove_files(Root::Workspace, &from.to_string());
        Ok(())
    }

    async fn copy(
        &self,
        from: &FilePath,
        to: &FilePath,
        placing: Placing,
    ) -> Result<FileStatus, SandboxError> {
        let status = self.status(from).await?;
        let content = self.inside.content(from)?;
        if !placing.overwrite && self.inside.status(&to.to_string()).is_some() {
            return Err(FileError::Exists.into());
        }
        Ok(self.inside.put(to, &content, status.mode))
    }
}
