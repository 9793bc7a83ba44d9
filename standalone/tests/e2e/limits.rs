//! Programs that want more than they may have: each is answered in time, as what it is, with what
//! it had printed; others are served meanwhile; nothing is left.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::case::{Case, run, shortened};
use crate::crucible::{Crucible, processors};
use crate::leaks::{Leftovers, STEADY_POOL};

/// How late an answer may be before a test fails. A busy machine is late; a hang is much later.
const MARGIN: Duration = Duration::from_secs(4);

/// A program that first prints `part`, and its timeout in seconds.
fn abuse(language: &str, timeout: u32, code: &str) -> Case {
    let code = match language {
        "python" => format!("print('part', flush=True)\n{code}"),
        "node" => format!("console.log('part');\n{code}"),
        "bash" => format!("echo part\n{code}"),
        _ => format!(
            "#include <errno.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\
             #include <unistd.h>\nint main(void) {{ puts(\"part\"); fflush(stdout);\n{code}\n}}"
        ),
    };
    run(language, &code).with("timeout", json!(timeout)).has("/stdout", "part\n")
}

fn time() -> Vec<Case> {
    let wall = |case: Case| case.ends("timed_out").diagnosed("limit", "wall_time");
    let cpu = |case: Case| {
        case.with("limits", json!({"cpu_ms": 500})).ends("timed_out").diagnosed("limit", "cpu_time")
    };
    vec![
        wall(abuse("python", 1, "while True: pass")),
        wall(abuse("python", 1, "import time\ntime.sleep(1e9)")),
        wall(abuse("node", 1, "for (;;);")),
        wall(abuse("bash", 1, "while :; do :; done")),
        wall(abuse("c", 1, "for (;;);")),
        wall(abuse("bash", 1, "kill -STOP $$")),
        wall(abuse("bash", 1, "mkfifo f; cat f")),
        wall(abuse("python", 1, "import os\nos.close(1); os.close(2)\nwhile True: pass")),
        cpu(abuse("python", 20, "while True: pass")),
        cpu(abuse("bash", 20, "while :; do /bin/true; done")),
        cpu(abuse("python", 20, "import os\nfor _ in range(3): os.fork()\nwhile True: pass")),
    ]
}

fn space() -> Vec<Case> {
    let memory = |case: Case| case.ends("out_of_memory").diagnosed("limit", "memory");
    let disk = |case: Case| case.ends("disk_limit_exceeded").diagnosed("limit", "disk");
    vec![
        memory(abuse("python", 10, "x = bytearray(10 * 2**30)")),
        memory(abuse("python", 10, "x = []\nwhile True: x.append(b'x' * 10**6)")),
        memory(abuse("node", 10, "const a = []; for (;;) a.push(Buffer.alloc(1e7, 1))")),
        memory(abuse("node", 20, "const a = []; for (;;) a.push({ x: a.length })")),
        memory(abuse("python", 10, "x = bytearray(200 << 20)"))
            .with("limits", json!({"memory_bytes": 104_857_600})),
        disk(abuse("bash", 10, "dd if=/dev/zero of=big bs=1M; exit 5")).is("/exit_code", json!(5)),
        disk(abuse(
            "python",
            10,
            "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(b'x' * 10**6)",
        )),
        disk(abuse(
            "c",
            10,
            "FILE *f = fopen(\"/tmp/b\", \"w\"); char b[65536] = {1};\n\
                             while (fwrite(b, 1, 65536, f) == 65536); return errno;",
        )),
        disk(abuse("python", 10, "i = 0\nwhile True:\n  open(f'f{i}', 'w').close(); i += 1")),
        disk(abuse("bash", 10, "dd if=/dev/zero of=x bs=1M count=10"))
            .with("limits", json!({"disk_bytes": 4_194_304})),
        // It is the assembler that is stopped.
        disk(run("c", "char big[100000000] = {1}; int main(void) { return big[1]; }"))
            .with("limits", json!({"disk_bytes": 4_194_304}))
            .is("/exit_code", json!(null)),
    ]
}

fn output() -> Vec<Case> {
    let flood =
        |case: Case| case.ends("output_limit_exceeded").is("/truncated/stdout", json!(true));
    vec![
        flood(abuse("bash", 20, "yes")),
        flood(abuse(
            "python",
            20,
            "import sys\nfor _ in range(1024): sys.stdout.write('x' * 2**20)",
        )),
        abuse("bash", 20, "head -c 20M /dev/zero | tr '\\0' x; echo; echo tail")
            .is("/truncated/stdout", json!(true))
            .is("/truncated/stdout_bytes", json!((20 << 20) + "part\n\ntail\n".len()))
            .has("/stdout", "xx\ntail\n"),
    ]
}

fn processes() -> Vec<Case> {
    let bomb = "b() { b | b & }; b; wait; while :; do b & done";
    vec![
        abuse("bash", 2, bomb).ends("timed_out"),
        abuse("c", 2, "for (;;) if (fork() == 0) _exit(0);").ends("timed_out"),
        abuse("c", 2, "for (;;) fork();").ends("timed_out"),
        abuse("python", 5, "import os\nwhile True: os.fork()").ends_one_of([
            "failed",
            "out_of_memory",
            "timed_out",
        ]),
        abuse("bash", 20, "(setsid sleep 1000 &); exit 0"),
        abuse("bash", 5, "kill -9 -1; kill -9 $$").dies_of("SIGKILL"),
        abuse(
            "python",
            5,
            "while True: k = globals().setdefault('k', []); k.append(open('/dev/null'))",
        )
        .ends("failed")
        .diagnosed("limit", "open_files"),
        abuse("bash", 20, "exit 0").with("stdin", json!("x".repeat(8 << 20))),
        abuse("python", 20, "import time\ntime.sleep(0.3)")
            .with("stdin", json!("x".repeat(8 << 20))),
    ]
}

#[tokio::test]
async fn every_limit_holds_and_nothing_is_left() {
    let _processors = processors().await;
    let data = TempDir::new().expect("a directory");
    let crucible = Crucible::start_in(data.path(), &STEADY_POOL);
    let before = Leftovers::when_idle(&crucible);

    let mut objections = Vec::new();
    for case in [time(), space(), output(), processes()].into_iter().flatten() {
        let (objection, others) = tokio::join!(on_time(&crucible, &case), hello(&crucible));
        objections.extend(objection);
        objections.extend(others);
    }

    assert!(objections.is_empty(), "{}", objections.join("\n"));
    assert_eq!(Leftovers::when_idle(&crucible), before);
}

/// Runs a case; what is wrong with the answer or with its time.
async fn on_time(crucible: &Crucible, case: &Case) -> Option<String> {
    let started = Instant::now();
    let answer = crucible.run(case.request.clone()).await;
    let took = started.elapsed();
    let mut complaints = case.complaints(&answer);
    let limit = Duration::from_secs_f64(case.request["timeout"].as_f64().expect("it is set"));
    if took > limit + MARGIN {
        complaints.push(format!("answered after {took:?}"));
    } else if answer["status"] == "timed_out" && answer["diagnostic"]["name"] == "wall_time" {
        eprintln!("{:?} after its limit: {}", took.saturating_sub(limit), case.request["code"]);
    }
    (!complaints.is_empty()).then(|| {
        let code = shortened(&case.request["code"]);
        format!("{}\n    {code}\n    {}", complaints.join("; "), shortened(&answer))
    })
}

/// Another caller, while something else goes wrong.
async fn hello(crucible: &Crucible) -> Option<String> {
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    let answer: Value = crucible.run(json!({"language": "bash", "code": "echo hello"})).await;
    let took = started.elapsed();
    (answer["stdout"] != "hello\n" || took > MARGIN)
        .then(|| format!("another caller was answered after {took:?}: {}", shortened(&answer)))
}
