//! Programs that are out for the worker itself. They may spoil their own run and their own session;
//! everybody gets an answer all the same.

use std::fs;
use std::time::Duration;

use proto::execution_v1::{CreateSessionRequest, ExecuteRequest, Limits, Status};

use crate::support::{
    OWNER, Worker, bash, children_of, eventually, family_of, in_session, limits, new_session,
    python,
};

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
        let wish = CreateSessionRequest { limits: Some(short), ..new_session("bash") };
        let session = caller.create_session(wish).await.unwrap();
        caller.run(in_session(&session, code)).await;
        let run =
            || ExecuteRequest { stdin: b"typed".to_vec().into(), ..in_session(&session, "cat") };
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
import array, os, socket, struct, threading, time
listener = socket.create_server(('127.0.0.1', 0))
def give(takers=[]):
    giver = socket.create_connection(listener.getsockname())
    takers.append(listener.accept())
    giver.setblocking(False)
    try:
        while True: giver.send(b'x' * 65536)
    except BlockingIOError: pass
    giver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 3600))
    rights = array.array('i', [giver.fileno()])
    # Whoever lets go last has to wait: the program itself, if it is the slower one.
    for channel in channels:
        try: channel.sendmsg([b'\n'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        except OSError: pass
    giver.close()
channels = []
for fd in range(1, 1024):
    try: channels.append(socket.socket(fileno=os.dup(fd)))
    except OSError: pass
channels = [channel for channel in channels if channel.family == socket.AF_UNIX]
for _ in range(10): threading.Thread(target=give, daemon=True).start()
time.sleep(0.5)
print('given', flush=True)
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

#[tokio::test]
async fn a_child_that_goes_on_speaking_on_the_channel_keeps_nobody() {
    let Some(worker) = Worker::start("python", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    // Another number than the kernel knows, which it would close in a child.
    let speaker = r#"
messages = os.dup(messages)
if os.fork() == 0:
    while True: say(b'{"event":"ready"}\n' * 100)
os._exit(7)
"#;
    let ran = caller.run(python(&format!("{CHANNEL}{speaker}"))).await;
    assert_eq!(ran.outcome().exit_code, Some(7), "{ran:?}");
    // A worker that listens to the end of it does so for minutes.
    assert!(Duration::from_micros(ran.outcome().duration_us) < Duration::from_secs(15), "{ran:?}");
}

/// Says that the run is over, with the number that the kernel knows it by, and goes on for ever.
const FORGED_END: &str = r#"
import gc, threading
number = next(d['id'] for d in gc.get_objects() if type(d) is dict and d.get('op') == 'run')
threading.Thread(target=lambda: say(b'{"event":"done","id":%d,"exit_code":0}\n' % number)).start()
while True: pass
"#;

#[tokio::test]
async fn a_session_that_does_not_listen_spoils_its_own_answers_only() {
    let idle = [("MAX_CONCURRENT_RUNS", "3")];
    let Some(worker) = Worker::start("python,bash", &idle).await else {
        return;
    };
    let caller = worker.caller().await;
    let of_another = CreateSessionRequest {
        owner: String::from("usr_two"),
        ttl_seconds: 4,
        ..new_session("bash")
    };
    let short = CreateSessionRequest { ttl_seconds: 2, ..new_session("python") };
    let deaf = caller.create_session(short).await.unwrap();
    let bystander = caller.create_session(of_another).await.unwrap();

    let second = |code: &str| {
        let limit = Limits { wall_ms: Some(1000), ..Limits::default() };
        limits(limit, in_session(&deaf, code))
    };
    let forged = caller.run(second(&format!("{CHANNEL}{FORGED_END}"))).await;
    assert_eq!(forged.status(), Status::Succeeded, "its own answer: {forged:?}");
    // More than the pipe holds, which nobody empties.
    let long = format!("print(1)\n{}", "#".repeat(2_000_000));
    match caller.execute(second(&long)).await {
        Ok(running) => {
            let ran = running.try_finish().await;
            assert!(ran.is_ok_and(|ran| ran.status() == Status::TimedOut));
        }
        Err(refusal) => panic!("a run that could begin: {refusal:?}"),
    }
    eventually("the sessions of both end when their time is over", async || {
        let ended = |id: String, owner: &'static str| {
            let caller = &caller;
            async move { caller.get_session(&id, owner).await.is_err() }
        };
        let both = (
            ended(deaf.session_id.clone(), OWNER).await,
            ended(bystander.session_id.clone(), "usr_two").await,
        );
        (both == (true, true)).then_some(())
    })
    .await;
    assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
}

#[tokio::test]
async fn a_session_that_breaks_its_channel_gets_another_kernel() {
    let Some(worker) = Worker::start("python,bash", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("python")).await.unwrap();
    let bystander = caller.create_session(new_session("bash")).await.unwrap();
    caller.run(in_session(&bystander, "x=41")).await.printed();
    for spoiling in [
        "os.close(requests)",
        "os.close(messages)",
        "os.close(requests); os.close(messages)",
        "say(b'\\xff' * 100_000)",
        "say(b'[' * 13_000_000)",
        "say(b'{\"event\":\"done\",\"id\":1,\"exit_code\":0}\\n' * 20_000)",
        "say(b'{\"event\":\"result\",\"id\":-1,\"mime\":{\"a\":1e999}}\\n' * 20_000)",
        "os.kill(os.getpid(), 9)",
        "os.closerange(0, 4096)",
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
    ] {
        let short = Limits { wall_ms: Some(1500), ..Limits::default() };
        let spoil = in_session(&session, &format!("{CHANNEL}{spoiling}"));
        let answered = caller.run(limits(short, spoil)).await;
        let next = async || caller.run(limits(short, in_session(&session, "print(6 * 7)"))).await;
        // It may be the next run that finds the kernel gone; the one after it has another.
        let mut answers = vec![next().await, next().await];
        let last = answers.pop().expect("two");
        assert_eq!(last.stdout(), "42\n", "after {spoiling:?}: {answered:?} {answers:?} {last:?}");
        assert_eq!(caller.run(in_session(&bystander, "echo $((x + 1))")).await.printed(), "42\n");
    }
}

#[tokio::test]
async fn a_full_pipe_to_bash_ends_with_the_runs_time() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let short = Limits { wall_ms: Some(1500), ..Limits::default() };
    // The run number is on its way already, and nothing reads what comes after it.
    let fill = "(exec 3<>/run/crucible/in; until [[ -e told ]]; do :; done; \
        kill -STOP $$; head -c 1M /dev/zero >&3) & \
        echo '{\"event\":\"done\",\"id\":'$__crucible_id',\"exit_code\":0}' >/run/crucible/out; : >told; sleep 60";
    let forged = caller.run(in_session(&session, fill)).await;
    assert_eq!(forged.status(), Status::Succeeded, "{forged:?}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stuck = caller.run(limits(short, in_session(&session, "echo x"))).await;
    assert_eq!(stuck.status(), Status::TimedOut, "{stuck:?}");
    assert_eq!(caller.run(in_session(&session, "echo again")).await.printed(), "again\n");
}

#[tokio::test]
async fn a_worker_holds_afterwards_what_it_held_before() {
    let one = [("MAX_POOL_SIZE", "1")];
    let Some(worker) = Worker::start("python,bash", &one).await else {
        return;
    };
    let caller = worker.caller().await;
    let [main] = children_of(worker.pid())[..] else {
        panic!("one process waits for the worker");
    };
    let held = || fs::read_dir(format!("/proc/{}/fd", main.as_raw_nonzero())).map(Iterator::count);
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a_worker_holds_afterwards_what_it_held_before (needs root)");
        return;
    }
    let at_rest = async || {
        eventually("the worker is at rest", async || {
            let first = (held().unwrap(), family_of(worker.pid()).size());
            tokio::time::sleep(Duration::from_millis(400)).await;
            ((held().unwrap(), family_of(worker.pid()).size()) == first).then_some(first)
        })
        .await
    };
    caller.run(python("print(1)")).await.printed();
    let before = at_rest().await;
    let bystander = caller.create_session(new_session("bash")).await.unwrap();
    caller.run(in_session(&bystander, "x=41")).await.printed();
    for spoiling in [
        "os.kill(1, 9)",
        "os.kill(-1, 9)",
        "os.close(messages)",
        "[os.open('/dev/null', os.O_RDONLY) for _ in range(200)]",
        "import socket; pairs = [socket.socketpair() for _ in range(100)]",
        "fcntl.fcntl(messages, fcntl.F_SETPIPE_SZ, 4096); say(b'{' * 1_000_000)",
        "fcntl.fcntl(messages, fcntl.F_SETFL, os.O_NONBLOCK); say(b'{' * 1_000_000)",
        "[os.fork() for _ in range(6)]; say(b'{}' * 1_000_000)",
        "[os.rename('/run/crucible/' + name, '/tmp/x') for name in os.listdir('/run/crucible')]",
    ] {
        let session = caller.create_session(new_session("python")).await.unwrap();
        let short = Limits { wall_ms: Some(1000), ..Limits::default() };
        let spoil = in_session(&session, &format!("{CHANNEL}{spoiling}"));
        caller.run(limits(short, spoil)).await;
        assert_eq!(caller.run(in_session(&bystander, "echo $((x + 1))")).await.printed(), "42\n");
        caller.end_session(&session.session_id, OWNER).await.unwrap();
    }
    caller.end_session(&bystander.session_id, OWNER).await.unwrap();
    eventually("it holds no more than before", async || (at_rest().await == before).then_some(()))
        .await;
}
