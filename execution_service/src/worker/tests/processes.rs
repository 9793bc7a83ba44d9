//! Commands and files of sessions.

use std::io;

use futures::StreamExt;

use super::*;
use crate::sandbox::backend::{SandboxError, Signal};
use crate::sandbox::fake::Operation;
use crate::session::SessionError;
use crate::session::processes::{ProcessError, ProcessEvent};

const SESSION: (&str, &str) = ("s", OWNER);
const FOREIGN: (&str, &str) = ("s", "bob");

/// A command of `owner` with its input open.
fn new(owner: &str, command: &[&str]) -> NewProcess {
    NewProcess {
        session: String::from("s"),
        owner: String::from(owner),
        command: command.iter().map(|word| String::from(*word)).collect(),
        env: BTreeMap::new(),
        working_directory: None,
        open_stdin: true,
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
    let mut events = started.unwrap_or_else(|error| panic!("{error}"));
    let Some(ProcessEvent::Started(id)) = events.next().await else { panic!("it has started") };
    let run = finished(scene.in_context("", "hello")).await;
    assert!(run.status() == Status::Succeeded && run.outcome().shared);
    scene.worker.write_stdin(SESSION, id, b"line\n", true).await.expect("it reads");
    let Some(ProcessEvent::Output { data, .. }) = events.next().await else { panic!("an echo") };
    assert_eq!(data, b"line");
    let closed = scene.worker.write_stdin(SESSION, id, b"more", false).await;
    assert!(matches!(closed, Err(WorkerError::Process(ProcessError::NoInput))), "{closed:?}");
    for session in [FOREIGN, ("t", OWNER)] {
        let refused = scene.worker.signal_process(session, id, Signal::Kill).await;
        let unknown = matches!(refused, Err(WorkerError::Session(SessionError::NotFound)));
        assert!(unknown, "{refused:?}");
    }
    scene.worker.signal_process(SESSION, id, Signal::Terminate).await.expect("it is told");
    assert_eq!(events.next().await, Some(ProcessEvent::Ended(Exit::Code(4))));
    until(|| scene.worker.sessions.processes() == 0).await;
    let refused = scene.worker.signal_process(SESSION, id, Signal::Kill).await;
    let ended = matches!(refused, Err(WorkerError::Process(ProcessError::NotFound)));
    assert!(ended, "{refused:?}");
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
        let new = NewSession {
            id: format!("s{number}"),
            owner: String::from(OWNER),
            language: None,
            env: BTreeMap::new(),
            ttl: HOUR,
        };
        let made = scene.worker.create_session(new, RequestedLimits::default()).await;
        let session = made.unwrap_or_else(|error| panic!("a session: {error}"));
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
    let without_language = NewSession {
        id: String::from("s"),
        owner: String::from(OWNER),
        language: None,
        env: BTreeMap::new(),
        ttl: HOUR,
    };
    let made = scene.worker.create_session(without_language, RequestedLimits::default()).await;
    let session = made.unwrap_or_else(|error| panic!("{error}"));
    let started = scene.worker.start_process(new(OWNER, &["/bin/cat", "/dev/zero"])).await;
    let mut unread = started.unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(unread.next().await, Some(ProcessEvent::Started(_))));
    scene.worker.end_session("s", OWNER).await.expect("it is there");
    until(|| session.processes.count() == 0 && !session.is_busy()).await;
    assert!(matches!(unread.next().await, Some(ProcessEvent::Ended(_))), "and nothing is kept");
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
    let mut events = started.unwrap_or_else(|error| panic!("{error}"));
    let Some(ProcessEvent::Started(id)) = events.next().await else { panic!("it has started") };
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
    drop((sweep.await, events));
    scene.end().await;
}
