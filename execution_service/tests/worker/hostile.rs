//! Programs that are out for the worker itself. They may spoil their own run and their own session;
//! everybody gets an answer all the same.

use std::time::Duration;

use proto::execution_v1::{CreateSessionRequest, ExecuteRequest, Language, Limits, Status};

use crate::support::{Worker, bash, in_session, limits, new_session, python};

#[tokio::test]
async fn rubbish_on_the_kernels_channel_delays_nobody() {
    let Some(worker) = Worker::start("python,bash", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    // Every socket that the interpreter has is one of ours.
    let flood = r"
import os, socket, stat
print('up', flush=True)
for fd in range(3, 1024):
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode): continue
        channel = socket.socket(fileno=os.dup(fd))
        for _ in range(2):
            channel.sendall(b'x' * 4_000_000 + b'\n')
            channel.sendall(b'\n' * 400_000)
            channel.sendall(b'[' * 100_000 + b'\n')
            channel.sendall(b'{}\n' * 100_000)
    except OSError as error:
        print(error)
";
    let few = Limits { wall_ms: Some(5000), ..Limits::default() };
    let mut flood = caller.execute(limits(few, python(flood))).await.unwrap();
    flood.says("up").await;
    for _ in 0..3 {
        assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
    }
    flood.finish().await;
    assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
}

#[tokio::test]
async fn a_crowd_that_ignores_signals_cannot_stretch_its_time() {
    let Some(worker) = Worker::start("python", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let crowd = "
import ctypes, os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
libc = ctypes.CDLL(None)
libc.sched_setscheduler(1, 5, ctypes.byref(ctypes.c_int(0)))
libc.setpriority(0, 1, 19)
print('up', flush=True)
for _ in range(100):
    if os.fork() == 0:
        while True: pass
while True: pass
";
    let second = Limits { wall_ms: Some(1000), ..Limits::default() };
    let ran = caller.run(limits(second, python(crowd))).await;
    assert_eq!((ran.status(), ran.stdout().as_str()), (Status::TimedOut, "up\n"), "{ran:?}");
    // Far more than the quarter of a second that is promised, for the sake of slow machines.
    let took = Duration::from_micros(ran.outcome().duration_us);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn what_a_session_leaves_in_the_way_is_no_fault_of_the_worker() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let obstacle = async |code: &str| {
        let short = Limits { wall_ms: Some(2000), ..Limits::default() };
        let wish = CreateSessionRequest { limits: Some(short), ..new_session(Language::Bash) };
        let session = caller.create_session(wish).await.unwrap();
        caller.run(in_session(&session, code)).await;
        let run = || ExecuteRequest { stdin: b"typed".to_vec(), ..in_session(&session, "cat") };
        for _ in 0..2 {
            // Whatever comes of it, an outcome does.
            let ran = match caller.execute(run()).await {
                Ok(running) => running.try_finish().await,
                Err(refusal) => Err(refusal),
            };
            assert!(ran.is_ok(), "after {code:?}: {ran:?}");
        }
        caller.end_session(&session.session_id, "usr_one").await.unwrap();
    };
    for code in [
        "rm -rf /run/crucible/*",
        "rm -f /run/crucible/main.sh; mkdir -p /run/crucible/main.sh/x",
        "mkdir -p /run/crucible/stdin/x",
        "ln -sf /dev/zero /run/crucible/stdin",
        "head -c 300M /dev/zero > /tmp/full",
        "cd /tmp; for i in $(seq 20000); do : > $i || break; done",
        "chmod 0 /home/user /tmp",
        "rm -rf /home/user/* /tmp/*; rmdir /tmp",
        "exec true",
        "exec </dev/null >/dev/null 2>&1",
        "kill -9 -1",
    ] {
        obstacle(code).await;
    }
}
