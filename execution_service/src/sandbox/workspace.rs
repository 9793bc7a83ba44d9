//! Names of files in a sandbox's workspace.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file to put into the workspace before a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceFile {
    /// Where.
    pub path: WorkspacePath,
    /// What.
    pub content: Vec<u8>,
}

/// A relative path that stays below the directory it is resolved in: no `..`, no root, no NUL.
/// A symbolic link on the way is the business of whoever opens it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkspacePath(String);

/// Why a path was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// Longer than [`WorkspacePath::MAX_BYTES`], or a component over [`WorkspacePath::MAX_COMPONENT`].
    #[error("is too long (at most 4096 bytes, 255 in each component)")]
    TooLong,
    /// Starts with `/`.
    #[error("must be relative to the workspace")]
    Absolute,
    /// Has `.`, `..` or an empty component.
    #[error("must not contain empty, '.' or '..' components")]
    Unclean,
    /// Has a NUL byte.
    #[error("must not contain a NUL byte")]
    Nul,
}

impl WorkspacePath {
    /// `PATH_MAX` of Linux.
    pub const MAX_BYTES: usize = 4096;
    /// `NAME_MAX` of Linux.
    pub const MAX_COMPONENT: usize = 255;

    /// Checks `path`.
    ///
    /// # Errors
    /// [`PathError`], by the first rule that it breaks.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        if path.contains('\0') {
            return Err(PathError::Nul);
        }
        if path.starts_with('/') {
            return Err(PathError::Absolute);
        }
        if path.len() >= Self::MAX_BYTES {
            return Err(PathError::TooLong);
        }
        for component in path.split('/') {
            if matches!(component, "" | "." | "..") {
                return Err(PathError::Unclean);
            }
            if component.len() > Self::MAX_COMPONENT {
                return Err(PathError::TooLong);
            }
        }
        Ok(Self(String::from(path)))
    }

    /// The path as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WorkspacePath {
    type Error = PathError;

    fn try_from(path: String) -> Result<Self, PathError> {
        Self::parse(&path)
    }
}

impl From<WorkspacePath> for String {
    fn from(path: WorkspacePath) -> Self {
        path.0
    }
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_clean_relative_paths_pass() {
        for good in ["a", "a/b.csv", "-rf", "..a", "a/...", "ä/ö"] {
            assert_eq!(WorkspacePath::parse(good).map(|p| p.0), Ok(String::from(good)));
        }
        for (bad, why) in [
            ("", PathError::Empty),
            ("/etc/passwd", PathError::Absolute),
            ("../x", PathError::Unclean),
            ("a/../b", PathError::Unclean),
            ("a//b", PathError::Unclean),
            ("a/", PathError::Unclean),
            ("./a", PathError::Unclean),
            ("a\0b", PathError::Nul),
        ] {
            assert_eq!(WorkspacePath::parse(bad), Err(why), "{bad:?}");
        }
        assert_eq!(WorkspacePath::parse(&"a".repeat(256)), Err(PathError::TooLong));
        assert_eq!(WorkspacePath::parse(&"a/".repeat(3000)), Err(PathError::TooLong));
    }

    proptest! {
        #[test]
        fn what_passes_stays_below(
            text in prop_oneof![".*", "[a./\\\\ -]{0,40}", "(\\.{0,3}/?){0,20}"],
        ) {
            if let Ok(path) = WorkspacePath::parse(&text) {
                prop_assert_eq!(path.as_str(), &text);
                let mut parts = Path::new(path.as_str()).components();
                prop_assert!(parts.all(|part| matches!(part, Component::Normal(_))));
                prop_assert!(text.len() < WorkspacePath::MAX_BYTES && !text.contains('\0'));
                prop_assert_eq!(WorkspacePath::parse(path.as_str()), Ok(path.clone()));
            }
        }
    }
}
