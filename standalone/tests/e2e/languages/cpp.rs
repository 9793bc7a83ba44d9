use serde_json::json;

use crate::case::{Case, run, run_all};
use crate::crucible::Crucible;

/// A program of these headers and this body of `main`.
fn main_of(headers: &[&str], body: &str) -> Case {
    let mut code = String::new();
    for header in headers {
        code += &format!("#include <{header}>\n");
    }
    run("cpp", &format!("{code}int main(int argc, char **argv) {{\n{body}\n}}"))
}

#[tokio::test]
async fn programs_are_compiled_linked_and_run() {
    let cases = vec![
        main_of(&["iostream"], "std::cout << \"hi\" << std::endl;").prints("hi\n"),
        run("c++", "#include <iostream>\nint main() { std::cout << 1 << '\\n'; }").prints("1\n"),
        run("cxx", "#include <cstdio>\nint main() { std::puts(\"x\"); }").prints("x\n"),
        main_of(&["iostream", "string"], "std::string s; std::cin >> s; std::cout << s << argv[1];")
            .with("stdin", json!("in"))
            .with("args", json!(["arg"]))
            .prints("inarg"),
        main_of(&["bits/stdc++.h"], "std::map<int, int> m{{1, 2}}; std::cout << m[1];").prints("2"),
        main_of(&["iostream"], "std::cout << __cplusplus;").prints("201703"),
        main_of(&["iostream"], "std::cout << __cplusplus / 100 << N;")
            .with("compiler_flags", json!(["-std=c++20", "-D", "N=5"]))
            .prints("20205"),
        run("cpp", "#include \"twice.h\"\n#include <cstdio>\nint main() { std::printf(\"%d\", twice(4)); }")
            .with(
                "files",
                json!({"twice.h": "int twice(int);", "src/twice.cpp": "int twice(int n) { return 2 * n; }"}),
            )
            .prints("8"),
        run("c", "int twice(int);\n#include <stdio.h>\nint main(void) { printf(\"%d\", twice(4)); }")
            .with("files", json!({"twice.c": "int twice(int n) { return 2 * n; }"}))
            .prints("8"),
    ];
    run_all(Crucible::shared(), 2, cases).await;
}

#[tokio::test]
async fn what_the_compiler_refuses_is_told_by_file_line_and_column_with_advice() {
    let cases = vec![
        run("cpp", "int main() {\n  int x = 1\n  return x;\n}")
            .ends("compile_failed")
            .is("/diagnostic/file", json!("main.cpp"))
            .at_line(3)
            .is("/diagnostic/column", json!(3)),
        run("cpp", "int main() { std::cout << 1; }")
            .ends("compile_failed")
            .has("/diagnostic/hint", "#include <iostream>"),
        run("cpp", "#include \"t.h\"\nint main() { return t(); }")
            .with("files", json!({"t.h": "int t();", "t.cc": "int t() {\n  return u;\n}"}))
            .ends("compile_failed")
            .is("/diagnostic/file", json!("t.cc"))
            .at_line(2),
        run("cpp", "int helper(int);\nint main() { return helper(1); }")
            .ends("compile_failed")
            .diagnosed("compile", "link_error")
            .has("/diagnostic/message", "helper(int)")
            .has("/diagnostic/hint", "`files`"),
        run("cpp", "int f() { return 1; }")
            .ends("compile_failed")
            .has("/diagnostic/hint", "int main()"),
        run("c", "#include <iostream>\nint main(void) {}")
            .ends("compile_failed")
            .is("/diagnostic/missing_module", json!("iostream"))
            .has("/diagnostic/hint", "\"cpp\""),
    ];
    run_all(Crucible::shared(), 2, cases).await;
}

#[tokio::test]
async fn the_end_of_a_program_is_told_and_what_it_printed_before() {
    let fast = "std::ios::sync_with_stdio(false); std::cout << \"part\\n\";";
    let endless = main_of(&["iostream"], &format!("{fast} while (argc > 1) {{}}"));
    let cases = vec![
        main_of(
            &["iostream", "vector"],
            "std::cout << \"a\\n\"; std::vector<int> v; return v.at(9);",
        )
        .ends("killed")
        .is("/signal", json!("SIGABRT"))
        .diagnosed("exception", "std::out_of_range")
        .prints("a\n"),
        main_of(&["iostream"], &format!("{fast} *(volatile int *)0 = 1;"))
            .dies_of("SIGSEGV")
            .prints("part\n"),
        endless.clone().prints("part\n"),
        main_of(&["cassert"], "assert(argc == 5);").dies_of("SIGABRT").at_line(3),
    ];
    run_all(Crucible::shared(), 2, cases).await;
    // It is compiled now: the second is the program's alone.
    let endless = endless.with("args", json!(["on"])).with("timeout", json!(1));
    run_all(Crucible::shared(), 1, vec![endless.ends("timed_out").prints("part\n")]).await;
}
