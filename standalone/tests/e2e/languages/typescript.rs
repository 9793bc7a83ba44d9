use serde_json::json;

use crate::case::{run, run_all};
use crate::crucible::Crucible;

#[tokio::test]
async fn types_are_erased_and_what_makes_code_makes_it() {
    let cases = vec![
        run("typescript", "interface P { x: number }\nconst p: P = { x: 41 };\np.x! + (1 as number)")
            .result("42")
            .prints(""),
        run("ts", "const enum Dir { Up = 1, Down }\nenum Kind { A = 'a' }\n[Dir.Down, Kind.A, Dir[1]].join()")
            .result("'2,a,Up'"),
        run("ts", "namespace N { export const k = 6; export function f(n: number) { return n * k } }\nN.f(7)")
            .result("42"),
        run("ts", "class P<T> { constructor(readonly x: T, private y = 2) {} }\nnew P<number>(1)")
            .result("P { x: 1, y: 2 }"),
        run(
            "ts",
            "function log(v: Function, c: ClassMethodDecoratorContext) {\n\
             \x20 return function (this: any) { console.log('call', c.name); return v.call(this); };\n}\n\
             class K { @log m(): number { return 5 } }\nnew K().m()",
        )
        .prints("call m\n")
        .result("5"),
        run("ts", "const n: number = 'no number';\nn").result("'no number'"),
        run("ts", "const c = { a: await Promise.resolve(1) } satisfies { a: number };\nc.a").result("1"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn modules_of_the_workspace_are_imported_with_and_without_an_ending() {
    let files = json!({
        "helper.ts": "import { base } from './lib/base';\nexport interface O { a: number }\n\
                      export const x: number = base + 1;\nexport function fail(): never {\n  throw new Error('no' as string);\n}",
        "lib/base.ts": "export const base: number = await Promise.resolve(40);",
    });
    let cases = vec![
        run("ts", "import { x, type O } from './helper.ts';\nconst o: O = { a: x };\no.a").result("41"),
        run("ts", "import * as helper from './helper';\nhelper.x").result("41"),
        run("ts", "import { fail } from './helper';\nfail();")
            .fails(1)
            .diagnosed("exception", "Error")
            .is("/diagnostic/file", json!("helper.ts"))
            .at_line(5),
        run("ts", "import { readFileSync } from 'node:fs';\nconsole.log(readFileSync(0, 'utf8'), process.argv[2]!)")
            .with("stdin", json!("in"))
            .with("args", json!(["a"]))
            .prints("in a\n"),
    ]
    .into_iter()
    .map(|case| case.with("files", files.clone()));
    run_all(Crucible::shared(), 3, cases.collect()).await;
}

#[tokio::test]
async fn errors_have_the_lines_and_columns_of_the_source() {
    let cases = vec![
        run("ts", "type A = {\n  a: string;\n};\nenum E { X } (undefined as any).x;")
            .fails(1)
            .diagnosed("exception", "TypeError")
            .is("/diagnostic/column", json!(33))
            .at_line(4),
        run("ts", "let a: number = 1;\nlet b: number = = 2;")
            .fails(1)
            .diagnosed("syntax", "SyntaxError")
            .is("/diagnostic/column", json!(17))
            .at_line(2),
        run("ts", "process.exit(3 as number)").fails(3).diagnosed("exit", "ExitStatus"),
        run("ts", &format!("let deep: {}1;", "[".repeat(100_000)))
            .fails(1)
            .diagnosed("syntax", "SyntaxError"),
    ]
    .into_iter()
    .map(|case| case.lacks("/stderr", "/opt/crucible"));
    run_all(Crucible::shared(), 3, cases.collect()).await;
}
