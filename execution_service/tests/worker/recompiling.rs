//! The same C source again: what comes of it must not depend on whether it was compiled.

use proto::execution_v1::{ExecuteRequest, File, Limits, Status};

use crate::support::{Ran, Worker, c, in_session, limits, new_session, of};

/// Says what it was given, and warns.
const ECHO: &str = r#"#include <stdio.h>
int main(int argc, char **argv) {
    int unused;
    char line[64] = "";
    FILE *source = fopen("main.c", "r");
    fgets(line, sizeof line, stdin);
    fprintf(stderr, "to stderr\n");
    printf("%s %s %s\n", argv[argc - 1], line, source ? "source" : "nothing");
}"#;

/// Whether the compiler took part.
#[track_caller]
fn was_compiled(ran: &Ran) -> bool {
    ran.outcome().phases.unwrap().compile_us.expect("C has a compiler") > 0
}

fn echo(argument: &str) -> ExecuteRequest {
    let stdin = Vec::from(argument.to_uppercase());
    ExecuteRequest { args: vec![String::from(argument)], stdin: stdin.into(), ..c(ECHO) }
}

#[tokio::test]
async fn the_same_source_is_compiled_once_for_its_owner() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let first = caller.run(echo("one")).await;
    assert!(was_compiled(&first));
    assert_eq!(first.printed(), "one ONE source\n");
    assert!(first.stderr().contains("unused") && first.stderr().ends_with("to stderr\n"));

    let again = caller.run(echo("two")).await;
    assert!(!was_compiled(&again), "{again:?}");
    assert_eq!(again.printed(), "two TWO source\n", "the run is a new one");
    assert_eq!(again.stderr(), first.stderr(), "what the compiler said belongs to every answer");
    assert_eq!(again.outcome().stderr, first.outcome().stderr);

    let others = caller.run(of("usr_two", echo("one"))).await;
    assert!(was_compiled(&others), "nobody is told what others compile");
    let optimised = ExecuteRequest { compiler_flags: vec![String::from("-O2")], ..echo("one") };
    assert!(was_compiled(&caller.run(optimised).await));
    let other_text = c(&ECHO.replace("stderr\\n", "STDERR\\n"));
    assert!(was_compiled(&caller.run(other_text).await));
}

#[tokio::test]
async fn warnings_are_cut_to_each_requests_limit() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let warnings = "    int unused;\n".replace("unused", "unused_with_a_long_name");
    let blocks = format!("{{\n{warnings}}}\n").repeat(40);
    let source = format!("int main(void) {{\n{blocks}}}");
    let few = Limits { output_bytes: Some(1024), ..Limits::default() };
    assert!(was_compiled(&caller.run(c(&source)).await));
    let again = caller.run(limits(few, c(&source))).await;
    let compiled = caller.run(of("usr_two", limits(few, c(&source)))).await;
    assert_eq!((was_compiled(&again), was_compiled(&compiled)), (false, true));
    assert!(again.outcome().stderr.unwrap().truncated);
    assert_eq!(again.outcome().stderr, compiled.outcome().stderr);
    assert_eq!(again.stderr(), compiled.stderr());

    // What was cut is not the whole: it is not kept.
    let renamed = source.replace("long_name", "longer_name");
    caller.run(limits(few, c(&renamed))).await;
    let whole = caller.run(c(&renamed)).await;
    assert!(was_compiled(&whole) && !whole.outcome().stderr.unwrap().truncated);
}

#[tokio::test]
async fn a_program_cannot_change_what_its_source_means() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let replaces_itself = r##"#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    char path[64] = "";
    if (readlink("/pro" "c/self/exe", path, 63) < 0 || unlink(path)) return 1;
    FILE *other = fopen(path, "w");
    if (!other) return 2;
    fprintf(other, "#!/bin/sh\necho poisoned\n");
    fclose(other);
    if (chmod(path, 0755)) return 3;
    puts("clean");
}"##;
    for compiled in [true, false, false] {
        let ran = caller.run(c(replaces_itself)).await;
        assert_eq!((ran.printed().as_str(), was_compiled(&ran)), ("clean\n", compiled));
    }
}

#[tokio::test]
async fn a_compilation_that_fails_is_tried_again() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    for _ in 0..2 {
        let ran = caller.run(c("int main(void) { return x; }")).await;
        assert_eq!(ran.status(), Status::CompileFailed, "{ran:?}");
        assert!(was_compiled(&ran) && ran.stderr().contains("undeclared"));
    }
}

#[tokio::test]
async fn what_lies_beside_the_source_is_compiled_in_anew() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let code = "#include <stdio.h>\n#include \"n.h\"\nint main(void) { printf(\"%d\\n\", N); }";
    let beside = |n: u32| File {
        path: String::from("n.h"),
        content: format!("#define N {n}\n").into_bytes().into(),
    };
    for n in [1, 2] {
        let ran = caller.run(ExecuteRequest { files: vec![beside(n)], ..c(code) }).await;
        assert_eq!(ran.printed(), format!("{n}\n"));
    }

    let session = caller.create_session(new_session("c")).await.unwrap();
    for n in [1, 2] {
        let run = ExecuteRequest { files: vec![beside(n)], ..in_session(&session, code) };
        assert_eq!(caller.run(run).await.printed(), format!("{n}\n"));
        let ran = caller.run(in_session(&session, code)).await;
        assert_eq!((ran.printed(), was_compiled(&ran)), (format!("{n}\n"), true));
    }

    // Input is the program's alone: a compiler that saw it would make another program of it.
    let code = "#include \"/run/crucible/stdin\"\nint main(void) { return N; }";
    let ran =
        caller.run(ExecuteRequest { stdin: b"#define N 0\n".to_vec().into(), ..c(code) }).await;
    assert_eq!(ran.status(), Status::CompileFailed, "{ran:?}");
}

#[tokio::test]
async fn large_programs_are_whole_or_made_anew() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let of_size = |bytes: usize| {
        c(&format!(
            "#include <stdio.h>\nunsigned char data[{bytes}] = {{1, [{bytes} - 1] = 7}};\n\
             int main(void) {{ printf(\"%d\\n\", data[{bytes} - 1]); }}"
        ))
    };
    for (bytes, compiled) in [(300_000, [true, false]), (5 << 20, [true, true])] {
        for compiled in compiled {
            let ran = caller.run(of_size(bytes)).await;
            assert_eq!((ran.printed().as_str(), was_compiled(&ran)), ("7\n", compiled), "{bytes}");
        }
    }
}

#[tokio::test]
async fn an_operator_may_have_nothing_kept() {
    let Some(worker) = Worker::start("c", &[("COMPILE_CACHE_BYTES", "0")]).await else {
        return;
    };
    let caller = worker.caller().await;
    for _ in 0..2 {
        let ran = caller.run(echo("one")).await;
        assert_eq!((ran.printed().as_str(), was_compiled(&ran)), ("one ONE source\n", true));
    }
}
