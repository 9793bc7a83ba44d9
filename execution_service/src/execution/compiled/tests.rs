//! What is kept, for whom, and for how long.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::sandbox::workspace::WorkspacePath;

const BOUNDS: Bounds = Bounds { bytes: 100, entries: 3, age: Duration::from_secs(60) };

fn key(owner: &str, source: &str) -> CompilationKey {
    Compilation { owner, compiler: "gcc 12", arguments: &[], source, files: &[] }.key()
}

fn file(path: &str, content: &str) -> WorkspaceFile {
    let path = WorkspacePath::parse(path).expect("a clean path");
    WorkspaceFile { path, content: content.as_bytes().to_vec() }
}

fn program(bytes: usize) -> Compiled {
    Compiled { executable: vec![7; bytes], warnings: Vec::new() }
}

#[test]
fn everything_that_matters_is_in_the_key() {
    let arguments = [String::from("-O2")];
    let split = [String::from("-O"), String::from("2")];
    let one = Compilation {
        owner: "a",
        compiler: "gcc",
        arguments: &arguments,
        source: "int x;",
        files: &[],
    };
    let (named, filled) = ([file("a.c", "")], [file("a", ".c")]);
    assert_eq!(one.key(), one.key());
    for other in [
        Compilation { owner: "b", ..one },
        Compilation { compiler: "gcc 13", ..one },
        Compilation { arguments: &[], ..one },
        Compilation { arguments: &split, ..one },
        Compilation { source: "int y;", ..one },
        Compilation { owner: "ag", compiler: "cc", ..one },
        Compilation { files: &named, ..one },
        Compilation { files: &filled, ..one },
    ] {
        assert_ne!(one.key(), other.key(), "{other:?}");
    }
}

#[test]
fn what_tells_the_time_is_compiled_again() {
    let source = "#include <stdio.h>\nint main(void) { puts(__TIME__); }";
    let clock = Compilation { owner: "a", compiler: "gcc", arguments: &[], source, files: &[] };
    assert!(!clock.is_repeatable());
    for other in [
        "#include \"/proc/uptime\"",
        "asm(\".incbin \\\"main.c\\\"\");",
        "#define GLUE(a, b) a ## b",
        "__TI\\\nME__",
    ] {
        assert!(!Compilation { source: other, ..clock }.is_repeatable(), "{other}");
        let files = [file("x.h", other)];
        let beside = Compilation { source: "", files: &files, ..clock };
        assert!(!beside.is_repeatable(), "{other}");
    }
    let flag = [String::from("-DNOW=__TIME__")];
    let plain = Compilation { source: "int main(void) { return 0; }", ..clock };
    assert!(!Compilation { arguments: &flag, ..plain }.is_repeatable());
    assert!(plain.is_repeatable());
}

#[test]
fn owners_do_not_share() {
    let now = Instant::now();
    let mut programs = CompiledPrograms::new(BOUNDS);
    programs.keep(key("a", "x"), program(1), now);
    assert!(programs.find(key("a", "x"), now).is_some());
    assert!(programs.find(key("b", "x"), now).is_none());
}

#[test]
fn the_least_recently_used_goes_first() {
    let now = Instant::now();
    let mut programs = CompiledPrograms::new(BOUNDS);
    for source in ["1", "2", "3"] {
        programs.keep(key("a", source), program(1), now);
    }
    assert!(programs.find(key("a", "1"), now).is_some());
    programs.keep(key("a", "4"), program(1), now);
    let left = ["1", "2", "3", "4"].map(|source| programs.find(key("a", source), now).is_some());
    assert_eq!(left, [true, false, true, true]);
}

#[test]
fn bytes_are_bounded() {
    let now = Instant::now();
    let mut programs = CompiledPrograms::new(Bounds { entries: 100, ..BOUNDS });
    for source in 0..20 {
        programs.keep(key("a", &source.to_string()), program(25), now);
    }
    assert_eq!((programs.bytes, programs.entries.len()), (100, 4));
    programs.keep(key("a", "large"), program(26), now);
    assert!(programs.find(key("a", "large"), now).is_none());
    programs.keep(key("a", "19"), program(1), now);
    assert_eq!(programs.bytes, 76);
}

#[test]
fn nothing_outlives_its_time_however_often_it_is_used() {
    let now = Instant::now();
    let mut programs = CompiledPrograms::new(BOUNDS);
    programs.keep(key("a", "x"), program(1), now);
    assert!(programs.find(key("a", "x"), now + Duration::from_secs(59)).is_some());
    assert!(programs.find(key("a", "x"), now + Duration::from_secs(61)).is_none());
    assert_eq!(programs.bytes, 0);
}

type Parts = (String, String, Vec<String>, String, Vec<WorkspaceFile>);

/// Of few letters, so that two of them differ in little more than in where one part ends.
fn parts() -> impl Strategy<Value = Parts> {
    let files = vec(("[ab]{1,2}", "[ab]{0,2}"), 0..3)
        .prop_map(|files| files.iter().map(|(path, text)| file(path, text)).collect());
    ("[ab]{0,3}", "[ab]{0,3}", vec("[ab]{0,2}", 0..3), "[ab]{0,3}", files)
}

proptest! {
    #[test]
    fn keys_agree_exactly_where_compilations_do(one in parts(), other in parts()) {
        let key = |(owner, compiler, arguments, source, files): &Parts| {
            Compilation { owner, compiler, arguments, source, files }.key()
        };
        prop_assert_eq!(one == other, key(&one) == key(&other));
    }

    #[test]
    fn never_more_is_kept_than_there_is_room_for(
        steps in vec((0_u8..8, 0_usize..40, 0_u64..90, any::<bool>()), 0..60),
    ) {
        let mut programs = CompiledPrograms::new(BOUNDS);
        let mut now = Instant::now();
        for (name, bytes, seconds, keep) in steps {
            now += Duration::from_secs(seconds);
            let key = key("a", &name.to_string());
            if keep {
                programs.keep(key, program(bytes), now);
            } else {
                programs.find(key, now);
            }
            let held: usize = programs.entries.values().map(|entry| size(&entry.compiled)).sum();
            prop_assert_eq!(programs.bytes, held);
            prop_assert!(held <= BOUNDS.bytes && programs.entries.len() <= BOUNDS.entries);
        }
    }
}
