//! What is read out of a compiler's words.

use proptest::prelude::*;

use super::*;
use crate::language::c::DIALECT as C;
use crate::language::cpp::DIALECT as CPP;

#[test]
fn the_first_error_is_located() {
    let said = "main.c: In function ‘main’:\nmain.c:2:7: warning: unused variable ‘x’\n\
                main.c:3:12: error: ‘y’ undeclared (first use in this function)\n\
                main.c:9:1: error: expected ‘}’\n";
    let diagnostic = diagnose(&C, said);
    assert_eq!(diagnostic.kind, Kind::Compile);
    assert_eq!((diagnostic.line, diagnostic.column), (Some(3), Some(12)));
    assert_eq!(diagnostic.file.as_deref(), Some("main.c"));
    assert!(diagnostic.message.starts_with("‘y’ undeclared"));
}

#[test]
fn an_error_inside_the_library_is_located_where_the_program_led_to_it() {
    let said = "In file included from /usr/include/c++/12/algorithm:61,\n\
         \x20                from main.cpp:1:\n\
         /usr/include/c++/12/bits/stl_algo.h: In instantiation of ‘void std::sort(_RAIter, _RAIter)’:\n\
         /usr/include/c++/12/bits/stl_algo.h:4820:18:   required from ‘void std::sort(…)’\n\
         main.cpp:5:12:   required from here\n\
         /usr/include/c++/12/bits/stl_algo.h:1938:50: error: no match for ‘operator-’\n";
    let diagnostic = diagnose(&CPP, said);
    assert_eq!(diagnostic.file.as_deref(), Some("main.cpp"));
    assert_eq!((diagnostic.line, diagnostic.column), (Some(5), Some(12)));
    assert!(diagnostic.message.starts_with("no match for"));
}

#[test]
fn a_linker_error_names_the_symbol() {
    let said = "/usr/bin/ld: /tmp/x.o: in function `main':\nmain.c:(.text+0x5): undefined \
                reference to `foo'\ncollect2: error: ld returned 1 exit status\n";
    let diagnostic = diagnose(&C, said);
    assert_eq!(diagnostic.name, "link_error");
    assert!(diagnostic.message.contains("`foo'"));
}

#[test]
fn each_class_of_errors_has_advice() {
    let at = |what: &str| format!("main.c:1:10: {what}\n");
    let undefined = |name: &str| format!("main.c:(.text+0x5): undefined reference to `{name}'\n");
    for (dialect, said, advice) in [
        (&C, at("fatal error: iostream: No such file or directory"), "\"cpp\""),
        (&C, at("fatal error: util.h: No such file or directory"), "`files`"),
        (&CPP, at("fatal error: print: No such file or directory"), "newer than"),
        (&CPP, at("fatal error: boost/any.hpp: No such file or directory"), "C++ library"),
        (&C, at("error: unknown type name ‘using’"), "\"cpp\""),
        (&C, undefined("main"), "int main(void)"),
        (&C, undefined("sqlite3_open"), "-lsqlite3"),
        (&C, undefined("deflateInit_"), "-lz"),
        (&C, undefined("omp_get_num_threads"), "-fopenmp"),
        (&C, undefined("util"), "`files`"),
        (&C, undefined("compress"), "else define `compress`"),
        (&CPP, undefined("compress(int)"), "define `compress(int)`: in the code"),
        (&CPP, undefined("Shape::area() const"), "`files`"),
        (&CPP, undefined("vtable for Shape"), "virtual"),
        (
            &C,
            String::from("ld: x.o: multiple definition of `main'; y.o: first defined here"),
            "main",
        ),
        (&C, String::from("/usr/bin/ld: cannot find -lgsl: No such file or directory"), "gsl"),
        (
            &C,
            at(
                "error: x\nmain.c:1:1: note: ‘puts’ is defined in header ‘<stdio.h>’; did you forget to \
                ‘#include <stdio.h>’?",
            ),
            "#include <stdio.h>",
        ),
        (
            &CPP,
            at("error: x\nmain.cpp:2:1: note: ‘std::span’ is only available from C++20 onwards"),
            "-std=c++20",
        ),
    ] {
        let found = diagnose(dialect, &said);
        let hint = found.hint.unwrap_or_default();
        assert!(hint.contains(advice), "{said}: {hint:?}");
    }
}

#[test]
fn a_limit_that_stopped_a_part_of_the_compiler_is_told_from_an_error() {
    for (said, errno) in [
        ("cc1: out of memory allocating 65536 bytes after a total of 1000 bytes", Some(12)),
        (
            "gcc: internal compiler error: File size limit exceeded signal terminated program as",
            Some(27),
        ),
        (
            "collect2: fatal error: ld terminated with signal 25 [File size limit exceeded]",
            Some(27),
        ),
        ("main.c:1:2: error: #error File size limit exceeded", None),
    ] {
        assert_eq!(diagnose(&C, said).errno, errno, "{said}");
    }
}

proptest! {
    #[test]
    fn a_compiler_may_say_anything(
        said in prop_oneof![
            ".*",
            "([a-z./:0-9]{0,12}(: error: |: fatal error: |\n|:|:   required from |note: |-l|`|'|‘|’)){0,20}",
        ],
    ) {
        for dialect in [&C, &CPP] {
            let diagnostic = diagnose(dialect, &said);
            prop_assert_eq!(diagnostic.kind, Kind::Compile);
            prop_assert!(
                diagnostic.message == "the compiler failed" || said.contains(&diagnostic.message)
            );
        }
    }

    #[test]
    fn what_gcc_says_is_read(
        file in "[a-z][a-z/.]{0,11}", line in 1_u32.., column in 1_u32..,
        fatal in any::<bool>(), message in "[a-z' ]{1,30}", before in "[a-z ]{0,20}",
    ) {
        let kind = if fatal { "fatal error" } else { "error" };
        let diagnostic = diagnose(&C, &format!("{before}\n{file}:{line}:{column}: {kind}: {message}"));
        prop_assert_eq!((diagnostic.line, diagnostic.column), (Some(line), Some(column)));
        prop_assert_eq!(diagnostic.file, Some(file));
        prop_assert_eq!(diagnostic.message, message);
    }
}
