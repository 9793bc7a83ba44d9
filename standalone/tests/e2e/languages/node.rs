use reqwest::Method;
use serde_json::{Value, json};

use crate::case::{run, run_all};
use crate::crucible::Crucible;

#[tokio::test]
async fn the_last_expression_is_the_main_result() {
    let cases = vec![
        run("node", "1 + 1").result("2").prints(""),
        run("node", "const x = 1; let y = 2; x + y").result("3"),
        run("node", "console.log('a'); 'b'").prints("a\n").result("'b'"),
        run("node", "({a: 1, b: [1, 2]})").result("{ a: 1, b: [ 1, 2 ] }"),
        run("node", "await new Promise((done) => setTimeout(done, 10)); 5").result("5"),
        run("node", "let x = 5").is("/results", json!([])),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn modules_are_required_and_imported() {
    let cases = vec![
        run("node", "const fs = require('fs'); typeof fs.readFileSync").result("'function'"),
        run("node", "import {join} from 'node:path'\njoin('a', 'b')").result("'a/b'"),
        run("node", "import fs from 'fs'; console.log(typeof fs.readFileSync)")
            .prints("function\n"),
        run("node", "const m = await import('./m.mjs'); m.x")
            .with("files", json!({"m.mjs": "export const x = 9"}))
            .result("9"),
        run("node", "require('./m.cjs').x")
            .with("files", json!({"m.cjs": "exports.x = 8"}))
            .result("8"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn input_arguments_and_pending_work_are_waited_for() {
    let cases = vec![
        run("node", "process.stdin.on('data', (d) => console.log('got', String(d)))")
            .with("stdin", json!("hi"))
            .prints("got hi\n"),
        run("node", "console.log(require('fs').readFileSync(0, 'utf8'))")
            .with("stdin", json!("hi"))
            .prints("hi\n"),
        run("node", "console.log(process.argv.slice(2).join())")
            .with("args", json!(["a", "b"]))
            .prints("a,b\n"),
        run("node", "setTimeout(() => console.log('later'), 20)").prints("later\n"),
        run(
            "node",
            "const {Worker} = require('worker_threads')\n\
                     const w = new Worker('console.log(11)', {eval: true})",
        )
        .prints("11\n"),
        run("node", "console.log(require('child_process').execSync('echo sub').toString().trim())")
            .prints("sub\n"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn failures_are_told_by_their_kind_name_and_line() {
    let cases = vec![
        run("node", "function f() {\n  throw new TypeError('bad')\n}\nf()")
            .fails(1)
            .diagnosed("exception", "TypeError")
            .at_line(2),
        run("node", "nowhere()").fails(1).diagnosed("exception", "ReferenceError").at_line(1),
        run("node", "console.log(1)\nlet let = 3")
            .fails(1)
            .prints("")
            .diagnosed("syntax", "SyntaxError")
            .at_line(2),
        run("node", "let x = ;")
            .fails(1)
            .diagnosed("syntax", "SyntaxError")
            .is("/diagnostic/column", json!(9)),
        run("node", "Promise.reject(new Error('lost'))")
            .fails(1)
            .diagnosed("exception", "Error")
            .is("/diagnostic/message", json!("lost"))
            .at_line(1),
        run("node", "setTimeout(() => { throw new RangeError('later') }, 5)")
            .fails(1)
            .diagnosed("exception", "RangeError"),
        run("node", "require('nosuch')").fails(1).is("/diagnostic/missing_module", json!("nosuch")),
        run("node", "import x from 'nosuch'")
            .fails(1)
            .is("/diagnostic/missing_module", json!("nosuch")),
        run("node", "throw null").fails(1).is("/diagnostic/kind", json!("exception")),
    ]
    .into_iter()
    .map(|case| case.lacks("/stderr", "/opt/crucible"));
    run_all(Crucible::shared(), 3, cases.collect()).await;
}

#[tokio::test]
async fn exits_and_signals_are_the_programs_own() {
    let cases = vec![
        run("node", "process.exit(3)").fails(3).diagnosed("exit", "ExitStatus"),
        run("node", "console.error('e'); process.exitCode = 4; undefined")
            .fails(4)
            .is("/stderr", json!("e\n")),
        run("node", "process.kill(process.pid, 'SIGABRT')").dies_of("SIGABRT"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn typescript_runs_where_node_strips_types_and_is_explained_where_not() {
    let crucible = Crucible::shared();
    let (_, listed) = crucible.call(Method::GET, "/v1/languages", None).await;
    let languages = listed["languages"].as_array().expect("a list");
    let node = languages.iter().find(|one| one["name"] == "node").unwrap_or(&Value::Null);
    let strips = node["features"]
        .as_array()
        .is_some_and(|features| features.iter().any(|one| one == "typescript"));
    let typed = run("node", "const x: number = 4; x");
    let case = if strips {
        typed.result("4")
    } else {
        typed.fails(1).has("/diagnostic/hint", "TypeScript")
    };
    run_all(crucible, 1, vec![case]).await;
}
