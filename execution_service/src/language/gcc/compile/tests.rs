//! The commands, as they are for a program.

use std::collections::BTreeMap;

use super::*;
use crate::language::RequestPlace;
use crate::language::c::DIALECT as C;
use crate::language::cpp::DIALECT as CPP;
use crate::sandbox::workspace::{WorkspaceFile, WorkspacePath};

struct Given {
    code: &'static str,
    files: Vec<WorkspaceFile>,
    flags: Vec<String>,
    env: BTreeMap<String, String>,
}

fn given(code: &'static str, files: &[&str], flags: &[&str]) -> Given {
    let file = |path: &&str| WorkspaceFile {
        path: WorkspacePath::parse(path).expect("a clean path"),
        content: Vec::new(),
    };
    let flags = flags.iter().map(|flag| String::from(*flag)).collect();
    Given { code, files: files.iter().map(file).collect(), flags, env: BTreeMap::new() }
}

impl Given {
    fn program(&self) -> Program<'_> {
        Program {
            code: self.code,
            args: &[],
            env: &self.env,
            stdin: None,
            files: &self.files,
            compiler_flags: &self.flags,
            working_directory: WORKSPACE,
            place: RequestPlace::FIRST,
        }
    }

    fn arguments(&self, dialect: &Dialect) -> Vec<String> {
        dialect.compile("/usr/bin/gcc", self.program()).args
    }
}

fn place(args: &[String], arg: &str) -> usize {
    args.iter().position(|it| it == arg).unwrap_or_else(|| panic!("{arg} in {args:?}"))
}

#[test]
fn sources_come_before_libraries_and_flags_before_both() {
    let given = given("", &["a.c", "-b.c", "@c.c"], &["-l", "z", "old.c", "-D", "N=1"]);
    let args = given.arguments(&C);
    let order = ["-DN=1", "main.c", "a.c", "./-b.c", "./@c.c", "old.c", "-lz", "-lm"]
        .map(|it| place(&args, it));
    assert!(order.is_sorted(), "{args:?}");
}

#[test]
fn a_plain_program_is_compiled_as_ever() {
    let args =
        given("#include <stdio.h>\nint main(void) { puts(\"hello\"); }", &[], &[]).arguments(&C);
    assert!(!args.iter().any(|arg| ["-lm", "-iquote"].contains(&arg.as_str())), "{args:?}");
    assert_eq!(args.last().map(String::as_str), Some("main.c"));
}

#[test]
fn streams_that_buffer_for_themselves_are_told_not_to() {
    let fast = given("std::ios::sync_with_stdio(false);", &[], &[]);
    assert!(fast.arguments(&CPP).iter().any(|arg| arg == WRAPPED));
    assert!(!fast.arguments(&C).iter().any(|arg| arg == WRAPPED));
    assert!(!given("int main() {}", &[], &[]).arguments(&CPP).iter().any(|arg| arg == WRAPPED));
}

#[test]
fn the_sanitizer_of_addresses_looks_for_no_leaks() {
    let mut given = given("", &[], &["-fsanitize=address"]);
    let options = |given: &Given| C.run("", given.program()).env.get(SANITIZER).cloned();
    assert_eq!(options(&given).as_deref(), Some("detect_leaks=0"));
    given.env.insert(String::from(SANITIZER), String::from("verbosity=1"));
    assert_eq!(options(&given).as_deref(), Some("detect_leaks=0:verbosity=1"));
    given.flags.clear();
    assert_eq!(options(&given).as_deref(), Some("verbosity=1"), "it is the program's own");
}
