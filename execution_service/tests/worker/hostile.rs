//! Programs that are out for the worker itself. They may spoil their own run and their own session;
//! everybody gets an answer all the same.

use std::time::Duration;

use proto::execution_v1::{CreateSessionRequest, ExecuteRequest, Language, Limits, Status};

use crate::support::{Worker, bash, in_session, limits, new_session, python};

/// Python that finds the kernel's own ends of its control channel: the only pipes that an interpreter has
/// beside its output. `say` writes to the worker; `requests` and `messages` are descriptors.
const CHANNEL: &str = r"
import fcntl, os, stat
def _pipes(mode):
    for fd in range(3, 1024):
        try:
            found = stat.S_ISFIFO(os.fstat(fd).st_mode)
            access = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE
        except OSError: continue
        # Spare copies of descriptors 1 and 2 are pipes, too.
        known = [os.fstat(own).st_ino for own in (1, 2)]
        if found and access == mode and os.fstat(fd).st_ino not in known: yield fd
requests, messages = next(_pipes(os.O_RDONLY)), next(_pipes(os.O_WRONLY))
def say(data):
    view = memoryview(data)
    try:
        while view: view = view[os.write(messages, view):]
    except OSError as error: print(error)
";

#[tokio::test]
async fn rubbish_on_the_kernels_channel_delays_nobody() {
    let Some(worker) = Worker::start("python,bash", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let flood = r"
import os
print('up', flush=True)
for _ in range(2):
    say(b'x' * 4_000_000 + b'\n')
    say(b'\xff' * 4_000_000 + b'\n')
    say(b'\n' * 400_000)
    say(b'[' * 100_000 + b'\n')
    say(b'{}\n' * 100_000)
";
    let flood = &format!("{CHANNEL}{flood}");
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

#[tokio::test]
async fn a_socket_that_is_slow_to_close_cannot_be_given_to_the_worker() {
    let Some(worker) = Worker::start("python,bash", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    // Whoever closes the last descriptor of such a connection waits until its data has arrived, which is
    // never: the other end does not read.
    let gift = r"
import array, os, socket, struct, time
listener = socket.create_server(('127.0.0.1', 0))
giver = socket.create_connection(listener.getsockname())
taker, _ = listener.accept()
giver.setblocking(False)
try:
    while True: giver.send(b'x' * 65536)
except BlockingIOError: pass
giver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 3600))
ours = {giver.fileno(), taker.fileno(), listener.fileno()}
for fd in range(1, 1024):
    if fd in ours: continue
    try:
        channel = socket.socket(fileno=os.dup(fd))
        rights = array.array('i', [giver.fileno()])
        channel.sendmsg([b'\n'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    except OSError: pass
print('given', flush=True)
giver.close()
time.sleep(60)
";
    let long = Limits { wall_ms: Some(5000), ..Limits::default() };
    let mut giving = caller.execute(limits(long, python(gift))).await.unwrap();
    giving.says("given").await;
    for _ in 0..5 {
        assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
    }
    assert_eq!(giving.finish().await.status(), Status::TimedOut);
}
