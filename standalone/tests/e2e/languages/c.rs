use serde_json::json;

use crate::case::{Case, run, run_all};
use crate::crucible::Crucible;

/// A program of these headers and this body of `main`.
fn main_of(headers: &[&str], body: &str) -> Case {
    let mut code = String::new();
    for header in headers {
        code += &format!("#include <{header}.h>\n");
    }
    run("c", &format!("{code}int main(int argc, char **argv) {{\n{body}\n}}"))
}

#[tokio::test]
async fn programs_are_compiled_linked_and_run() {
    let cases = vec![
        main_of(&["stdio"], "puts(\"hi\");").prints("hi\n").lacks("/stderr", "error"),
        main_of(&["stdio", "math"], "printf(\"%.2f\", sqrt(argc + 1));").prints("1.41"),
        run(
            "c",
            "#include <pthread.h>\n#include <stdio.h>\n\
             void *f(void *a) { puts(\"t\"); return a; }\n\
             int main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_join(t, 0); }",
        )
        .prints("t\n"),
        main_of(&["stdio"], "char b[9]; scanf(\"%8s\", b); printf(\"%s %s\", b, argv[1]);")
            .with("stdin", json!("in"))
            .with("args", json!(["arg"]))
            .prints("in arg"),
        run("c", "#include \"m.h\"\n#include <stdio.h>\nint main(void) { printf(\"%d\", M); }")
            .with("files", json!({"m.h": "#define M 8"}))
            .prints("8"),
        main_of(&["stdio"], "printf(\"%d\", N);")
            .with("compiler_flags", json!(["-DN=3", "-O2"]))
            .prints("3"),
        main_of(&["stdio"], "int unused; puts(\"w\");")
            .prints("w\n")
            .has("/stderr", "unused variable"),
    ];
    run_all(Crucible::shared(), 2, cases).await;
}

#[tokio::test]
async fn what_the_compiler_refuses_is_told_by_file_line_and_column() {
    let cases = vec![
        run("c", "int main(void) {\n  int x = 1\n  return x;\n}")
            .ends("compile_failed")
            .is("/diagnostic/kind", json!("compile"))
            .is("/diagnostic/file", json!("main.c"))
            .at_line(3)
            .is("/diagnostic/column", json!(3)),
        run("c", "int x = \"a\" - ;").ends("compile_failed").at_line(1),
        run("c", "#include \"nosuch.h\"\nint main(void) {}")
            .ends("compile_failed")
            .at_line(1)
            .has("/diagnostic/message", "nosuch.h"),
        run("c", "void nope(void);\nint main(void) { nope(); }")
            .ends("compile_failed")
            .has("/diagnostic/message", "nope"),
        run("c", "int f(void) { return 1; }")
            .ends("compile_failed")
            .has("/diagnostic/message", "main"),
    ];
    run_all(Crucible::shared(), 2, cases).await;
}

#[tokio::test]
async fn exits_and_signals_are_the_programs_own() {
    let cases = vec![
        main_of(&[], "return 5;").fails(5).diagnosed("exit", "ExitStatus"),
        main_of(&[], "volatile int *p = 0; return *p;").dies_of("SIGSEGV"),
        main_of(&["stdlib"], "abort();").dies_of("SIGABRT"),
        main_of(&[], "volatile int z = 0; return 7 / z;").dies_of("SIGFPE"),
        main_of(&["stdio"], "printf(\"part\"); fflush(stdout); *(volatile int *)0 = 1;")
            .dies_of("SIGSEGV")
            .prints("part"),
    ];
    run_all(Crucible::shared(), 2, cases).await;
}
