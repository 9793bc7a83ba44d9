use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;

const BEGAN: i64 = 100;

fn path(text: &str) -> FilePath {
    FilePath::parse(Vec::from(text)).expect("a path")
}

fn status(kind: FileKind, size: u64, changed: i64, inode: u64) -> FileStatus {
    let moment = Moment { seconds: changed, nanos: 0 };
    FileStatus { kind, size, mode: 0o644, modified: moment, changed: moment, inode }
}

fn file(size: u64, changed: i64, inode: u64) -> FileStatus {
    status(FileKind::Regular, size, changed, inode)
}

fn directory(changed: i64, inode: u64) -> FileStatus {
    status(FileKind::Directory, 0, changed, inode)
}

fn tree(entries: &[(&str, FileStatus)]) -> Tree {
    let entry = |(text, status): &(&str, FileStatus)| TreeEntry {
        path: path(text),
        status: *status,
        target: None,
    };
    let mut entries: Vec<TreeEntry> = entries.iter().map(entry).collect();
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    Tree { entries, truncated: false }
}

fn changed(before: Tree, after: &Tree) -> Vec<(String, &'static str)> {
    let began = Moment { seconds: BEGAN, nanos: 0 };
    let changes = Before { listing: Arc::new(before), began }.compared(after);
    let files = changes.files.iter();
    files.map(|file| (file.path.to_string(), file.change.name())).collect()
}

fn told(told: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    told.iter().map(|(path, change)| (String::from(*path), *change)).collect()
}

#[test]
fn what_is_new_another_or_gone_is_told() {
    let before = tree(&[
        ("same", file(1, 1, 1)),
        ("longer", file(1, 1, 2)),
        ("rewritten", file(1, 1, 3)),
        ("gone", file(1, 1, 4)),
        ("replaced", file(1, 1, 5)),
    ]);
    let after = tree(&[
        ("same", file(1, 1, 1)),
        ("longer", file(2, BEGAN, 2)),
        ("rewritten", file(1, BEGAN + 1, 3)),
        ("replaced", file(1, BEGAN + 1, 6)),
        ("new", file(0, BEGAN, 7)),
        ("folder", directory(BEGAN, 8)),
    ]);
    let expected = told(&[
        ("gone", "removed"),
        ("longer", "modified"),
        ("new", "created"),
        ("replaced", "modified"),
        ("rewritten", "modified"),
    ]);
    assert_eq!(changed(before, &after), expected);
}

#[test]
fn what_was_changed_before_the_run_is_not_told() {
    let before = tree(&[("a", file(1, 1, 1)), ("d", directory(1, 2)), ("d/gone", file(1, 1, 3))]);
    let after = tree(&[
        ("a", file(2, BEGAN - 1, 1)),
        ("b", file(2, BEGAN - 1, 4)),
        ("d", directory(BEGAN - 1, 2)),
    ]);
    assert_eq!(changed(before, &after), []);
}

#[test]
fn a_directory_that_was_renamed_takes_its_files_along() {
    let before = tree(&[
        ("a", directory(1, 1)),
        ("a/x", file(1, 1, 2)),
        ("a/sub", directory(1, 3)),
        ("a/sub/y", file(1, 1, 4)),
    ]);
    let after = tree(&[
        ("b", directory(BEGAN, 1)),
        ("b/x", file(1, 1, 2)),
        ("b/sub", directory(1, 3)),
        ("b/sub/y", file(1, 1, 4)),
    ]);
    let expected = told(&[
        ("a/sub/y", "removed"),
        ("a/x", "removed"),
        ("b/sub/y", "created"),
        ("b/x", "created"),
    ]);
    assert_eq!(changed(before, &after), expected);
}

#[test]
fn a_file_that_becomes_something_else_is_gone() {
    let before = tree(&[("a", file(1, 1, 1)), ("l", status(FileKind::Symlink, 1, 1, 2))]);
    let after = tree(&[("a", status(FileKind::Symlink, 1, BEGAN, 3)), ("l", file(1, BEGAN, 4))]);
    assert_eq!(changed(before, &after), told(&[("a", "removed"), ("l", "created")]));
}

#[test]
fn caches_are_nobodys_news() {
    for (hidden, text) in [
        (true, "__pycache__/x.pyc"),
        (true, "a/.cache/b"),
        (true, ".ipynb_checkpoints"),
        (false, ".env"),
        (false, "a/cache/b"),
        (false, "__pycache__x"),
    ] {
        assert_eq!(is_hidden(&path(text)), hidden, "{text}");
    }
}

#[test]
fn what_is_told_is_bounded() {
    let names: Vec<String> = (0..1000).map(|number| format!("{number:0>200}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (&**name, file(1, BEGAN, 1))).collect();
    let began = Moment { seconds: BEGAN, nanos: 0 };
    let changes = Before { listing: Arc::default(), began }.compared(&tree(&entries));
    assert!(changes.truncated && changes.files.len() < MOST, "{}", changes.files.len());
}

fn entries() -> impl Strategy<Value = Tree> {
    let kind = prop_oneof![
        Just(FileKind::Regular),
        Just(FileKind::Directory),
        Just(FileKind::Symlink),
        Just(FileKind::Special),
    ];
    let status = (kind, 0..3_u64, BEGAN - 2..BEGAN + 2, 0..4_u64)
        .prop_map(|(kind, size, changed, inode)| status(kind, size, changed, inode));
    let all = btree_map("[ab](/[ab]){0,3}", status, 0..12);
    (all, any::<bool>()).prop_map(|(all, truncated)| {
        let entry = |(text, status): (String, FileStatus)| TreeEntry {
            path: path(&text),
            status,
            target: None,
        };
        Tree { entries: all.into_iter().map(entry).collect(), truncated }
    })
}

proptest! {
    /// Whatever user code makes of its workspace: each path is told once, with what is there now.
    #[test]
    fn changes_are_of_files_that_are_there_or_were(before in entries(), after in entries()) {
        let began = Moment { seconds: BEGAN, nanos: 0 };
        let changes = Before { listing: Arc::new(before.clone()), began }.compared(&after);
        let (was, is) = (by_path(&before), by_path(&after));
        prop_assert_eq!(changes.truncated, before.truncated || after.truncated);
        let mut last = None;
        for FileChange { path, change, size } in &changes.files {
            prop_assert!(last < Some(path), "in order, and once");
            last = Some(path);
            let regular = |status: &FileStatus| status.kind == FileKind::Regular;
            let there = is.get(path).filter(|is| regular(is));
            prop_assert_eq!(*size, there.map(|is| is.size));
            match change {
                Change::Removed => prop_assert!(was.get(path).is_some_and(regular)),
                Change::Created => prop_assert!(!was.get(path).is_some_and(regular)),
                Change::Modified => prop_assert!(was.get(path).is_some_and(regular)),
            }
        }
    }

    #[test]
    fn what_stays_as_it_is_was_not_changed(tree in entries()) {
        let began = Moment { seconds: BEGAN, nanos: 0 };
        let changes = Before { listing: Arc::new(tree.clone()), began }.compared(&tree);
        // What has come into a new place is known by its directory, and here there is none that is new.
        prop_assert_eq!(changes.files, []);
    }
}
