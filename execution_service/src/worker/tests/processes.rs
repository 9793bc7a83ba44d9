//! Commands and files of sessions.

use std::io;

use super::*;
use crate::sandbox::backend::{ProcessId, SandboxError, Signal};
use crate::sandbox::fake::Operation;
use crate::sandbox::spec::TerminalSize;
use crate::session::SessionError;
use crate::session::processes::{EndCause, ProcessError, ProcessEvent};

const SESSION: (&str, &str) = ("s", OWNER);
const FOREIGN: (&str, &str) = ("s", "bob");

/// A command of `owner` with its input open.
pub(super) fn new(owner: &str, command: &[&str]) -> NewProcess {
    NewProcess {
        session: String::from("s"),
        owner: String::from(owner),
        command: command.iter().map(|word| String::from(*word)).collect(),
        env: BTreeMap::new(),
        working_directory: None,
        stdin: Vec::new(),
        open_stdin: true,
        timeout: None,
        terminal: None,
        tag: String::new(),
        awaited: true,
    }
}

impl Scene {
    async fn not_started(&self, new: NewProcess) -> WorkerError {
        let refused = self.worker.start_process(new).await.map(drop);
        refused.expect_err("it cannot be started")
    }
}

#[tokio::test]
async fn a_command_goes_on_beside_runs_and_is_spoken_to() {
    let backend = FakeBackend::new(|mut process| async move {
        if process.command.control != ControlChannel::None {
            return kernel(process).await;
        }
        while let Some(line) = process.read_line().await {
            process.print(line);
        }
        process.signalled().await;
        Exit::Code(4)
    });
    let scene = Scene::with(Size { slots: 8, waiting: 8, waiting_of_one: 8 }, backend);
    scene.begin_session().await;
    let started = scene.worker.start_process(new(OWNER, &["/bin/cat", "-u"])).await;
    let process = started.unwrap_or_else(|error| panic!("{error}"));
    let id = process.id;
    let run = finished(scene.in_context("", "hello")).await;
    assert!(run.status() == Status::Succeeded && run.outcome().shared);
    scene.worker.write_stdin(SESSION, id, b"line\n", true).await.expect("it reads");
    let echo = process.read(1, 99, HOUR, false).await.events.remove(0).1;
    assert!(matches!(echo, ProcessEvent::Output { data, .. } if data == b"line"));
    let closed = scene.worker.write_stdin(SESSION, id, b"more", false).await;
    assert!(matches!(closed, Err(WorkerError::Process(ProcessError::NoInput))), "{closed:?}");
    for session in [FOREIGN, ("t", OWNER)] {
        let refused = scene.worker.signal_process(session, id, Signal::Kill).await;
        let unknown = matches!(refused, Err(WorkerError::Session(SessionError::NotFound)));
        assert!(unknown, "{refused:?}");
    }
    scene.worker.signal_process(SESSION, id, Signal::Terminate).await.expect("it is told");
    assert_eq!(process.ended().await.exit, Exit::Code(4));
    until(|| scene.worker.sessions.processes() == 0).await;
    let refused = scene.worker.signal_process(SESSION, id, Signal::Kill).await;
    let ended = matches!(refused, Err(WorkerError::Process(ProcessError::Ended)));
    assert!(ended, "{refused:?}");
    let known = scene.worker.kill_process(SESSION, id).await.expect("it is remembered");
    assert_eq!(known.end().map(|end| end.exit), Some(Exit::Code(4)), "and stays as it ended");
    let unknown = scene.worker.kill_process(SESSION, ProcessId(999)).await.map(drop);
    let unknown_is = matches!(unknown, Err(WorkerError::Process(ProcessError::NotFound)));
    assert!(unknown_is, "{unknown:?}");
    assert!(!finished(scene.in_context("", "alone")).await.outcome().shared);
    scene.end().await;
}

#[tokio::test]
async fn a_command_that_cannot_be_started_leaves_nothing() {
    let scene = Scene::new();
    let session = scene.begin_session().await;
    let empty = scene.not_started(new(OWNER, &[])).await;
    assert!(matches!(empty, WorkerError::EmptyCommand), "{empty:?}");
    let foreign = scene.not_started(new("bob", &["/bin/cat"])).await;
    assert!(matches!(foreign, WorkerError::Session(SessionError::NotFound)), "{foreign:?}");
    let source = io::Error::from(io::ErrorKind::NotFound);
    let error = SandboxError::Start { program: String::from("/bin/cat"), source };
    scene.backend.fail_next(Operation::Start, error);
    let missing = scene.not_started(new(OWNER, &["/bin/cat"])).await;
    assert!(matches!(missing, WorkerError::NotExecutable(_)), "{missing:?}");
    assert!(!session.is_busy());
    assert_eq!(scene.worker.sessions.processes(), 0);
    scene.end().await;
}

#[tokio::test]
async fn one_owner_does_not_hold_all_open_files() {
    let scene = Scene::new();
    let mut places = Vec::new();
    for number in 0..4 {
        let session = scene.begin(new_session(&format!("s{number}"), None)).await;
        places.extend((0..64).map(|_| session.processes.reserve().expect("room in the session")));
    }
    scene.begin_session().await;
    let refused = scene.not_started(new(OWNER, &["/bin/cat"])).await;
    let full = matches!(refused, WorkerError::Process(ProcessError::TooManyOfOwner));
    assert!(full, "{refused:?}");
    drop(places);
    scene.end().await;
}

#[tokio::test]
async fn a_command_to_which_nobody_listens_ends_with_its_session() {
    let backend = FakeBackend::new(|mut process| async move {
        process.print("x".repeat(8 << 20));
        process.hang().await
    });
    let scene = Scene::with(Size { slots: 8, waiting: 8, waiting_of_one: 8 }, backend);
    let session = scene.begin(new_session("s", None)).await;
    let started = scene.worker.start_process(new(OWNER, &["/bin/cat", "/dev/zero"])).await;
    let unread = started.unwrap_or_else(|error| panic!("{error}"));
    scene.worker.end_session("s", OWNER).await.expect("it is there");
    until(|| session.processes.count() == 0 && !session.is_busy()).await;
    assert_eq!(unread.ended().await.cause, EndCause::SessionEnded);
    scene.end().await;
}

#[tokio::test]
async fn who_finds_that_the_sandbox_is_gone_is_told_that_the_session_is_lost() {
    let scene = Scene::new();
    let lost = |error: WorkerError| {
        assert!(matches!(error, WorkerError::Session(SessionError::Lost)), "{error:?}");
    };
    scene.begin_session().await;
    scene.backend.fail_next(Operation::Start, SandboxError::Gone);
    lost(scene.not_started(new(OWNER, &["/bin/cat"])).await);
    until(|| scene.backend.sandbox(0).has_ended()).await;

    scene.begin_session().await;
    scene.backend.fail_next(Operation::List, SandboxError::Gone);
    lost(scene.worker.list_files(SESSION, None, 1, 9).await.expect_err("it is gone"));
    until(|| scene.backend.sandbox(1).has_ended()).await;

    // Gone before anybody asks.
    scene.begin_session().await;
    let started = scene.worker.start_process(new(OWNER, &["/bin/cat"])).await;
    let id = started.unwrap_or_else(|error| panic!("{error}")).id;
    scene.backend.sandbox(2).die();
    lost(scene.not_started(new(OWNER, &["/bin/cat"])).await);
    lost(scene.worker.list_files(SESSION, None, 1, 9).await.expect_err("it is gone"));
    lost(scene.worker.signal_process(SESSION, id, Signal::Kill).await.expect_err("it is gone"));
    lost(scene.worker.extend_session("s", OWNER, HOUR).map(drop).expect_err("it is gone"));
    lost(scene.refused("hello", Some(target(""))).expect("it is gone"));
    let worker = Arc::clone(&scene.worker);
    let sweep = tokio::spawn(async move { worker.sessions.sweep().await });
    until(|| scene.worker.sessions.count() == 0).await;
    sweep.abort();
    drop(sweep.await);
    scene.end().await;
}

#[tokio::test]
async fn a_command_whose_time_is_up_is_told_so_and_then_killed_with_what_came_of_it() {
    let backend = FakeBackend::new(|mut process| async move {
        if process.command.args.is_empty() {
            process.signalled().await;
            return Exit::Code(7);
        }
        process.leave_running(false);
        process.hang().await
    });
    let scene = Scene::with(Size { slots: 8, waiting: 8, waiting_of_one: 8 }, backend);
    let session = scene.begin(new_session("s", None)).await;
    let soon = Some(std::time::Duration::from_millis(30));
    let bystander = scene.worker.start_process(new(OWNER, &["/bin/polite"])).await;
    let bystander = bystander.unwrap_or_else(|error| panic!("{error}"));
    for (command, exit) in
        [(&["/bin/polite"][..], Exit::Code(7)), (&["/bin/stubborn", "-v"], Exit::Signal(9))]
    {
        let started =
            scene.worker.start_process(NewProcess { timeout: soon, ..new(OWNER, command) });
        let process = started.await.unwrap_or_else(|error| panic!("{error}"));
        let end = process.ended().await;
        assert_eq!((end.exit, end.cause), (exit, EndCause::TimedOut), "{command:?}");
    }
    // With the child of the second one; the bystander is spared.
    until(|| scene.inside().processes() == 1).await;
    until(|| scene.inside().killed_trees().len() == 2).await;
    for tree in scene.inside().killed_trees() {
        assert!(tree.spared.contains(&bystander.id) && !tree.orphans, "{tree:?}");
    }
    assert!(bystander.end().is_none() && session.is_busy());
    scene.worker.kill_process(SESSION, bystander.id).await.expect("it runs");
    assert_eq!(bystander.end().map(|end| end.exit), Some(Exit::Signal(9)));
    assert!(!session.is_busy());
    scene.end().await;
}

#[tokio::test]
async fn a_command_in_the_background_does_not_keep_its_session_and_a_terminal_says_what_it_is() {
    let (told, mut env) = tokio::sync::mpsc::unbounded_channel();
    let backend = FakeBackend::new(move |mut process| {
        let _ = told.send(process.command.env.get("TERM").cloned());
        async move { process.hang().await }
    });
    let scene = Scene::with(Size { slots: 8, waiting: 8, waiting_of_one: 8 }, backend);
    let session = scene.begin(new_session("s", None)).await;
    let terminal = Some(TerminalSize { rows: 24, columns: 80 });
    let background = NewProcess { awaited: false, terminal, ..new(OWNER, &["/bin/top"]) };
    scene.worker.start_process(background.clone()).await.map(drop).expect("it runs");
    assert!(!session.is_busy());
    assert_eq!(env.recv().await.flatten().as_deref(), Some("xterm-256color"));
    let own = BTreeMap::from([(String::from("TERM"), String::from("dumb"))]);
    let dumb = NewProcess { env: own, ..background };
    scene.worker.start_process(dumb).await.map(drop).expect("it runs");
    assert_eq!(env.recv().await.flatten().as_deref(), Some("dumb"));
    scene.end().await;
}
