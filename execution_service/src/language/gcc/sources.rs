//! Which files are compiled along with the text of a request.

use std::borrow::Cow;
use std::collections::HashSet;

use super::Dialect;
use crate::language::program::Program;

/// Components of a path that an `#include` is compared with: whoever has a thousand of them must not take long.
const DEEPEST: usize = 16;

/// Paths below the workspace, in the order in which the compiler gets them: the files of the request whose names end
/// as the language's sources do, and those that its flags have `named`. Left out is what another text includes: it
/// would be compiled twice.
pub fn along(dialect: &Dialect, program: Program<'_>, named: Vec<String>) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let given: Vec<&str> = program
        .files
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| *path != dialect.source_file && is_source(dialect, path))
        .collect();
    if !given.is_empty() {
        let names: HashSet<&str> = given.iter().map(|path| file_name(path)).collect();
        let included: HashSet<String> =
            texts(program).flat_map(|text| included(&text, &names)).collect();
        let is_included = |path: &&str| ends(path).any(|end| included.contains(end));
        paths.extend(given.into_iter().filter(|path| !is_included(path)).map(String::from));
    }
    for path in named {
        if path != dialect.source_file && !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The text of a request and of all its files, whatever these are.
pub fn texts(program: Program<'_>) -> impl Iterator<Item = Cow<'_, str>> {
    let files = program.files.iter().map(|file| String::from_utf8_lossy(&file.content));
    std::iter::once(Cow::Borrowed(program.code)).chain(files)
}

/// Whether the name of `path` ends as a source of the language does, with something before that.
fn is_source(dialect: &Dialect, path: &str) -> bool {
    let ending = file_name(path).rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
    ending.is_some_and(|(_, ending)| dialect.endings.contains(&ending))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What `text` includes by paths in quotes that lead to one of `names`.
fn included(text: &str, names: &HashSet<&str>) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?;
            let path = rest.trim_start().strip_prefix('"')?.split('"').next()?;
            let path = path.trim_start_matches("./").trim_start_matches("../");
            names.contains(file_name(path)).then(|| String::from(path))
        })
        .collect()
}

/// By which paths an `#include` may mean the file at `path`: its last components.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    let starts = path.rmatch_indices('/').map(|(at, _)| at + 1).take(DEEPEST);
    std::iter::once(0).chain(starts).map(|start| &path[start..])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::language::RequestPlace;
    use crate::language::c::DIALECT as C;
    use crate::language::cpp::DIALECT as CPP;
    use crate::sandbox::workspace::{WorkspaceFile, WorkspacePath};

    fn compiled(
        dialect: &Dialect,
        code: &str,
        files: &[(&str, &str)],
        named: &[&str],
    ) -> Vec<String> {
        let files: Vec<WorkspaceFile> = files
            .iter()
            .map(|(path, content)| WorkspaceFile {
                path: WorkspacePath::parse(path).expect("a clean path"),
                content: content.as_bytes().to_vec(),
            })
            .collect();
        let program = Program {
            code,
            args: &[],
            env: &BTreeMap::new(),
            stdin: None,
            files: &files,
            compiler_flags: &[],
            working_directory: "/home/user",
            place: RequestPlace::FIRST,
        };
        along(dialect, program, named.iter().map(|path| String::from(*path)).collect())
    }

    #[test]
    fn sources_of_the_language_are_compiled_along() {
        let files = [
            ("util.h", ""),
            ("util.c", ""),
            ("deep/er/x.c", ""),
            ("y.cpp", ""),
            ("z.cc", ""),
            ("main.c", ""),
            ("main.cpp", ""),
            ("notes.c.txt", ""),
            (".c", ""),
            ("c", ""),
        ];
        assert_eq!(compiled(&C, "", &files, &[]), ["util.c", "deep/er/x.c"]);
        assert_eq!(compiled(&CPP, "", &files, &[]), ["y.cpp", "z.cc"]);
        assert!(compiled(&C, "", &[("data.csv", "")], &[]).is_empty());
    }

    #[test]
    fn what_is_included_is_not_compiled_twice() {
        let files =
            [("a.c", "  #  include \"sub/b.c\""), ("sub/b.c", ""), ("c.c", ""), ("bc.c", "")];
        let sources = compiled(&C, "#include \"./c.c\"\nint main(void) {}", &files, &[]);
        assert_eq!(sources, ["a.c", "bc.c"]);
    }

    #[test]
    fn a_source_may_be_named_by_a_flag() {
        let sources = compiled(&C, "", &[("a.c", "")], &["a.c", "old.c", "main.c", "old.c"]);
        assert_eq!(sources, ["a.c", "old.c"]);
        assert_eq!(compiled(&C, "#include \"a.c\"", &[("a.c", "")], &["a.c"]), ["a.c"]);
    }

    proptest! {
        #[test]
        fn whatever_files_there_are_sources_are_among_them(
            code in "(#include \"|a\\.c|\"|\n| ){0,8}",
            paths in proptest::collection::btree_set("[a-c./]{1,6}", 0..6),
        ) {
            let files: Vec<(&str, &str)> = paths
                .iter()
                .filter(|path| WorkspacePath::parse(path).is_ok())
                .map(|path| (path.as_str(), code.as_str()))
                .collect();
            let found = compiled(&C, &code, &files, &[]);
            for path in found {
                let given = files.iter().any(|(given, _)| **given == *path);
                prop_assert!(path.ends_with(".c") && given, "{}", path);
            }
        }
    }
}
