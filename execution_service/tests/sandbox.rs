//! The seam of the sandboxes on this machine's kernel: what the worker's gRPC edge does not ask for yet.

#[path = "sandbox/files.rs"]
mod files;
#[path = "sandbox/way_out.rs"]
mod way_out;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use execution_service::sandbox::backend::{
    Health, Killed, OutputStream, Process, ProcessTree, Sandbox, SandboxBackend, SandboxError,
    Signal,
};
use execution_service::sandbox::linux::{
    LaunchOptions, LinuxBackend, drop_privileges, enter_namespaces, launch,
};
use execution_service::sandbox::spec::{
    Command, ControlChannel, Exit, Footprint, Mount, SandboxLimits, SandboxSpec, Stdin,
    TerminalSize, WORKSPACE,
};
use execution_service::sandbox::workspace::WorkspacePath;

const LIMITS: SandboxLimits = SandboxLimits {
    memory_bytes: 128 << 20,
    processes: 32,
    disk_bytes: 16 << 20,
    inodes: 4000,
    open_files: 64,
    milli_cpus: 1000,
};
/// Long enough for a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    // Before the first thread.
    let (namespaced, ()) = enter_namespaces((), None).expect("namespaces");
    let options = LaunchOptions {
        roots: Vec::new(),
        limits: LIMITS,
        ceiling: LIMITS,
        way_out: true,
        zygotes: Vec::new(),
    };
    let launched = launch(&namespaced, options).expect("a spawner");
    drop_privileges(namespaced.distinct_ids).expect("no privileges");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let backend = LinuxBackend::new(launched).expect("a backend");
        refuses_mounts_that_it_has_not(&backend).await;
        println!("test refuses_mounts_that_it_has_not ... ok");
        for (name, test) in [
            ("standard_input_stays_open", Test::Stdin),
            ("a_terminal_is_one", Test::Terminal),
            ("a_shell_has_its_channel_by_name", Test::Fifos),
            ("trees_are_listed", Test::Walk),
            ("contents_come_and_go_whole", Test::Contents),
            ("what_is_half_written_is_nowhere", Test::Half),
            ("nothing_hostile_is_read_or_holds_anybody_up", Test::Hostile),
            ("names_are_given_and_taken", Test::Names),
            ("it_goes_on_beside_a_program_that_changes_everything", Test::Churn),
            ("a_process_is_told_to_end", Test::Terminate),
            ("a_tree_dies_and_others_live", Test::Tree),
            ("what_is_held_to_less_comes_to_no_more_until_it_is_not", Test::Hold),
            ("programs_find_what_listens_on_their_loopback", Test::WayOut),
            ("a_fork_bomb_dies", Test::Bomb),
        ] {
            let sandbox = backend.create(&SandboxSpec::closed(LIMITS)).await.expect("a sandbox");
            timeout(PATIENCE, test.run(&*sandbox)).await.expect(name);
            sandbox.end().await;
            println!("test {name} ... ok");
        }
        assert_eq!(backend.health(), Health::Healthy);
    });
}

#[derive(Clone, Copy)]
enum Test {
    Stdin,
    Terminal,
    Fifos,
    Walk,
    Contents,
    Half,
    Hostile,
    Names,
    Churn,
    Terminate,
    Tree,
    Hold,
    WayOut,
    Bomb,
}

impl Test {
    async fn run(self, sandbox: &dyn Sandbox) {
        match self {
            Self::Stdin => standard_input_stays_open(sandbox).await,
            Self::Terminal => a_terminal_is_one(sandbox).await,
            Self::Fifos => a_shell_has_its_channel_by_name(sandbox).await,
            Self::Walk => files::trees_are_listed(sandbox).await,
            Self::Contents => files::contents_come_and_go_whole(sandbox).await,
            Self::Half => files::what_is_half_written_is_nowhere(sandbox).await,
            Self::Hostile => files::nothing_hostile_is_read_or_holds_anybody_up(sandbox).await,
            Self::Names => files::names_are_given_and_taken(sandbox).await,
            Self::Churn => {
                files::it_goes_on_beside_a_program_that_changes_everything(sandbox).await
            }
            Self::Terminate => a_process_is_told_to_end(sandbox).await,
            Self::Tree => a_tree_dies_and_others_live(sandbox).await,
            Self::Hold => what_is_held_to_less_comes_to_no_more_until_it_is_not(sandbox).await,
            Self::WayOut => way_out::programs_find_what_listens_on_their_loopback(sandbox).await,
            Self::Bomb => a_fork_bomb_dies(sandbox).await,
        }
    }
}

fn shell(script: &str, stdin: Stdin, control: ControlChannel) -> Command {
    Command {
        program: String::from("/bin/bash"),
        args: ["-c", script].map(String::from).to_vec(),
        env: BTreeMap::from([(String::from("PATH"), String::from("/usr/bin:/bin"))]),
        working_directory: String::from(WORKSPACE),
        stdin,
        control,
    }
}

fn quiet(script: &str) -> Command {
    shell(script, Stdin::Null, ControlChannel::None)
}

fn path(path: &str) -> WorkspacePath {
    WorkspacePath::parse(path).expect("a path")
}

/// The next bytes that `stream` has.
async fn some_of(stream: &mut dyn OutputStream) -> String {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).await.expect("a stream");
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

/// All that a script has to say.
async fn output_of(sandbox: &dyn Sandbox, script: &str) -> String {
    let mut process = sandbox.start(quiet(script)).await.expect("a process");
    let mut all = String::new();
    loop {
        match some_of(&mut *process.stdout).await {
            more if more.is_empty() => return all,
            more => all.push_str(&more),
        }
    }
}

async fn exit_of(process: Process) -> Exit {
    process.exit.await.expect("an end").exit
}

async fn what_is_held_to_less_comes_to_no_more_until_it_is_not(sandbox: &dyn Sandbox) {
    if sandbox.cpu_time().is_none() {
        println!("skipped: what_is_held_to_less (no cgroups)");
        return;
    }
    let refusals = async || sandbox.usage(PATIENCE).await.expect("an account").fork_refusals;
    let many = "for _ in {1..20}; do sleep 60 & done; wait";
    let most = Footprint { memory_bytes: 32 << 20, processes: 6 };
    sandbox.hold_to(Some(most)).await.expect("held");
    let crowd = sandbox.start(quiet(many)).await.expect("a process");
    while refusals().await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(sandbox.footprint().await.processes <= most.processes + 1);
    sandbox.kill_all().await.expect("killed");
    exit_of(crowd).await;

    sandbox.hold_to(None).await.expect("its own limits");
    let before = refusals().await;
    let said = output_of(sandbox, "for _ in {1..20}; do sleep 0.1 & done; wait; echo all").await;
    assert_eq!((&*said, refusals().await), ("all\n", before));
    // Files of /usr that it was the first to read are given back for it.
    output_of(sandbox, "cat /usr/bin/* > /dev/null").await;
    sandbox.hold_to(Some(most)).await.expect("held again");
    sandbox.hold_to(None).await.expect("its own limits again");
}

async fn refuses_mounts_that_it_has_not(backend: &LinuxBackend) {
    let mounts = vec![Mount { path: PathBuf::from("/root") }];
    let spec = SandboxSpec { mounts, ..SandboxSpec::closed(LIMITS) };
    match backend.create(&spec).await.map(drop) {
        Err(SandboxError::Unsupported(what)) => assert!(what.contains("/root"), "{what}"),
        other => panic!("{other:?}"),
    }
}

async fn standard_input_stays_open(sandbox: &dyn Sandbox) {
    let script = "read a; echo \"got $a\"; read b; echo \"got $b\"; cat; \
        ls -l /proc/self/fd | grep -c pipe >&2; echo x > /dev/stdin || echo refused";
    let command = shell(script, Stdin::Pipe, ControlChannel::None);
    let mut process = sandbox.start(command).await.expect("a process");
    let mut stdin = process.stdin.take().expect("a pipe");
    stdin.write_all(b"one\n").await.expect("it reads");
    assert_eq!(some_of(&mut *process.stdout).await, "got one\n");
    stdin.write_all(b"two\nrest").await.expect("it reads");
    let mut said = some_of(&mut *process.stdout).await;
    while !said.ends_with("rest") {
        said.push_str(&some_of(&mut *process.stdout).await);
    }
    assert_eq!(said, "got two\nrest");
    // The end is seen, so nobody else holds the other end.
    drop(stdin);
    assert_eq!(some_of(&mut *process.stdout).await, "refused\n");
    assert_eq!(exit_of(process).await, Exit::Code(0));
    // The first pipes are still there for the next one.
    assert_eq!(output_of(sandbox, "echo next; cat").await, "next\n");
}

/// Reads until the terminal has shown `what` and, behind it, `end`.
async fn shown(process: &mut Process, what: &str, end: &str) -> String {
    let mut all = String::new();
    while !(all.contains(what) && all.ends_with(end)) {
        match some_of(&mut *process.stdout).await {
            more if more.is_empty() => panic!("no {what:?} in {all:?}"),
            more => all.push_str(&more),
        }
    }
    all
}

async fn a_terminal_is_one(sandbox: &dyn Sandbox) {
    let stdin = Stdin::Terminal(TerminalSize { rows: 24, columns: 80 });
    let mut command = shell("", stdin, ControlChannel::None);
    // Interactive, so with job control, which needs a terminal that controls its session.
    command.args = ["--norc", "-i"].map(String::from).to_vec();
    command.env.insert(String::from("PS1"), String::from("> "));
    let mut process = sandbox.start(command).await.expect("a process");
    let mut keyboard = process.stdin.take().expect("a terminal");
    assert_eq!(shown(&mut process, "> ", "> ").await, "> ", "bash misses nothing");
    // Nobody types for somebody else.
    let steal = "python3 -c \"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSTI, b'x')\"\n";
    for (typed, answer) in [
        ("stty size\n", "24 80\r\n"),
        ("test -t 0 -a -t 1 -a -t 2 && echo y\"\"es\n", "yes\r\n"),
        ("sed y/abc/xyz/\\;q /dev/stdin\nback\n", "yxzk\r\n"),
        ("sleep 600 & jobs\n", "Running                 sleep 600 &\r\n"),
        ("ls /dev/pts /dev/ptmx /dev/tty 2>&1 | grep -c No\n", "3\r\n"),
        (steal, "PermissionError: [Errno 1] Operation not permitted\r\n"),
    ] {
        keyboard.write_all(typed.as_bytes()).await.expect("it reads");
        shown(&mut process, answer, "> ").await;
    }
    // An interrupt is for what is in front, and not for the shell.
    keyboard.write_all(b"sed -u y/abc/xyz/\nback\n").await.expect("it reads");
    shown(&mut process, "yxzk\r\n", "").await;
    keyboard.write_all(b"\x03").await.expect("it reads");
    shown(&mut process, "^C\r\n", "> ").await;
    let terminal = process.terminal.as_ref().expect("one");
    terminal.resize(TerminalSize { rows: 50, columns: 132 }).expect("a size");
    keyboard.write_all(b"stty size\n").await.expect("it reads");
    shown(&mut process, "50 132\r\n", "> ").await;
    // A terminal that hangs up takes its session with it.
    let exit = process.exit;
    drop((keyboard, process.terminal, process.stdout));
    assert_eq!(exit.await.expect("an end").exit, Exit::Signal(1));
}

async fn a_shell_has_its_channel_by_name(sandbox: &dyn Sandbox) {
    let control = ControlChannel::Fifos { incoming: path("in"), outgoing: path("out") };
    let script = "for _ in 1 2; do read line < /run/crucible/in; \
        echo \"heard $line\" > /run/crucible/out; done";
    let mut process = sandbox.start(shell(script, Stdin::Null, control)).await.expect("a process");
    let mut control = process.control.take().expect("a channel");
    for word in ["one", "two"] {
        control.writer.write_all(format!("{word}\n").as_bytes()).await.expect("it reads");
        let mut heard = vec![0; format!("heard {word}\n").len()];
        control.reader.read_exact(&mut heard).await.expect("it speaks");
        assert_eq!(String::from_utf8_lossy(&heard), format!("heard {word}\n"));
    }
    assert_eq!(exit_of(process).await, Exit::Code(0));
}

async fn a_process_is_told_to_end(sandbox: &dyn Sandbox) {
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let mut process = sandbox.start(quiet(script)).await.expect("a process");
    assert_eq!(some_of(&mut *process.stdout).await, "ready\n");
    sandbox.signal(process.id, Signal::Terminate).await.expect("a signal");
    assert_eq!(exit_of(process).await, Exit::Code(7));
}

/// Names of those that still run, each by its sleep.
async fn sleepers(sandbox: &dyn Sandbox) -> String {
    let script = "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null; echo; done \
        | sed -n 's/^sleep \\([0-9]*\\) $/\\1/p' | sort -n | tr '\\n' ' '";
    output_of(sandbox, script).await
}

async fn a_tree_dies_and_others_live(sandbox: &dyn Sandbox) {
    let started = async |script: &str| {
        let mut process = sandbox.start(quiet(script)).await.expect("a process");
        assert_eq!(some_of(&mut *process.stdout).await, "ready\n");
        process
    };
    // Each has a child, and a daemon that has left it.
    let old = started("sleep 1001 & setsid -f sleep 1002 >/dev/null; echo ready; wait").await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let since = Instant::now();
    tokio::time::sleep(Duration::from_millis(30)).await;
    let root = started("sleep 1003 & setsid -f sleep 1004 >/dev/null; echo ready; wait").await;
    let spared = started("sleep 1005 & echo ready; wait").await;
    assert_eq!(sleepers(sandbox).await, "1001 1002 1003 1004 1005 ");

    let spared_ones = vec![old.id, spared.id];
    let tree = ProcessTree { root: root.id, spared: spared_ones, since, orphans: false };
    assert_eq!(sandbox.kill_tree(&tree).await.expect("killed"), Killed::Tree);
    assert_eq!(exit_of(root).await, Exit::Signal(9));
    assert_eq!(sleepers(sandbox).await, "1001 1002 1004 1005 ");

    let tree = ProcessTree { orphans: true, ..tree };
    assert_eq!(sandbox.kill_tree(&tree).await.expect("killed"), Killed::Tree);
    assert_eq!(sleepers(sandbox).await, "1001 1002 1005 ");
    sandbox.signal(spared.id, Signal::Kill).await.expect("a signal");
    assert_eq!(exit_of(spared).await, Exit::Signal(9));
    drop(old);
}

async fn a_fork_bomb_dies(sandbox: &dyn Sandbox) {
    let mut spared = sandbox.start(quiet("echo ready; sleep 1000")).await.expect("a process");
    assert_eq!(some_of(&mut *spared.stdout).await, "ready\n");
    let since = Instant::now();
    tokio::time::sleep(Duration::from_millis(30)).await;
    let script = "f() { while :; do (setsid -f bash -c 'sleep 0.05' & f) ; done; }; \
        f 2>/dev/null & f 2>/dev/null & echo ready; wait";
    let mut bomb = sandbox.start(quiet(script)).await.expect("a process");
    assert_eq!(some_of(&mut *bomb.stdout).await, "ready\n");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let spared_ones = vec![spared.id];
    let tree = ProcessTree { root: bomb.id, spared: spared_ones, since, orphans: true };
    let killed = sandbox.kill_tree(&tree).await.expect("killed");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let left = sandbox.usage(Duration::from_secs(5)).await.expect("an account");
    assert!(left.whole);
    let script = "ls -d /proc/[0-9]* | wc -l";
    let count: usize = output_of(sandbox, script).await.trim().parse().expect("a number");
    // Init, who is spared and its sleep, the shell that counts and its two.
    assert!(count <= 6, "{count} processes are left");
    match killed {
        Killed::Tree => assert!(sandbox.signal(spared.id, Signal::Kill).await.is_ok()),
        Killed::Everything => {}
    }
    assert_eq!(exit_of(spared).await, Exit::Signal(9));
    println!("  ({killed:?} was killed)");
}
