//! Names of files as the kernel has them: bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sandbox::workspace::{PathError, WorkspacePath};

/// As [`WorkspacePath`], of a file that user code may have named: a name on disk is any bytes but `/` and NUL.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct FilePath(Vec<u8>);

impl FilePath {
    /// Checks `path`.
    ///
    /// # Errors
    /// [`PathError`], by the first rule that it breaks.
    pub fn parse(path: Vec<u8>) -> Result<Self, PathError> {
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        if path.contains(&0) {
            return Err(PathError::Nul);
        }
        if path.starts_with(b"/") {
            return Err(PathError::Absolute);
        }
        if path.len() >= WorkspacePath::MAX_BYTES {
            return Err(PathError::TooLong);
        }
        for component in path.split(|byte| *byte == b'/') {
            if matches!(component, b"" | b"." | b"..") {
                return Err(PathError::Unclean);
            }
            if component.len() > WorkspacePath::MAX_COMPONENT {
                return Err(PathError::TooLong);
            }
        }
        Ok(Self(path))
    }

    /// As it was given.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What is called `name` in this directory.
    ///
    /// # Errors
    /// [`PathError`]: the name is none, or all of it is too long to be named at once.
    pub fn join(directory: Option<&Self>, name: &[u8]) -> Result<Self, PathError> {
        if name.contains(&b'/') {
            return Err(PathError::Unclean);
        }
        Self::parse(match directory {
            Some(directory) => [directory.as_bytes(), b"/", name].concat(),
            None => Vec::from(name),
        })
    }

    /// How many names it is made of; at least one.
    pub fn depth(&self) -> usize {
        self.0.split(|byte| *byte == b'/').count()
    }
}

impl TryFrom<Vec<u8>> for FilePath {
    type Error = PathError;

    fn try_from(path: Vec<u8>) -> Result<Self, PathError> {
        Self::parse(path)
    }
}

impl From<FilePath> for Vec<u8> {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

impl From<&WorkspacePath> for FilePath {
    fn from(path: &WorkspacePath) -> Self {
        // The same rules, of fewer names.
        Self(Vec::from(path.as_str()))
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.0).fmt(f)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_rules_are_those_of_text(text in prop_oneof![".*", "(\\.{0,3}[/a\0]?){0,20}"]) {
            let bytes = FilePath::parse(Vec::from(text.as_str()));
            match WorkspacePath::parse(&text) {
                Ok(path) => prop_assert_eq!(bytes, Ok(FilePath::from(&path))),
                Err(error) => prop_assert_eq!(bytes, Err(error)),
            }
        }

        #[test]
        fn any_bytes_are_a_path_that_stays_below_or_none(
            bytes in prop::collection::vec(prop_oneof![Just(b'/'), Just(b'.'), any::<u8>()], 0..40),
        ) {
            if let Ok(path) = FilePath::parse(bytes.clone()) {
                prop_assert_eq!(path.as_bytes(), &bytes);
                let names: Vec<_> = bytes.split(|byte| *byte == b'/').collect();
                prop_assert_eq!(path.depth(), names.len());
                prop_assert!(names.iter().all(|name| !matches!(*name, b"" | b"." | b"..")));
                let again = names.iter().try_fold(None, |directory, name| {
                    FilePath::join(directory.as_ref(), name).map(Some)
                });
                prop_assert_eq!(again, Ok(Some(path)));
            }
        }
    }
}
