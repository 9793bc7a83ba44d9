//! `file:line:column`, as compilers, sanitizers and assertions write it.

use crate::sandbox::spec::WORKSPACE;

/// A place in a source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Below the workspace, or absolute.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, where it was said.
    pub column: Option<u32>,
}

impl Place {
    /// Reads `file:line` or `file:line:column`, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|number: &u32| *number > 0);
        let (rest, last) = text.rsplit_once(':')?;
        let last = number(last)?;
        let with_column =
            rest.rsplit_once(':').and_then(|(file, line)| Some((file, number(line)?, Some(last))));
        let (file, line, column) = with_column.unwrap_or((rest, last, None));
        let below = file.strip_prefix(WORKSPACE).and_then(|rest| rest.strip_prefix('/'));
        let file = below.unwrap_or(file);
        (!file.is_empty()).then(|| Self { file: String::from(file), line, column })
    }

    /// Whether it is in a text of the user's, and not in a header of the system.
    pub fn is_the_users(&self) -> bool {
        !self.file.starts_with('/')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_read_with_and_without_a_column() {
        let place = |file: &str, line, column| Some(Place { file: file.into(), line, column });
        for (text, expected) in [
            ("main.c:3:12", place("main.c", 3, Some(12))),
            ("main.c:3", place("main.c", 3, None)),
            ("/home/user/a/b.cpp:7", place("a/b.cpp", 7, None)),
            ("/usr/include/stdio.h:1:2", place("/usr/include/stdio.h", 1, Some(2))),
            ("a:b:3", place("a:b", 3, None)),
            ("main.c:0", None),
            ("main.c", None),
            (":3", None),
            ("", None),
        ] {
            assert_eq!(Place::parse(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn anything_may_be_asked(text in "[a-z:/0-9]{0,20}") {
            if let Some(place) = Place::parse(&text) {
                prop_assert!(!place.file.is_empty() && place.line > 0);
            }
        }
    }
}
