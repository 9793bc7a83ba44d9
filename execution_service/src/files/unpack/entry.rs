//! What an entry of an archive would be in the workspace.

use tokio::io::AsyncRead;
use tokio_tar::{Entry, EntryType};

use super::{UnpackError, refused};
use crate::sandbox::files::{FilePath, Moment};
use crate::sandbox::workspace::PathError;

/// An entry that may be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Below the workspace.
    pub path: FilePath,
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    pub modified: Option<Moment>,
}

/// What it is.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    /// A symbolic link.
    Link {
        target: Vec<u8>,
    },
    /// The same as a file that came before: a hard link, which is made a copy.
    Same {
        file: FilePath,
    },
}

/// What `entry` is below `directory`; nothing if that is the directory itself, or no file at all.
pub fn read<R: AsyncRead + Unpin>(
    directory: Option<&FilePath>,
    entry: &Entry<R>,
) -> Result<Option<Part>, UnpackError> {
    let header = entry.header();
    let kind = header.entry_type();
    if matches!(kind, EntryType::XGlobalHeader) {
        return Ok(None);
    }
    let name = entry.path_bytes().map_err(|error| refused(format!("a name: {error}")))?;
    let shown = || String::from_utf8_lossy(&name).into_owned();
    let target =
        entry.link_name_bytes().map_err(|error| refused(format!("{}: {error}", shown())))?;
    let target = target.as_deref().unwrap_or_default();
    let wrong = |why: &str| refused(format!("{}: {why}", shown()));
    let Some(path) = below(directory, &name).map_err(|error| wrong(&error.to_string()))? else {
        return Ok(None);
    };
    let kind = match kind {
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink if stays_inside(&path, target) => Kind::Link { target: target.into() },
        EntryType::Symlink => return Err(wrong("a link that leads out of the workspace")),
        EntryType::Link => match below(directory, target) {
            Ok(Some(file)) => Kind::Same { file },
            Ok(None) | Err(_) => return Err(wrong("a link that leads out of the archive")),
        },
        _ => return Err(wrong("neither a file, a directory nor a link")),
    };
    let mode = header.mode().map_err(|error| wrong(&error.to_string()))? & 0o777;
    let seconds = header.mtime().ok().and_then(|seconds| i64::try_from(seconds).ok());
    // Later than any clock: it would be no time for many programs.
    let modified = seconds.filter(|seconds| *seconds < 1 << 33);
    let modified = modified.map(|seconds| Moment { seconds, nanos: 0 });
    Ok(Some(Part { path, kind, mode, modified }))
}

/// Where a name of an archive leads; nothing if that is `directory` itself. What `tar` writes before and behind a
/// name is no part of it.
pub fn below(directory: Option<&FilePath>, name: &[u8]) -> Result<Option<FilePath>, PathError> {
    let mut name = name;
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    if let Some(rest) = name.strip_suffix(b"/") {
        name = rest;
    }
    if matches!(name, b"" | b".") {
        return Ok(None);
    }
    // By itself first: what is absolute would be hidden behind a directory.
    let path = FilePath::parse(Vec::from(name))?;
    match directory {
        None => Ok(Some(path)),
        Some(directory) => {
            let whole = [directory.as_bytes(), b"/", path.as_bytes()].concat();
            FilePath::parse(whole).map(Some)
        }
    }
}

/// Whether a link at `path` leads to something in the workspace, as far as its text says. (Where links on its way
/// lead is seen when it is used, by the kernel.)
pub fn stays_inside(path: &FilePath, target: &[u8]) -> bool {
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return false;
    }
    let mut depth = path.depth() - 1;
    for name in target.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return false,
            },
            _ => depth += 1,
        }
    }
    true
}
