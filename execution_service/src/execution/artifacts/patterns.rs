//! Which files somebody wants, by their paths.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::sandbox::files::FilePath;

/// Most patterns of a run.
const MOST: usize = 64;
/// Longest pattern, in bytes.
const LONGEST: usize = 1024;
/// How far down is looked for what may be anywhere, in directories.
const DEEPEST: u32 = 32;

/// Globs below the workspace: `*` and `?` do not cross a `/`, `**` does, and case counts.
#[derive(Clone, Debug)]
pub struct Patterns {
    set: GlobSet,
    depth: u32,
}

/// Why patterns cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternsError {
    /// There are too many, or one is too long.
    #[error("must be at most {MOST} patterns of 1 to {LONGEST} bytes each")]
    TooMuch,
    /// One is no pattern.
    #[error("{0}")]
    Invalid(String),
}

impl Patterns {
    /// Of `patterns`.
    ///
    /// # Errors
    /// [`PatternsError`].
    pub fn parse(patterns: &[String]) -> Result<Self, PatternsError> {
        let is_long = |pattern: &String| pattern.is_empty() || pattern.len() > LONGEST;
        if patterns.len() > MOST || patterns.iter().any(is_long) {
            return Err(PatternsError::TooMuch);
        }
        let invalid = |error: globset::Error| PatternsError::Invalid(error.kind().to_string());
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let mut glob = GlobBuilder::new(pattern);
            glob.literal_separator(true).backslash_escape(false);
            set.add(glob.build().map_err(invalid)?);
        }
        let depth = patterns.iter().map(|pattern| depth(pattern)).max().unwrap_or_default();
        Ok(Self { set: set.build().map_err(invalid)?, depth })
    }

    /// Whether `path` is wanted.
    pub fn matches(&self, path: &FilePath) -> bool {
        self.set.is_match(Path::new(OsStr::from_bytes(path.as_bytes())))
    }

    /// How many levels of directories have to be looked at.
    pub fn depth(&self) -> u32 {
        self.depth
    }
}

fn depth(pattern: &str) -> u32 {
    let anywhere = pattern.split('/').any(|part| part == "**");
    let levels = u32::try_from(pattern.matches('/').count() + 1).unwrap_or(DEEPEST);
    if anywhere { DEEPEST } else { levels.min(DEEPEST) }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn path(bytes: &[u8]) -> FilePath {
        FilePath::parse(Vec::from(bytes)).expect("a path")
    }

    fn matches(pattern: &str, name: &[u8]) -> bool {
        Patterns::parse(&[String::from(pattern)]).expect("a pattern").matches(&path(name))
    }

    #[test]
    fn stars_stay_between_slashes_and_two_of_them_do_not() {
        for (pattern, name, wanted) in [
            ("*.png", &b"plot.png"[..], true),
            ("*.png", b"out/plot.png", false),
            ("*.png", b"plot.PNG", false),
            ("*.png", b".png", true),
            ("out/**", b"out/a/b/c", true),
            ("out/**", b"out/a", true),
            ("out/**", b"outer/a", false),
            ("**/*.csv", b"a.csv", true),
            ("**/*.csv", b"x/y/a.csv", true),
            ("a?c", b"abc", true),
            ("a?c", b"a/c", false),
            ("*", b"no \xff text\n", true),
            ("ä", "ä".as_bytes(), true),
            ("a!b", b"a!b", true),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {}", name.escape_ascii());
        }
    }

    #[test]
    fn no_more_is_looked_at_than_can_match() {
        for (patterns, depth) in
            [(&["*"][..], 1), (&["*", "a/b/*"], 3), (&["**"], DEEPEST), (&[], 0)]
        {
            let patterns: Vec<String> = patterns.iter().map(|text| String::from(*text)).collect();
            assert_eq!(Patterns::parse(&patterns).map(|it| it.depth()), Ok(depth), "{patterns:?}");
        }
    }

    proptest! {
        /// Whatever is sent is matched in time, or refused.
        #[test]
        fn any_pattern_is_one_or_is_refused(
            patterns in vec("[*?/a\\[\\]{},!\\\\-]{0,60}|.{0,60}", 0..8),
            name in vec(any::<u8>(), 1..200),
        ) {
            let Ok(parsed) = Patterns::parse(&patterns) else { return Ok(()) };
            prop_assert!(parsed.depth() <= DEEPEST);
            if let Ok(path) = FilePath::parse(name) {
                let _ = parsed.matches(&path);
            }
        }

        /// What the gateway lets through is no error here.
        #[test]
        fn plain_patterns_are_patterns(pattern in "[^/\u{0}\\[\\]{}\\\\][^\u{0}\\[\\]{}\\\\]{0,255}") {
            prop_assert!(Patterns::parse(&[pattern]).is_ok());
        }

        /// A name is a pattern of itself.
        #[test]
        fn a_name_matches_itself(name in "[a-zäß€ .-]{1,40}(/[a-zäß€ -]{1,20}){0,3}") {
            if let Ok(path) = FilePath::parse(Vec::from(name.as_str())) {
                prop_assert!(Patterns::parse(&[name]).is_ok_and(|it| it.matches(&path)));
            }
        }
    }
}
