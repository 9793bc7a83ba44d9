//! Terminals: what programs for people need, and who looks at one.

use proto::execution_v1::from_terminal::Message as From;
use proto::execution_v1::to_terminal::Message as To;
use proto::execution_v1::{Session, StartProcessRequest, TerminalSize};
use proto::wire::reason;

use crate::support::{Caller, RunningProcess, Worker, in_session, new_session};

const INTERRUPT: &str = "\x03";
const SUSPEND: &str = "\x1a";
const ESCAPE: &str = "\x1b";

async fn in_terminal(caller: &Caller, session: &Session, command: &[&str]) -> RunningProcess {
    let terminal = Some(TerminalSize { columns: 80, rows: 24 });
    let wish = StartProcessRequest { terminal, ..StartProcessRequest::default() };
    caller.start_process_with(session, command, wish).await.unwrap()
}

#[tokio::test]
async fn a_shell_has_job_control_and_knows_the_size_of_its_terminal() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let shell = in_terminal(&caller, &session, &["bash", "--norc", "-i"]).await;
    let mut terminal = caller.attach(&session, shell.id, 0).await.unwrap();
    terminal.types("bind 'set enable-bracketed-paste off'; PS1='ready> '; stty size; echo $TERM\n");
    terminal.shows("24 80\r\nxterm-256color\r\nready> ").await;
    terminal.says(To::Resize(TerminalSize { columns: 100, rows: 40 }));
    terminal.types("stty size\n");
    terminal.shows("40 100\r\nready> ").await;
    // Not before it is in front.
    terminal.types("(printf in-%s front; exec sleep 600)\n");
    terminal.shows("in-front").await;
    terminal.types(SUSPEND);
    terminal.shows("Stopped").await;
    terminal.shows("ready> ").await;
    terminal.types("jobs; bg\n");
    terminal.shows("sleep 600 ) &").await;
    terminal.shows("ready> ").await;
    terminal.types("fg\n");
    terminal.shows("sleep 600 )\r\n").await;
    // The shell names the job before it gives it the terminal, and an interrupt in between is its own.
    terminal.types_until(INTERRUPT, "ready> ").await;
    terminal.types("echo was=$?; exit 3\n");
    terminal.shows("was=130\r\n").await;
    let ended = loop {
        match terminal.next().await.expect("the end is told") {
            From::Ended(ended) => break ended,
            From::Output(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((ended.exit_code, terminal.next().await), (Some(3), None));
    assert_eq!(shell.finish().await.1.exit_code, Some(3), "others see it, too");
}

#[tokio::test]
async fn programs_that_use_the_whole_screen_do() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    caller.run(in_session(&session, "seq 500 > numbers")).await.printed();
    // Those that the machine has, with what leaves them when something was seen.
    let vim = format!("ihello{ESCAPE}:wq\r");
    let programs: [(&str, &[&str], [&str; 2], &str); 3] = [
        ("vim", &["vim", "-u", "NONE", "made"], ["made", "~"], &vim),
        ("less", &["less", "numbers"], ["23\r\n", "49\r\n"], "q"),
        ("top", &["top", "-d", "0.2"], ["PID", "PID"], "q"),
    ];
    for (name, command, shown, keys) in programs {
        let looked_for = format!("command -v {name} || true");
        if caller.run(in_session(&session, &looked_for)).await.printed().is_empty() {
            eprintln!("skipped: {name} in a terminal (it is not installed)");
            continue;
        }
        let program = in_terminal(&caller, &session, command).await;
        let mut terminal = caller.attach(&session, program.id, 0).await.unwrap();
        terminal.shows(shown[0]).await;
        terminal.says(To::Resize(TerminalSize { columns: 132, rows: 50 }));
        terminal.shows(shown[1]).await;
        terminal.types(keys);
        while !matches!(terminal.next().await, Some(From::Ended(_))) {}
        let (said, ended) = program.finish().await;
        assert_eq!(ended.exit_code, Some(0), "{name}: {said:?}");
        assert!(said.contains(ESCAPE), "{name} has moved the cursor: {said:?}");
        if name == "vim" {
            let made = caller.run(in_session(&session, "cat made")).await;
            assert_eq!(made.printed(), "hello\n");
        }
    }
}

#[tokio::test]
async fn an_interpreter_answers_and_draws() {
    let Some(worker) = Worker::start("python", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("")).await.unwrap();
    let python = in_terminal(&caller, &session, &["python3", "-i"]).await;
    let mut terminal = caller.attach(&session, python.id, 0).await.unwrap();
    terminal.shows(">>> ").await;
    terminal.types("6 * 7\n");
    terminal.shows("42\r\n").await;
    let draw =
        "import curses; curses.wrapper(lambda s: (s.addstr(str(s.getmaxyx())), s.getkey()))\n";
    terminal.types(draw);
    terminal.shows("(24, 80)").await;
    terminal.types("xexit()\n");
    assert_eq!(python.finish().await.1.exit_code, Some(0));
}

#[tokio::test]
async fn nothing_is_typed_by_others_and_no_other_terminal_is_found() {
    let Some(worker) = Worker::start("python", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("")).await.unwrap();
    let other = in_terminal(&caller, &session, &["sleep", "600"]).await;
    let attempts = "import ctypes, errno, os, signal
libc = ctypes.CDLL(None, use_errno=True)
key = ctypes.create_string_buffer(b'i')
for name, command in (('TIOCSTI', 0x5412), ('TIOCSTI-high', 0x100005412), ('TIOCLINUX', 0x541C)):
    done = libc.syscall(16, 0, ctypes.c_ulong(command), key) >= 0
    print('ACHIEVED' if done else 'denied', name, errno.errorcode[ctypes.get_errno()])
for path in ('/dev/ptmx', '/dev/pts/0', '/dev/pts/ptmx', '/dev/tty', '/dev/tty0'):
    try: os.open(path, os.O_RDWR); print('ACHIEVED', path)
    except OSError as error: print('denied', path, errno.errorcode[error.errno])
print(os.isatty(0), os.ctermid())
os.kill(1, signal.SIGKILL); os.kill(1, signal.SIGTERM)
print('init lives')";
    let program = in_terminal(&caller, &session, &["python3", "-c", attempts]).await;
    let (said, ended) = program.finish().await;
    assert_eq!(ended.exit_code, Some(0), "{said}");
    assert!(!said.contains("ACHIEVED") && said.matches("denied").count() == 8, "{said}");
    assert!(said.contains("True") && said.contains("init lives"), "{said}");
    assert_eq!(caller.list_processes(&session).await, [other.id]);
}

#[tokio::test]
async fn a_terminal_goes_on_without_anybody_and_the_last_of_it_is_kept() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let loud = "read x; seq 100000; touch all; read y; echo over";
    let process = in_terminal(&caller, &session, &["bash", "-c", loud]).await;
    let mut first = caller.attach(&session, process.id, 0).await.unwrap();
    first.acknowledges = false;
    first.types("go\n");
    first.shows("1000\r\n").await;
    // Nothing is acknowledged: it stands still.
    let stands = caller.run(in_session(&session, "sleep 0.3; [ -e all ] || echo no")).await;
    assert_eq!(stands.printed(), "no\n");
    let mut second = caller.attach(&session, process.id, 0).await.unwrap();
    while let Some(seen) = first.next().await {
        if !matches!(seen, From::Output(_)) {
            assert!(matches!(seen, From::TakenOver(_)), "{seen:?}");
            break;
        }
    }
    assert_eq!(first.next().await, None);
    second.shows("99999\r\n100000\r\n").await;
    drop((first, second));
    // Whoever comes back goes on where the terminal is kept.
    let mut third = caller.attach(&session, process.id, 7).await.unwrap();
    assert!(third.offset > 100_000, "{}", third.offset);
    third.types("\n");
    third.shows("over").await;
    assert_eq!(process.finish().await.1.exit_code, Some(0));

    let plain = caller.start_process(&session, &["cat"], true).await.unwrap();
    let refused = caller.attach(&session, plain.id, 0).await.map(drop).unwrap_err();
    assert_eq!(refused.reason, reason::NO_TERMINAL);
    let killed = caller.kill_process(&session, plain.id).await.unwrap();
    assert_eq!(killed.ended.unwrap().signal.as_deref(), Some("SIGKILL"));
}
