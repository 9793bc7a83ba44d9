//! Every limit has an outcome of its own; what was written before is always there.

use proto::execution_v1::{ExecuteRequest, Limits, Status};

use crate::support::{Worker, bash, c, limits, node, python};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn wall_time() {
    let Some(worker) = Worker::start("python,node,bash,c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    // Compiling counts, and is most of it on a busy machine.
    let short = Limits { wall_ms: Some(2000), ..Limits::default() };
    for program in [
        python("import time\nprint('up')\ntime.sleep(600)"),
        node("console.log('up'); setTimeout(() => {}, 600000)"),
        bash("echo up; sleep 600"),
        c(
            "#include <stdio.h>\n#include <unistd.h>\nint main(void) { puts(\"up\"); fflush(stdout); sleep(600); }",
        ),
    ] {
        let ran = caller.run(limits(short, program)).await;
        assert_eq!((ran.status(), ran.limit()), (Status::TimedOut, "wall_time"), "{ran:?}");
        assert_eq!(ran.stdout(), "up\n", "{ran:?}");
        assert!(ran.outcome().duration_us >= 2_000_000, "{ran:?}");
    }
}

#[tokio::test]
async fn processor_time() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let short = Limits { cpu_ms: Some(300), ..Limits::default() };
    for busy in ["echo up; while :; do :; done", "echo up; (while :; do :; done) & wait"] {
        let ran = caller.run(limits(short, bash(busy))).await;
        assert_eq!((ran.status(), ran.limit()), (Status::TimedOut, "cpu_time"), "{ran:?}");
        assert_eq!(ran.stdout(), "up\n");
    }
    let idle = caller.run(limits(short, bash("sleep 0.6; echo done"))).await;
    assert_eq!(idle.printed(), "done\n", "sleeping costs no processor time");
}

#[tokio::test]
async fn memory() {
    let Some(worker) = Worker::start("python,c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let little = Limits { memory_bytes: Some(128 * MIB), ..Limits::default() };
    let touching = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\
        int main(void) { puts(\"up\"); fflush(stdout);\n\
        for (;;) { char *p = malloc(1 << 20); if (!p) abort(); memset(p, 1, 1 << 20); } }";
    for program in [
        python("print('up', flush=True)\nx = []\nwhile True: x.append(bytearray(1 << 20))"),
        c(touching),
    ] {
        let ran = caller.run(limits(little, program)).await;
        assert_eq!((ran.status(), ran.limit()), (Status::OutOfMemory, "memory"), "{ran:?}");
        assert_eq!(ran.stdout(), "up\n");
    }
    let enough = "x = bytearray(64 << 20); print(len(x))";
    assert_eq!(caller.run(limits(little, python(enough))).await.printed(), "67108864\n");
}

#[tokio::test]
async fn processes() {
    let Some(worker) = Worker::start("python,bash", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let few = Limits { processes: Some(12), ..Limits::default() };
    let threads = "import threading, time\nprint('up', flush=True)\n\
        for _ in range(100): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()";
    let forks = "import os, time\nprint('up', flush=True)\n\
        for _ in range(100):\n    if os.fork() == 0: time.sleep(600)";
    for (program, by_thread) in [(python(threads), true), (python(forks), false)] {
        let ran = caller.run(limits(few, program)).await;
        assert_eq!(ran.status(), Status::Failed, "{ran:?}");
        assert_eq!(ran.stdout(), "up\n");
        // Without cgroups nobody counts the refusals, and Python has no error number for a thread.
        let counted = ran.outcome().usage.as_ref().unwrap().accounting == "enforced";
        if counted || !by_thread {
            assert_eq!(ran.limit(), "processes", "{ran:?}");
        }
    }
    let bomb = limits(Limits { wall_ms: Some(1500), ..few }, bash("b() { b | b & }; b; sleep 600"));
    let ran = caller.run(bomb).await;
    assert_ne!(ran.status(), Status::Succeeded, "{ran:?}");
    assert_eq!(caller.run(bash("echo next")).await.printed(), "next\n");
}

#[tokio::test]
async fn disk_bytes_and_inodes() {
    let Some(worker) = Worker::start("python,bash", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let small = Limits { disk_bytes: Some(2 * MIB), inodes: Some(128), ..Limits::default() };
    let full = "print('up', flush=True)\nopen('big', 'wb').write(bytes(8 << 20))";
    let many = "echo up; set -e; for i in $(seq 500); do : > file$i; done";
    for program in [
        python(full),
        bash("echo up; head -c 8M /dev/zero > big"),
        bash("echo up; head -c 8M /dev/zero > /tmp/big"),
        bash("echo up; head -c 8M /dev/zero > /dev/shm/big"),
        bash(many),
    ] {
        let ran = caller.run(limits(small, program)).await;
        assert_eq!((ran.status(), ran.limit()), (Status::DiskLimitExceeded, "disk"), "{ran:?}");
        assert_eq!(ran.stdout(), "up\n");
    }
    let ran = caller.run(limits(small, bash("head -c 1M /dev/zero > big; wc -c < big"))).await;
    assert_eq!(ran.printed(), "1048576\n");
}

#[tokio::test]
async fn open_files() {
    let Some(worker) = Worker::start("python,node", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let few = Limits { open_files: Some(64), ..Limits::default() };
    for program in [
        python("print('up', flush=True)\nkept = [open('/dev/null') for _ in range(100)]"),
        node(
            "console.log('up'); for (let i = 0; i < 100; i++) require('fs').openSync('/dev/null')",
        ),
    ] {
        let ran = caller.run(limits(few, program)).await;
        assert_eq!((ran.status(), ran.limit()), (Status::Failed, "open_files"), "{ran:?}");
        assert_eq!(ran.stdout(), "up\n");
    }
}

#[tokio::test]
async fn output_beyond_all_measure() {
    let worker = Worker::bash(&[("HARD_OUTPUT_BYTES", "1048576")]).await;
    let caller = worker.caller().await;
    for program in ["yes", "yes >&2", "yes & sleep 600"] {
        let ran = caller.run(bash(program)).await;
        assert_eq!(
            (ran.status(), ran.limit()),
            (Status::OutputLimitExceeded, "output"),
            "{program}"
        );
        assert!(ran.stdout().starts_with("y\ny\n") || ran.stderr().starts_with("y\ny\n"));
    }
    // What is only too long to be kept whole stops no program.
    let kept = Limits { output_bytes: Some(1024), ..Limits::default() };
    let ran = caller.run(limits(kept, bash("head -c 900K /dev/zero; echo end"))).await;
    assert!(ran.printed().ends_with("end\n"));
}

#[tokio::test]
async fn a_session_survives_the_limits_of_its_runs() {
    use proto::execution_v1::CreateSessionRequest;

    use crate::support::{in_session, new_session};

    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let wish = CreateSessionRequest {
        limits: Some(Limits { disk_bytes: Some(2 * MIB), ..Limits::default() }),
        ..new_session("bash")
    };
    let session = caller.create_session(wish).await.unwrap();
    let ran = caller.run(in_session(&session, "head -c 8M /dev/zero > big")).await;
    assert_eq!(ran.status(), Status::DiskLimitExceeded, "{ran:?}");
    let ran = caller.run(in_session(&session, "rm big; echo room > small; cat small")).await;
    assert_eq!(ran.printed(), "room\n");
}

#[tokio::test]
async fn others_are_answered_while_one_misbehaves() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let flood = ExecuteRequest {
        limits: Some(Limits { wall_ms: Some(2000), processes: Some(32), ..Limits::default() }),
        ..bash("echo up; b() { b | b & }; b; while :; do echo flood; done")
    };
    let mut flood = caller.execute(flood).await.unwrap();
    flood.says("up").await;
    for _ in 0..5 {
        assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
    }
    assert_ne!(flood.finish().await.status(), Status::Succeeded);
}
