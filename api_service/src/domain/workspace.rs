//! Files that a run finds in its workspace.

/// Longest path, in bytes.
const MAX_PATH: usize = 4096;
/// Longest component of a path, in bytes.
const MAX_COMPONENT: usize = 255;

/// A path inside of the workspace: relative, without `..`, in its shortest form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkspacePath(String);

impl std::borrow::Borrow<str> for WorkspacePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl WorkspacePath {
    /// Checks a path. `./` and doubled slashes are dropped, so that two spellings of one file meet.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_PATH {
            return Err("must have at most 4096 bytes");
        }
        if text.contains('\0') {
            return Err("must not contain a NUL character");
        }
        if text.starts_with('/') {
            return Err("must be relative to the workspace, not absolute");
        }
        if text.ends_with('/') {
            return Err("must name a file, not a directory");
        }
        let parts: Vec<&str> =
            text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.is_empty() {
            return Err("must name a file");
        }
        if parts.contains(&"..") {
            return Err("must not contain '..': a file lives inside of the workspace");
        }
        if parts.iter().any(|part| part.len() > MAX_COMPONENT) {
            return Err("must have at most 255 bytes between two slashes");
        }
        Ok(Self(parts.join("/")))
    }

    /// The folders that it is in, as paths: `a` and `a/b` of `a/b/c`.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }

    /// As it goes to the worker.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file to write before the code starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceFile {
    /// Where.
    pub path: WorkspacePath,
    /// What.
    pub content: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::WorkspacePath;

    #[test]
    fn paths_that_leave_the_workspace_are_refused() {
        let long = "x".repeat(256);
        let bad =
            ["", ".", "./", "/etc/passwd", "../x", "a/../../x", "a/..", "a\0b", "dir/", &long];
        for path in bad {
            assert!(WorkspacePath::parse(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn the_folders_of_a_file_are_paths_too() {
        let parents = |path| {
            let path = WorkspacePath::parse(path).unwrap();
            path.parents().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(parents("a/b/c"), ["a", "a/b"]);
        assert!(parents("a").is_empty());
    }

    #[test]
    fn spellings_of_one_file_meet() {
        for path in ["data/in.csv", "./data/in.csv", "data//in.csv", "data/./in.csv"] {
            let parsed = WorkspacePath::parse(path).map(|path| path.as_str().to_owned());
            assert_eq!(parsed, Ok("data/in.csv".to_owned()));
        }
        assert!(WorkspacePath::parse("..data/x..").is_ok());
    }
}
