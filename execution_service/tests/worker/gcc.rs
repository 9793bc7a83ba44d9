//! C and C++ as their users have them: sources beside the source, sanitizers, and what a program said before it
//! died.

use proto::execution_v1::{ExecuteRequest, File, Limits, Status};

use crate::support::{Ran, Worker, c, in_session, limits, new_session, run, skipped};

fn cpp(code: &str) -> ExecuteRequest {
    run("cpp", code)
}

fn file(path: &str, content: &str) -> File {
    File { path: String::from(path), content: content.as_bytes().to_vec().into() }
}

fn flagged(flags: &[&str], request: ExecuteRequest) -> ExecuteRequest {
    ExecuteRequest {
        compiler_flags: flags.iter().map(|flag| String::from(*flag)).collect(),
        ..request
    }
}

fn was_compiled(ran: &Ran) -> bool {
    ran.outcome().phases.unwrap().compile_us.expect("it has a compiler") > 0
}

/// Kind, name, file and line of the diagnostic.
#[track_caller]
fn told(ran: &Ran) -> (String, String, String, u32) {
    let found = ran.outcome().diagnostic.clone().unwrap_or_else(|| panic!("{ran:?}"));
    (found.kind, found.name, found.file.unwrap_or_default(), found.line.unwrap_or_default())
}

const CALLS: &str = "#include \"util.h\"\n#include <stdio.h>\n\
                     int main(void) { printf(\"%d\\n\", util(3)); }";

fn of_two(factor: u32) -> ExecuteRequest {
    let util = format!("#include \"util.h\"\nint util(int n) {{ return n * {factor}; }}\n");
    let files = vec![file("util.h", "int util(int);\n"), file("util.c", &util)];
    ExecuteRequest { files, ..c(CALLS) }
}

#[tokio::test]
async fn a_program_of_several_sources_is_one_program_and_compiled_once() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    for (factor, compiled) in [(2, true), (2, false), (5, true), (2, false)] {
        let ran = caller.run(of_two(factor)).await;
        assert_eq!(ran.printed(), format!("{}\n", 3 * factor));
        assert_eq!(was_compiled(&ran), compiled, "{factor}: each file counts");
    }

    let deep = vec![
        file("src/a.c", "#include \"inc/a.h\"\n#include \"b.inc.c\"\nint a(void) { return B; }"),
        file("src/b.inc.c", "#define B 7\nint b(void) { return B; }"),
        file("inc/a.h", "int a(void);\n"),
        file("inc/data.csv", "1,2\n"),
    ];
    let code = "#include <a.h>\n#include <stdio.h>\nint main(void) { printf(\"%d\\n\", a()); }";
    let run = ExecuteRequest { files: deep, ..flagged(&["-I", "inc"], c(code)) };
    assert_eq!(caller.run(run).await.printed(), "7\n", "what is included is not compiled twice");

    let twice = ExecuteRequest {
        files: vec![file("other.c", "int main(void) { return 0; }")],
        ..c("int main(void) { return 0; }")
    };
    let ran = caller.run(twice).await;
    assert_eq!(ran.status(), Status::CompileFailed);
    let hint = ran.outcome().diagnostic.clone().unwrap().hint.unwrap_or_default();
    assert!(hint.contains("compiled along"), "{hint}");
}

#[tokio::test]
async fn a_source_of_an_earlier_run_is_compiled_where_it_is_named() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("c")).await.unwrap();
    let first = ExecuteRequest { files: of_two(2).files, ..in_session(&session, CALLS) };
    assert_eq!(caller.run(first).await.printed(), "6\n");
    let ran = caller.run(in_session(&session, CALLS)).await;
    assert_eq!(ran.status(), Status::CompileFailed);
    let hint = ran.outcome().diagnostic.clone().unwrap().hint.unwrap_or_default();
    assert!(hint.contains("named in compiler_flags"), "{hint}");
    let named = flagged(&["util.c"], in_session(&session, CALLS));
    assert_eq!(caller.run(named).await.printed(), "6\n");
}

#[tokio::test]
async fn cpp_is_compiled_once_and_told_from_c() {
    let Some(worker) = Worker::start("cpp", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let hello = "#include <iostream>\nint main() { std::cout << \"hello\" << std::endl; }";
    for compiled in [true, false] {
        let ran = caller.run(cpp(hello)).await;
        assert_eq!((ran.printed().as_str(), was_compiled(&ran)), ("hello\n", compiled));
    }
    let files = vec![
        file("shape.hpp", "struct Shape { int side; int area() const; };\n"),
        file(
            "shape.cc",
            "#include \"shape.hpp\"\nint Shape::area() const { return side * side; }\n",
        ),
        file("not_ours.c", "this is C, and left alone"),
    ];
    let code = "#include \"shape.hpp\"\n#include <cstdio>\n\
                int main() { std::printf(\"%d\\n\", Shape{3}.area()); }";
    let ran = caller.run(ExecuteRequest { files, ..flagged(&["-std=c++20"], cpp(code)) }).await;
    assert_eq!(ran.printed(), "9\n");

    let code = "#include <algorithm>\n#include <list>\nint main() {\n  std::list<int> l;\n  \
                std::sort(l.begin(), l.end());\n}";
    let ran = caller.run(cpp(code)).await;
    assert_eq!(ran.status(), Status::CompileFailed);
    let (kind, _, file, line) = told(&ran);
    assert_eq!((&*kind, &*file, line), ("compile", "main.cpp", 5), "where the program led to it");
}

#[tokio::test]
async fn what_was_printed_before_the_end_is_in_the_answer() {
    let Some(worker) = Worker::start("cpp", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let ends = [
        ("std::abort();", Status::Killed),
        ("*(volatile int *)0 = 1;", Status::Killed),
        ("throw std::runtime_error(\"no\");", Status::Killed),
        ("std::_Exit(3);", Status::Failed),
        ("raise(SIGKILL);", Status::Killed),
    ];
    for (end, status) in ends {
        for begin in ["", "std::ios::sync_with_stdio(false); std::cin.tie(nullptr);"] {
            let code = format!(
                "#include <csignal>\n#include <cstdio>\n#include <cstdlib>\n#include <iostream>\n\
                 #include <stdexcept>\nint main() {{ {begin}\nstd::cout << \"one \" << 1 << '\\n';\n\
                 std::printf(\"two\\n\"); std::clog << \"log\\n\"; std::cout << \"three\" << std::endl;\n{end} }}"
            );
            let ran = caller.run(cpp(&code)).await;
            assert_eq!(ran.status(), status, "{end} {begin}: {ran:?}");
            assert_eq!(ran.stdout(), "one 1\ntwo\nthree\n", "{end} {begin}: in order");
            assert!(ran.stderr().contains("log\n"), "{end} {begin}: {ran:?}");
        }
    }
}

#[tokio::test]
async fn a_program_that_is_stopped_has_said_what_it_printed() {
    let Some(worker) = Worker::start("cpp", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let code = "#include <iostream>\nint main(int count, char **) { std::ios::sync_with_stdio(false);\n\
                std::cout << \"one\\n\" << \"two\"; std::cout.put('\\n'); std::clog << \"log\\n\";\n\
                while (count > 1) {} }";
    assert_eq!(caller.run(cpp(code)).await.printed(), "one\ntwo\n");
    // It is compiled already: the limit is the program's.
    let args = vec![String::from("on")];
    let few = Limits { cpu_ms: Some(300), ..Limits::default() };
    let ran = caller.run(limits(few, ExecuteRequest { args, ..cpp(code) })).await;
    assert_eq!((ran.status(), was_compiled(&ran)), (Status::TimedOut, false), "{ran:?}");
    assert_eq!((ran.stdout().as_str(), ran.stderr().as_str()), ("one\ntwo\n", "log\n"));
}

#[tokio::test]
async fn a_crash_is_told_by_what_the_library_said_of_it() {
    let Some(worker) = Worker::start("cpp", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let main = |body: &str| {
        cpp(&format!(
            "#include <cassert>\n#include <thread>\n#include <vector>\nint main() {{\n{body}\n}}"
        ))
    };
    let none = String::new;
    for (body, kind, name, file, line) in [
        ("std::vector<int> v; return v.at(9);", "exception", "std::out_of_range", none(), 0),
        ("throw 7;", "exception", "int", none(), 0),
        ("std::thread t([] {});", "exception", "std::terminate", none(), 0),
        ("int *p = new int; delete p;\nassert(!p);", "signal", "SIGABRT", "main.cpp".into(), 6),
        ("*(volatile int *)0 = 1;", "signal", "SIGSEGV", none(), 0),
        ("return 3;", "exit", "ExitStatus", none(), 0),
    ] {
        let ran = caller.run(main(body)).await;
        let expected = (String::from(kind), String::from(name), file, line);
        assert_eq!(told(&ran), expected, "{body}: {ran:?}");
    }
    // Words decide nothing.
    let said = "#include <cstdio>\nint main() { std::fputs(\"terminate called after throwing an instance \
                of 'std::bad_alloc'\\n\", stderr); }";
    assert_eq!(caller.run(cpp(said)).await.status(), Status::Succeeded);
}

#[tokio::test]
async fn sanitizers_name_the_line_and_those_that_cannot_work_are_refused() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let main =
        |body: &str| c(&format!("#include <stdlib.h>\nint main(int n, char **v) {{\n{body}\n}}"));
    let overflow = main("char *p = malloc(n);\np[n + 3] = 1;\nreturn p[0];");
    let ran = caller.run(flagged(&["-g", "-fsanitize=address"], overflow)).await;
    if ran.stderr().contains("ReserveShadowMemoryRange failed") {
        skipped("sanitizers_name_the_line (no cgroups: memory is bounded by its address space)");
    } else {
        let (kind, name, file, line) = told(&ran);
        assert_eq!((&*kind, &*name), ("exception", "AddressSanitizer"), "{ran:?}");
        assert_eq!((&*file, line), ("main.c", 4), "{ran:?}");
        let leaks = main("char *volatile p = malloc(100); p = 0; return 0;");
        let ran = caller.run(flagged(&["-fsanitize=address"], leaks)).await;
        assert_eq!(ran.status(), Status::Succeeded, "leaks are not looked for: {ran:?}");
    }
    let undefined = main("n += 2147483647;\nreturn n == 5;");
    let ran = caller
        .run(flagged(&["-fsanitize=undefined", "-fno-sanitize-recover=all"], undefined))
        .await;
    let (_, name, file, line) = told(&ran);
    assert_eq!((&*name, &*file, line), ("UndefinedBehaviorSanitizer", "main.c", 3), "{ran:?}");

    let refusal = caller.refused(flagged(&["-fsanitize=leak"], main("return 0;"))).await;
    assert!(format!("{refusal:?}").contains("ptrace"), "{refusal:?}");
}
