//! On what condition a file is read or changed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{FileError, FileKind, FileStatus, Moment};

/// Which of all contents a file has had it has now. Every change of it makes another, as far as the clock of its
/// file system tells two moments apart (some milliseconds, before Linux 6.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Version {
    inode: u64,
    size: u64,
    modified: Moment,
    changed: Moment,
}

impl Version {
    /// As [`Version`]'s text has it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('-');
        let mut number = || u64::from_str_radix(numbers.next()?, 16).ok();
        let (inode, size) = (number()?, number()?);
        let mut moment = || {
            let seconds = number()?.cast_signed();
            Some(Moment { seconds, nanos: u32::try_from(number()?).ok()? })
        };
        let version = Self { inode, size, modified: moment()?, changed: moment()? };
        // One version has one text.
        (version.to_string() == text).then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inode, size, modified, changed } = self;
        write!(f, "{inode:x}-{size:x}")?;
        for Moment { seconds, nanos } in [modified, changed] {
            write!(f, "-{seconds:x}-{nanos:x}")?;
        }
        Ok(())
    }
}

impl FileStatus {
    /// Of a regular file.
    pub fn version(&self) -> Option<Version> {
        let Self { kind, size, mode: _, modified, changed, inode } = *self;
        (kind == FileKind::Regular).then_some(Version { inode, size, modified, changed })
    }
}

/// Some versions of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versions {
    /// Whatever is there.
    Any,
    /// One of these.
    These(Vec<Version>),
}

impl Versions {
    /// Most that are named at once.
    pub const MOST: usize = 32;

    fn have(&self, now: Option<&FileStatus>) -> bool {
        match (self, now) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::These(these), Some(now)) => {
                now.version().is_some_and(|version| these.contains(&version))
            }
        }
    }
}

/// What must be so for something to be done: both parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// It has to be one of these.
    pub is: Option<Versions>,
    /// It must not be one of these.
    pub is_not: Option<Versions>,
}

impl Condition {
    /// Whether it holds for what is there `now`.
    ///
    /// # Errors
    /// [`FileError::Changed`].
    pub fn check(&self, now: Option<&FileStatus>) -> Result<(), FileError> {
        let is = self.is.as_ref().is_none_or(|versions| versions.have(now));
        let is_not = self.is_not.as_ref().is_none_or(|versions| !versions.have(now));
        if is && is_not { Ok(()) } else { Err(FileError::Changed) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn statuses() -> impl Strategy<Value = FileStatus> {
        let moments = (any::<i64>(), 0..1_000_000_000_u32);
        let moments = moments.prop_map(|(seconds, nanos)| Moment { seconds, nanos });
        (any::<u64>(), any::<u64>(), moments.clone(), moments).prop_map(
            |(inode, size, modified, changed)| {
                let kind = FileKind::Regular;
                FileStatus { kind, size, mode: 0o644, modified, changed, inode }
            },
        )
    }

    proptest! {
        #[test]
        fn a_version_is_what_its_text_says(status in statuses(), other in statuses()) {
            let version = status.version().expect("a regular file");
            prop_assert_eq!(Version::parse(&version.to_string()), Some(version));
            let same = (other.version() == Some(version)) == (other == status);
            prop_assert!(same, "any change makes another");
        }

        #[test]
        fn any_text_is_a_version_or_none(text in prop_oneof![".*", "[0-9a-f+-]{0,60}"]) {
            if let Some(version) = Version::parse(&text) {
                prop_assert_eq!(version.to_string(), text);
            }
        }

        #[test]
        fn conditions_hold_for_what_they_name(status in statuses(), other in statuses()) {
            let these = |one: &FileStatus| {
                Some(Versions::These(one.version().into_iter().collect()))
            };
            let holds = |is, is_not, now: Option<&FileStatus>| {
                Condition { is, is_not }.check(now).is_ok()
            };
            let (now, any) = (Some(&status), || Some(Versions::Any));
            prop_assert!(holds(None, None, now) && holds(None, None, None));
            prop_assert!(holds(these(&status), None, now) && holds(any(), None, now));
            prop_assert!(!holds(any(), None, None) && holds(None, any(), None));
            prop_assert!(!holds(None, any(), now) && !holds(None, these(&status), now));
            prop_assert_eq!(holds(these(&other), None, now), other == status);
            prop_assert_eq!(holds(None, these(&other), now), other != status);
            let folder = FileStatus { kind: FileKind::Directory, ..status };
            prop_assert!(holds(any(), None, Some(&folder)));
            prop_assert!(!holds(these(&status), None, Some(&folder)));
        }
    }
}
