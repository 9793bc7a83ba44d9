use serde_json::json;

use crate::case::{run, run_all};
use crate::crucible::Crucible;

#[tokio::test]
async fn the_last_expression_is_the_main_result() {
    let cases = vec![
        run("python", "1 + 1").result("2").prints(""),
        run("python", "print('said')\n'value'").prints("said\n").result("'value'"),
        run("python", "x = [1, 2]\nx").result("[1, 2]"),
        run("python", "None").is("/results", json!([])),
        run("python", "x = 5").is("/results", json!([])),
        run("python", "import asyncio\nawait asyncio.sleep(0.01)\n7").result("7"),
        run("python", "from __future__ import annotations\nx: int = 1\nx").result("1"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn input_arguments_environment_and_files_arrive() {
    let cases = vec![
        run("python", "print(input('name? '))\nprint(input())")
            .with("stdin", json!("Ada\nBob\n"))
            .prints("name? Ada\nBob\n"),
        run("python", "import sys\nprint(sys.argv[1:])")
            .with("args", json!(["a b", "c"]))
            .prints("['a b', 'c']\n"),
        run("python", "import os\nprint(os.environ['WHO'])")
            .with("env", json!({"WHO": "me"}))
            .prints("me\n"),
        run("python", "print(open('data/in.csv').read())")
            .with("files", json!({"data/in.csv": "1,2"}))
            .prints("1,2\n"),
        run("python", "print(open('b', 'rb').read())")
            .with("files", json!({"b": {"base64": "AP8="}}))
            .prints("b'\\x00\\xff'\n"),
        run("python", "import mine\nprint(mine.x)")
            .with("files", json!({"mine.py": "x = 5"}))
            .prints("5\n"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn threads_processes_and_programs_work() {
    let pool = "import multiprocessing as m\n\
                def square(x): return x * x\n\
                if __name__ == '__main__':\n\
                \x20   with m.get_context('METHOD').Pool(2) as pool:\n\
                \x20       print(pool.map(square, [1, 2, 3]))";
    let cases = vec![
        run("python", &pool.replace("METHOD", "fork")).prints("[1, 4, 9]\n"),
        run("python", &pool.replace("METHOD", "spawn")).prints("[1, 4, 9]\n"),
        run("python", "import threading as t\nx = t.Thread(target=print, args=('in',))\nx.start()")
            .prints("in\n"),
        run("python", "import subprocess\nsubprocess.run(['echo', 'hi'])").has("/stdout", "hi\n"),
        run(
            "python",
            "from concurrent.futures import ProcessPoolExecutor as P\n\
                       with P(2) as pool: print(sum(pool.map(abs, [-1, -2])))",
        )
        .prints("3\n"),
    ];
    run_all(Crucible::shared(), 2, cases).await;
}

#[tokio::test]
async fn failures_are_told_by_their_kind_name_and_line() {
    let cases = vec![
        run("python", "def f():\n    return 1 / 0\n\nf()")
            .fails(1)
            .diagnosed("exception", "ZeroDivisionError")
            .at_line(2)
            .has("/stderr", "File \"main.py\", line 4, in <module>")
            .has("/diagnostic/traceback", "return 1 / 0"),
        run("python", "print(1)\nif True print(2)")
            .fails(1)
            .prints("")
            .diagnosed("syntax", "SyntaxError")
            .at_line(2)
            .is("/diagnostic/column", json!(9)),
        run("python", "x = (1,\n").fails(1).diagnosed("syntax", "SyntaxError").at_line(1),
        run("python", "  x = 1").fails(1).diagnosed("syntax", "IndentationError").at_line(1),
        run("python", "import nosuch")
            .fails(1)
            .diagnosed("exception", "ModuleNotFoundError")
            .is("/diagnostic/missing_module", json!("nosuch")),
        run("python", "input()").fails(1).diagnosed("exception", "EOFError"),
        run("python", "def f(): f()\nf()").fails(1).diagnosed("exception", "RecursionError"),
        run("python", "try:\n    1 / 0\nexcept Exception as e:\n    raise KeyError('k') from e")
            .fails(1)
            .diagnosed("exception", "KeyError")
            .at_line(4)
            .has("/stderr", "ZeroDivisionError"),
        run("python", "import mine")
            .with("files", json!({"mine.py": "def g():\n    raise KeyError('k')\ng()"}))
            .fails(1)
            .is("/diagnostic/file", json!("mine.py"))
            .at_line(2),
    ]
    .into_iter()
    .map(|case| case.lacks("/stderr", "/opt/crucible"));
    run_all(Crucible::shared(), 3, cases.collect()).await;
}

#[tokio::test]
async fn exits_and_signals_are_the_programs_own() {
    let cases = vec![
        run("python", "import sys\nsys.exit(3)").fails(3).diagnosed("exit", "ExitStatus"),
        run("python", "import sys\nsys.exit('sorry')").fails(1).has("/stderr", "sorry"),
        run("python", "raise SystemExit"),
        run("python", "import os\nprint('x', flush=True)\nos._exit(3)").fails(3).prints("x\n"),
        run("python", "import os\nos.kill(os.getpid(), 11)").dies_of("SIGSEGV"),
        run("python", "import os\nos.execv('/bin/sh', ['sh', '-c', 'echo sh; exit 4'])")
            .fails(4)
            .prints("sh\n"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}
