//! Reads what the run-time libraries of gcc and the C library say on standard error before they end a
//! program: an exception that nobody caught, an assertion, a damaged heap, a sanitizer's report.

use super::place::Place;
use crate::language::diagnostic::{Diagnostic, Kind};
use crate::sandbox::spec::{Exit, WORKSPACE};

const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

/// By which the C library announces that it has found the heap or the stack damaged.
const DAMAGED: &[&str] = &[
    "free(): ",
    "malloc(): ",
    "malloc_consolidate(): ",
    "realloc(): ",
    "munmap_chunk(): ",
    "double free or corruption",
    "corrupted size vs. prev_size",
    "corrupted double-linked list",
    "*** stack smashing detected ***",
    "*** buffer overflow detected ***",
    "*** invalid %N$ use detected ***",
];
/// What is said before the end when there is nothing to call.
const PURE_VIRTUAL: &str = "pure virtual method called";
const SANITIZE: &str = "compiler_flags [\"-g\", \"-fsanitize=address\"] name the line";

/// What `said`, the end of its standard error, tells of a program that ended with `exit`.
pub fn read(exit: Exit, said: &str) -> Option<Diagnostic> {
    match exit {
        Exit::Code(0) => None,
        Exit::Code(_) => sanitizer(said),
        Exit::Signal(SIGABRT) => sanitizer(said)
            .or_else(|| uncaught(said))
            .or_else(|| said.lines().rev().find_map(assertion))
            .or_else(|| said.lines().rev().find_map(damage)),
        Exit::Signal(SIGSEGV) => {
            Some(Diagnostic::new(Kind::Signal, "SIGSEGV", "segmentation fault").hint(format!(
                "an invalid pointer, an index out of bounds, or endless recursion; {SANITIZE}"
            )))
        }
        Exit::Signal(_) => None,
    }
}

/// `terminate called after throwing an instance of 'std::out_of_range'`, and in the next line what it says
/// of itself.
fn uncaught(said: &str) -> Option<Diagnostic> {
    let (_, rest) = said.rsplit_once("terminate called ")?;
    if said.lines().any(|line| line == PURE_VIRTUAL) {
        let hint =
            "a constructor or a destructor calls a virtual function that no class of its own has";
        return Some(Diagnostic::new(Kind::Exception, "std::terminate", PURE_VIRTUAL).hint(hint));
    }
    if rest.starts_with("without an active exception") {
        let message = "terminate called without an active exception";
        let hint = "join() or detach() every std::thread before it is destroyed; `throw;` needs an \
                    exception that is being handled";
        return Some(Diagnostic::new(Kind::Exception, "std::terminate", message).hint(hint));
    }
    let rest = rest.strip_prefix("after throwing an instance of '")?;
    let (name, rest) = rest.split_once('\'')?;
    let what = rest.trim_start().strip_prefix("what():").and_then(|what| what.lines().next());
    let message = what.map_or("nobody caught it", str::trim);
    let mut diagnostic = Diagnostic::new(Kind::Exception, name, message);
    if name == "std::bad_alloc" {
        diagnostic.hint = Some(String::from(
            "work on smaller pieces of data, or ask for more limits.memory_bytes; a negative size does it, too",
        ));
    }
    Some(diagnostic)
}

/// ``main: main.c:3: main: Assertion `x' failed.``
fn assertion(line: &str) -> Option<Diagnostic> {
    let (before, claim) = line.split_once(": Assertion ")?;
    let claim = claim.strip_suffix('.').unwrap_or(claim);
    let message = format!("assertion {claim}");
    let mut diagnostic = Diagnostic::new(Kind::Signal, "SIGABRT", message)
        .hint("what the program takes for granted there does not hold");
    // The program's name is in front in C; what follows the line's number is the function.
    let pieces: Vec<&str> = before.split(": ").collect();
    if let Some(place) = pieces.iter().find_map(|piece| Place::parse(piece)) {
        locate(&mut diagnostic, place);
    }
    Some(diagnostic)
}

fn damage(line: &str) -> Option<Diagnostic> {
    let line = line.trim();
    DAMAGED.iter().any(|beginning| line.starts_with(beginning)).then(|| {
        Diagnostic::new(Kind::Signal, "SIGABRT", line)
            .hint(format!("memory was written beyond its end, or freed twice; {SANITIZE}"))
    })
}

/// `SUMMARY: AddressSanitizer: heap-buffer-overflow /home/user/main.c:3 in main`, with the user's own first
/// frame for the place; or, where it stops at the first, `main.c:3:12: runtime error: …`.
fn sanitizer(said: &str) -> Option<Diagnostic> {
    let summary = said.lines().rev().find_map(|line| line.strip_prefix("SUMMARY: "));
    let Some((tool, what)) = summary.and_then(|summary| summary.split_once(": ")) else {
        return said.lines().rev().find_map(undefined_behaviour);
    };
    if tool == "UndefinedBehaviorSanitizer" {
        return said.lines().rev().find_map(undefined_behaviour);
    }
    let mut diagnostic = Diagnostic::new(Kind::Exception, tool, what.replace(&below(), ""));
    let report = said.rsplit_once("==ERROR: ").or_else(|| said.rsplit_once("WARNING: "));
    let report = report.map_or(said, |(_, report)| report);
    match report.lines().find_map(own_frame) {
        Some(place) => locate(&mut diagnostic, place),
        None => {
            diagnostic.hint = Some(String::from("with \"-g\" in compiler_flags it names the line"))
        }
    }
    Some(diagnostic)
}

fn undefined_behaviour(line: &str) -> Option<Diagnostic> {
    let (place, message) = line.split_once(": runtime error: ")?;
    let mut diagnostic = Diagnostic::new(Kind::Exception, "UndefinedBehaviorSanitizer", message);
    locate(&mut diagnostic, Place::parse(place)?);
    Some(diagnostic)
}

/// `    #0 0x55d0 in main /home/user/main.c:3`: the first one in a text of the user's.
fn own_frame(line: &str) -> Option<Place> {
    let frame = line.trim_start().strip_prefix('#')?;
    let at = frame.find(&below())?;
    let place = frame[at..].split([' ', '\n']).next()?;
    Place::parse(place).filter(Place::is_the_users)
}

fn below() -> String {
    format!("{WORKSPACE}/")
}

fn locate(diagnostic: &mut Diagnostic, place: Place) {
    diagnostic.file = Some(place.file);
    diagnostic.line = Some(place.line);
    diagnostic.column = place.column;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ABORTED: Exit = Exit::Signal(SIGABRT);

    /// Kind, name, message, line.
    fn told(exit: Exit, said: &str) -> (Kind, String, String, Option<u32>) {
        let found = read(exit, said).expect(said);
        (found.kind, found.name, found.message, found.line)
    }

    #[test]
    fn an_exception_that_nobody_caught_has_its_type_and_what_it_says() {
        let said = "log\nterminate called after throwing an instance of 'std::out_of_range'\n\
                    \x20 what():  vector::_M_range_check: __n (which is 9)\n";
        let expected = "vector::_M_range_check: __n (which is 9)";
        assert_eq!(
            told(ABORTED, said),
            (Kind::Exception, "std::out_of_range".into(), expected.into(), None)
        );
        let said = "terminate called after throwing an instance of 'int'\n";
        assert_eq!(told(ABORTED, said).1, "int");
        let said = "pure virtual method called\nterminate called without an active exception\n";
        assert_eq!(told(ABORTED, said).2, "pure virtual method called");
        let said = "terminate called without an active exception\n";
        assert!(
            read(ABORTED, said).and_then(|found| found.hint).is_some_and(|it| it.contains("join"))
        );
    }

    #[test]
    fn assertions_are_located() {
        for (said, message) in [
            ("main: main.c:3: main: Assertion `x == 2' failed.\n", "assertion `x == 2' failed"),
            (
                "main: main.cpp:3: int f(std::string): Assertion `a::b' failed.\n",
                "assertion `a::b' failed",
            ),
        ] {
            assert_eq!(
                told(ABORTED, said),
                (Kind::Signal, "SIGABRT".into(), message.into(), Some(3)),
                "{said}"
            );
        }
    }

    #[test]
    fn a_damaged_heap_is_told_as_the_library_tells_it() {
        for said in
            ["free(): double free detected in tcache 2\n", "*** stack smashing detected ***: x"]
        {
            assert_eq!(told(ABORTED, said).2, said.trim());
        }
        assert_eq!(read(ABORTED, "nothing of that kind"), None);
    }

    #[test]
    fn reports_of_sanitizers_are_located_in_the_users_text() {
        let said = "==12==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60\n\
            WRITE of size 1 at 0x60 thread T0\n\
            \x20   #0 0x7f in __interceptor_strcpy ../../asan_interceptors.cpp:440\n\
            \x20   #1 0x55 in f /home/user/lib/o.c:3\n\
            \x20   #2 0x55 in main /home/user/main.c:9\n\n\
            SUMMARY: AddressSanitizer: heap-buffer-overflow ../../asan_interceptors.cpp:440 in strcpy\n\
            Shadow bytes around the buggy address:\n";
        let found = read(Exit::Code(1), said).expect("a report");
        assert_eq!((found.name.as_str(), found.line), ("AddressSanitizer", Some(3)));
        assert_eq!(found.file.as_deref(), Some("lib/o.c"));
        let said = "main.c:3:42: runtime error: signed integer overflow\n";
        let found = read(Exit::Code(1), said).expect("a report");
        assert_eq!((found.message.as_str(), found.column), ("signed integer overflow", Some(42)));
        assert_eq!(read(Exit::Code(0), said), None);
        assert_eq!(read(Exit::Code(3), "SUMMARY of the day: rain"), None);
    }

    proptest! {
        #[test]
        fn a_program_may_say_anything(
            said in "((terminate called |after throwing an instance of '|what\\(\\): |SUMMARY: |: Assertion |\
                     : runtime error: |==ERROR: |#0 |/home/user/|[a-zé']{0,4}|:|[0-9]|\n)){0,20}",
            exit in prop_oneof![(-1..80).prop_map(Exit::Code), (-1..80).prop_map(Exit::Signal)],
        ) {
            if let Some(found) = read(exit, &said) {
                prop_assert!(exit != Exit::Code(0));
                prop_assert!(found.errno.is_none(), "it decides nothing");
            }
        }
    }
}
