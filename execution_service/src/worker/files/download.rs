//! Files and archives to a caller.

use super::transfer::{OpenDownload, Transfer};
use crate::files::pack::{PackError, Packer};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::{Condition, FileError, FilePath, FileStatus, Version};
use crate::worker::WorkerError;

/// What is wanted of a file.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Which versions of it.
    pub condition: Condition,
    /// Which part; all of it if absent.
    pub range: Option<AskedRange>,
    /// The part is wanted of this version, and all of any other. What is no version is none of the file's.
    pub range_of: Option<Option<Version>>,
}

/// A range of bytes as a caller can name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedRange {
    /// From one to another, both included.
    FromTo(u64, u64),
    /// From one on.
    From(u64),
    /// The last so many.
    Last(u64),
}

impl AskedRange {
    /// Offset and length in `size` bytes; nothing if there are none.
    fn of(self, size: u64) -> Option<(u64, u64)> {
        let (first, end) = match self {
            Self::FromTo(first, last) => (first, last.saturating_add(1).min(size)),
            Self::From(first) => (first, size),
            Self::Last(count) => (size.saturating_sub(count), size),
        };
        end.checked_sub(first).filter(|length| *length > 0).map(|length| (first, length))
    }
}

/// What was found of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// It.
    pub status: FileStatus,
    /// What comes of it: offset and length.
    pub part: (u64, u64),
    /// It is a version that is not wanted, and nothing comes.
    pub not_modified: bool,
    /// It has no such bytes, and nothing comes.
    pub no_such_range: bool,
    /// A range that was asked for comes.
    pub partial: bool,
}

impl Transfer {
    /// Opens a file.
    ///
    /// # Errors
    /// [`WorkerError::File`], or the session's end.
    pub async fn file(
        &self,
        path: &FilePath,
        asked: &Asked,
    ) -> Result<(Found, OpenDownload<'_>), WorkerError> {
        self.go_on(async {
            let mut reader = self.session.sandbox.open(path).await?;
            let found = look(reader.status(), asked)?;
            let (offset, length) = found.part;
            if length == 0 {
                return Ok((found, OpenDownload::Empty));
            }
            reader.begin(offset, length).await?;
            Ok::<_, SandboxError>((found, OpenDownload::File(reader)))
        })
        .await
    }

    /// Opens an archive of a directory.
    ///
    /// # Errors
    /// [`WorkerError::File`], [`WorkerError::Archive`] if it would have too many entries, or the session's end.
    pub async fn archive(&self, path: Option<&FilePath>) -> Result<OpenDownload<'_>, WorkerError> {
        self.go_on(async {
            let packer = Packer::begin(&*self.session.sandbox, path).await?;
            Ok::<_, PackError>(OpenDownload::Archive(packer))
        })
        .await
    }
}

/// What comes of a file that is so.
fn look(status: FileStatus, asked: &Asked) -> Result<Found, FileError> {
    let is = Condition { is: asked.condition.is.clone(), is_not: None };
    is.check(Some(&status))?;
    let whole = Found {
        status,
        part: (0, status.size),
        not_modified: false,
        no_such_range: false,
        partial: false,
    };
    if asked.condition.check(Some(&status)).is_err() {
        return Ok(Found { part: (0, 0), not_modified: true, ..whole });
    }
    let same =
        asked.range_of.is_none_or(|version| version.is_some() && version == status.version());
    match asked.range.filter(|_| same) {
        None => Ok(whole),
        // The end of nothing, however long, is the whole of it.
        Some(AskedRange::Last(1..)) if status.size == 0 => Ok(whole),
        Some(range) => Ok(match range.of(status.size) {
            Some(part) => Found { part, partial: true, ..whole },
            None => Found { part: (0, 0), no_such_range: true, ..whole },
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sandbox::files::{FileKind, Moment, Versions};

    fn status(size: u64) -> FileStatus {
        let (modified, changed) = (Moment::default(), Moment::default());
        FileStatus { kind: FileKind::Regular, size, mode: 0o644, modified, changed, inode: 7 }
    }

    proptest! {
        #[test]
        fn a_range_is_in_the_file_or_nowhere(first: u64, last: u64, size: u64) {
            let asked = [AskedRange::FromTo(first, last), AskedRange::From(first), AskedRange::Last(last)];
            for range in asked {
                if let Some((offset, length)) = range.of(size) {
                    prop_assert!(length > 0 && offset.checked_add(length).is_some_and(|end| end <= size));
                }
            }
        }
    }

    #[test]
    fn conditions_come_before_ranges() {
        let now = status(10);
        let these =
            |status: &FileStatus| Some(Versions::These(status.version().into_iter().collect()));
        let asked = |is, is_not, range_of| Asked {
            condition: Condition { is, is_not },
            range: Some(AskedRange::Last(3)),
            range_of,
        };
        let part = |asked| look(now, &asked).map(|found| (found.part, found.partial));
        assert_eq!(part(asked(None, None, None)), Ok(((7, 3), true)));
        assert_eq!(part(asked(these(&now), None, Some(now.version()))), Ok(((7, 3), true)));
        assert_eq!(part(asked(None, None, Some(status(9).version()))), Ok(((0, 10), false)));
        assert_eq!(part(asked(None, None, Some(None))), Ok(((0, 10), false)), "it is no version");
        assert_eq!(part(asked(these(&status(9)), None, None)), Err(FileError::Changed));
        let found = look(now, &asked(None, these(&now), None)).expect("it is there");
        assert!(found.not_modified && found.part == (0, 0));
    }
}
