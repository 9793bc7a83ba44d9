//! The journal: changes of executions that are answered before they are in the database.
//!
//! What `write` has given to the kernel outlives this process, however it ends, and costs about
//! ten microseconds; two transactions cost hundreds. One JSON object a line, in a file that its gateway
//! holds locked; a file without a holder was left behind by a gateway that was killed.

use std::borrow::Cow;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ExecutionRow;
use crate::domain::ids::{BootId, ExecutionId};

/// A file longer than this, in bytes, is left for a new one: replaying it takes a moment, and it
/// is smaller than what a busy gateway has in memory anyway.
const LONG: u64 = 4 << 20;
const SUFFIX: &str = "journal";

/// One change of an execution. The last of each counts.
#[derive(Debug, Clone)]
pub enum Change {
    /// This is how far it got.
    Put(Arc<ExecutionRow>),
    /// The worker refused it: nothing ran.
    TakeBack(ExecutionId),
}

/// A change as it stands in a line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Put(Cow<'a, ExecutionRow>),
    TakeBack(Cow<'a, str>),
}

impl Change {
    /// Of which execution.
    pub fn execution(&self) -> &str {
        match self {
            Self::Put(row) => &row.id,
            Self::TakeBack(id) => id.as_str(),
        }
    }

    /// As a line, to be made before anybody waits for the file.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn to_line(&self) -> io::Result<Vec<u8>> {
        let line = match self {
            Self::Put(row) => Line::Put(Cow::Borrowed(row)),
            Self::TakeBack(id) => Line::TakeBack(Cow::Borrowed(id.as_str())),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        Ok(text)
    }

    fn of_line(text: &[u8]) -> Option<Self> {
        match serde_json::from_slice(text).ok()? {
            Line::Put(row) => {
                // In the database it would make every list that it is part of unreadable.
                row.read().ok()?;
                Some(Self::Put(Arc::new(row.into_owned())))
            }
            Line::TakeBack(id) => Some(Self::TakeBack(ExecutionId::parse(&id)?)),
        }
    }
}

/// The file of a gateway that lives.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    boot: BootId,
    number: u32,
    path: PathBuf,
    file: File,
    length: u64,
}

impl Journal {
    /// A new file of the gateway `boot` in `folder`, which is made for its owner alone.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn create(folder: &Path, boot: &BootId) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let (path, file) = new_file(folder, boot, 0)?;
        let (folder, boot) = (folder.to_owned(), boot.clone());
        Ok(Self { folder, boot, number: 0, path, file, length: 0 })
    }

    /// Adds a line, all of it or nothing.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(line) {
            // Half a line would make the next one unreadable, too.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += u64::try_from(line.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Goes on in a new file when this one is long, and gives the old one: it can be removed when
    /// everything in it is in the database.
    ///
    /// # Errors
    /// When the new file cannot be made; the old one goes on.
    pub fn turn_over(&mut self) -> io::Result<Option<PathBuf>> {
        if self.length < LONG {
            return Ok(None);
        }
        let (path, file) = new_file(&self.folder, &self.boot, self.number + 1)?;
        self.number += 1;
        self.file = file;
        self.length = 0;
        Ok(Some(std::mem::replace(&mut self.path, path)))
    }

    /// Removes the file: everything in it is in the database.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

fn new_file(folder: &Path, boot: &BootId, number: u32) -> io::Result<(PathBuf, File)> {
    let path = folder.join(format!("{boot}-{number}.{SUFFIX}"));
    loop {
        // Appending: after a line was taken back the next one follows what is left.
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        file.lock()?;
        // Between the two, a gateway that starts now may have taken it for left behind.
        if file.metadata()?.nlink() > 0 {
            return Ok((path, file));
        }
    }
}

/// A file without a holder. Held while it is read, so that no other gateway does the same.
#[derive(Debug)]
pub struct LeftBehind {
    path: PathBuf,
    file: File,
}

impl LeftBehind {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its changes, oldest first. What cannot be read was being written when the gateway was
    /// killed, and was therefore not answered.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn changes(&self) -> io::Result<Vec<Change>> {
        let lines = BufReader::new(&self.file).split(b'\n').collect::<io::Result<Vec<_>>>()?;
        Ok(lines.iter().filter_map(|line| Change::of_line(line)).collect())
    }

    /// Removes the file: everything in it is in the database.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

/// The files of gateways that were killed, oldest first.
///
/// # Errors
/// When the folder is there and cannot be read.
pub fn left_behind(folder: &Path) -> io::Result<Vec<LeftBehind>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let mut found = Vec::new();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|it| it == SUFFIX)) {
        let file = File::open(&path)?;
        match file.try_lock() {
            Ok(()) => {
                let changed = file.metadata()?.modified()?;
                found.push((changed, LeftBehind { path, file }));
            }
            // Its gateway lives.
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    found.sort_by_key(|(changed, _)| *changed);
    Ok(found.into_iter().map(|(_, file)| file).collect())
}
