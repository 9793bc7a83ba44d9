//! Runs in sessions: what they find, what they leave, and what of it goes on.

use std::io;
use std::time::Instant;

use super::*;
use crate::language::diagnostic::Kind;
use crate::sandbox::backend::{ProcessTree, SandboxError};
use crate::sandbox::fake::Operation;
use crate::sandbox::workspace::{WorkspaceFile, WorkspacePath};
use crate::session::SessionError;
use crate::session::processes::SessionProcess;

impl Scene {
    /// Starts a command that runs until it is killed.
    async fn start_command(&self) -> Arc<SessionProcess> {
        let started = self.worker.start_process(sleep_of(OWNER)).await;
        started.unwrap_or_else(|error| panic!("a command: {error}"))
    }
}

/// A command that runs until it is killed.
fn sleep_of(owner: &str) -> NewProcess {
    super::processes::new(owner, &["/bin/sleep"])
}

/// A run that is stopped after a moment.
fn short(code: &str) -> Request {
    let limits =
        RequestedLimits { wall: Some(Duration::from_millis(5)), ..RequestedLimits::default() };
    Request { limits, ..request(code) }
}

#[tokio::test]
async fn two_contexts_run_at_once_and_are_told_that_their_account_is_shared() {
    let scene = Scene::new();
    scene.begin_session().await;
    scene.add_context("other").await;
    let mut first = scene.in_context("", "wait");
    started(&mut first).await;
    let second = finished(scene.in_context("other", "hello")).await;
    assert_eq!((second.status(), second.stdout()), (Status::Succeeded, String::from("hello")));
    assert!(second.outcome().shared && !first.done.is_finished());
    scene.go();
    let first = finished(first).await;
    assert_eq!((first.status(), first.outcome().shared), (Status::Succeeded, true));
    let third = finished(scene.in_context("other", "alone again")).await;
    assert!(!third.outcome().shared);
    scene.end().await;
}

#[tokio::test]
async fn runs_of_one_context_take_turns() {
    let scene = Scene::new();
    scene.begin_session().await;
    let mut first = scene.in_context("", "wait");
    started(&mut first).await;
    let second = scene.in_context("", "second");
    assert_eq!(scene.worker.admission.waiting(), 1, "though there are slots");
    scene.go();
    let (first, second) = tokio::join!(finished(first), finished(second));
    assert_eq!(second.stdout(), "second");
    assert!(!first.outcome().shared && !second.outcome().shared);
    assert_eq!(scene.inside().processes(), 1, "in the same interpreter");
    scene.end().await;
}

#[tokio::test]
async fn a_sandbox_is_allowed_what_the_most_demanding_of_its_runs_is() {
    let scene = Scene::new();
    scene.begin_session().await;
    scene.add_context("other").await;
    let memory = |share: u64| {
        let memory_bytes = Some(LIMITS.sandbox.memory_bytes / share);
        RequestedLimits { memory_bytes, ..RequestedLimits::default() }
    };
    let in_force = || LIMITS.sandbox.memory_bytes / scene.inside().limits().memory_bytes;
    let limits = memory(2);
    let mut first = scene.accept(Request { limits, ..request("wait") }, Some(target("")));
    started(&mut first).await;
    assert_eq!(in_force(), 2);
    for (share, together) in [(4, 2), (1, 1)] {
        let limits = memory(share);
        let beside = scene.accept(Request { limits, ..request("x") }, Some(target("other")));
        assert_eq!(finished(beside).await.status(), Status::Succeeded);
        assert_eq!(in_force(), together);
    }
    scene.go();
    assert_eq!(finished(first).await.status(), Status::Succeeded);
    let limits = memory(4);
    let alone = scene.accept(Request { limits, ..request("x") }, Some(target("other")));
    finished(alone).await;
    assert_eq!(in_force(), 4);
    scene.end().await;
}

#[tokio::test]
async fn what_a_stopped_run_has_started_dies_and_nothing_else_does() {
    let scene = Scene::new();
    scene.begin_session().await;
    scene.add_context("other").await;
    finished(scene.in_context("other", "hello")).await;
    finished(scene.in_context("", "leave")).await;
    let kernel = scene.kernel_of("ctx_defaultpython").expect("it waits");
    let other = scene.kernel_of("other").expect("it waits");
    assert_eq!(scene.inside().processes(), 4, "two kernels, and what the second run has left");

    let before = Instant::now();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let stopped = finished(scene.accept(short("leave and hang"), Some(target("")))).await;
    let outcome = stopped.outcome();
    assert_eq!(
        (outcome.status, outcome.state_lost, outcome.shared),
        (Status::TimedOut, true, false)
    );
    let trees = scene.inside().killed_trees();
    let [ProcessTree { root, spared, since, orphans }] = &trees[..] else { panic!("{trees:?}") };
    assert_eq!((*root, &spared[..], *orphans), (kernel, &[other][..], true));
    assert!(*since > before && *since < Instant::now());
    until(|| scene.inside().processes() == 3).await;
    assert_eq!(scene.kernel_of("other"), Some(other));

    let next = finished(scene.in_context("", "next")).await;
    assert_eq!((next.stdout().as_str(), next.outcome().state_lost), ("next", false));
    scene.end().await;
}

#[tokio::test]
async fn beside_others_only_what_is_surely_a_stopped_runs_own_is_killed() {
    let scene = Scene::new();
    scene.begin_session().await;
    let command = scene.start_command().await.id;
    let kernel = scene.kernel_of("ctx_defaultpython").expect("it waits");
    let stopped = finished(scene.accept(short("leave and hang"), Some(target("")))).await;
    assert!(stopped.outcome().shared, "with the command");
    let trees = scene.inside().killed_trees();
    let [ProcessTree { root, spared, since: _, orphans }] = &trees[..] else { panic!("{trees:?}") };
    assert_eq!((*root, &spared[..], *orphans), (kernel, &[command][..], false));
    until(|| scene.inside().processes() == 2).await;
    assert_eq!(scene.worker.sessions.processes(), 1, "the command, and the daemon: whose is it?");
    scene.end().await;
}

#[tokio::test]
async fn the_number_of_a_command_that_has_ended_spares_nobody() {
    let scene = Scene::new();
    scene.begin_session().await;
    let command = scene.start_command().await;
    scene.worker.kill_process(("s", OWNER), command.id).await.expect("it runs");
    command.ended().await;
    finished(scene.accept(short("leave and hang"), Some(target("")))).await;
    let trees = scene.inside().killed_trees();
    let of_the_run = trees.last().expect("it was stopped");
    assert_eq!(of_the_run.spared, [], "another process may have the number {:?}", command.id);
    scene.end().await;
}

#[tokio::test]
async fn a_run_that_fails_by_itself_leaves_nothing_to_kill() {
    let scene = Scene::new();
    scene.begin_session().await;
    for code in ["hello", "leave"] {
        finished(scene.in_context("", code)).await;
    }
    assert_eq!(scene.inside().killed_trees(), []);
    let crashed = finished(scene.in_context("", "crash")).await;
    assert_eq!((crashed.status(), crashed.outcome().state_lost), (Status::Killed, true));
    assert_eq!(scene.inside().killed_trees().len(), 1, "its children may run on");
    scene.end().await;
}

#[tokio::test]
async fn a_run_whose_leftovers_cannot_be_killed_has_ended_once() {
    let scene = Scene::new();
    scene.begin_session().await;
    scene.backend.fail_next(Operation::KillTree, SandboxError::Silent);
    let Finished { events, done } = finished(scene.accept(short("hang"), Some(target("")))).await;
    assert!(matches!(events.last(), Some(Event::Outcome(_))), "it has been answered: {events:?}");
    assert!(done.is_ok(), "{done:?}");
    assert_eq!((scene.tally("timed_out"), scene.tally("unfinished")), (1, 0));
    let session = scene.worker.sessions.get("s", OWNER).map(drop);
    assert_eq!(session, Err(SessionError::Lost), "what it has started must not go on");
    until(|| scene.inside().has_ended()).await;
    scene.end().await;
}

#[tokio::test]
async fn a_session_whose_sandbox_a_run_breaks_is_lost_to_its_owner() {
    let scene = Scene::new();
    scene.begin_session().await;
    let last = finished(scene.in_context("", "break out")).await;
    assert_eq!(last.outcome().signal.as_deref(), Some("SIGKILL"), "the outcome stands");
    assert!(last.outcome().state_lost);
    let refused = scene.refused("more", Some(target("")));
    assert!(matches!(refused, Some(WorkerError::Session(SessionError::Lost))), "{refused:?}");
    let foreign = scene.worker.sessions.get("s", "bob").map(drop);
    assert_eq!(foreign, Err(SessionError::NotFound));
    until(|| scene.inside().has_ended()).await;
    scene.end().await;
}

#[tokio::test]
async fn a_run_that_finds_its_sandbox_broken_is_told_that_the_session_is_lost() {
    let scene = Scene::new();
    scene.begin_session().await;
    let files = vec![a_file()];
    let run = Request { files, ..request("hello") };
    let accepted = scene.accept(run, Some(target("")));
    // It has not had its turn yet.
    scene.inside().die();
    let failed = finished(accepted).await;
    let lost = matches!(failed.error(), WorkerError::Session(SessionError::Lost));
    assert!(lost, "{failed:?}");
    scene.end().await;
}

#[tokio::test]
async fn so_is_one_whose_interpreter_dies_with_the_sandbox_before_it_is_ready() {
    let backend = FakeBackend::new(|mut process| async move {
        if process.inside.processes() == 1 {
            return kernel(process).await;
        }
        process.inside.die();
        process.hang().await
    });
    let scene = Scene::with(Size { slots: 8, waiting: 8, waiting_of_one: 8 }, backend);
    scene.begin_session().await;
    scene.add_context("other").await;
    let failed = finished(scene.in_context("other", "hello")).await;
    let lost = matches!(failed.error(), WorkerError::Session(SessionError::Lost));
    assert!(lost, "{failed:?}");
    scene.end().await;
}

#[tokio::test]
async fn a_session_that_is_ended_takes_what_runs_and_what_waits_in_it_along() {
    let scene = Scene::new();
    scene.begin_session().await;
    let command = scene.start_command().await;
    let mut running = scene.in_context("", "hang");
    started(&mut running).await;
    let waiting = scene.in_context("", "waiting");
    let worker = Arc::clone(&scene.worker);
    let (ended, running, waiting) =
        tokio::join!(worker.end_session("s", OWNER), finished(running), finished(waiting));
    ended.expect("it was there");
    assert_eq!(running.status(), Status::Cancelled);
    let told = matches!(waiting.error(), WorkerError::Session(SessionError::NotFound));
    assert!(told && !waiting.began(), "{waiting:?}");
    assert!(scene.inside().has_ended());
    command.ended().await;
    assert_eq!(scene.inside().processes(), 0);
    drop(worker);
    scene.end().await;
}

#[tokio::test]
async fn a_run_that_waits_in_a_session_can_be_cancelled() {
    let scene = Scene::new();
    scene.begin_session().await;
    let mut running = scene.in_context("", "wait");
    started(&mut running).await;
    let waiting = scene.in_context("", "waiting");
    scene.worker.cancel("waiting", OWNER).expect("it waits");
    let waiting = finished(waiting).await;
    assert!(waiting.status() == Status::Cancelled && !waiting.began());
    scene.go();
    assert_eq!(finished(running).await.status(), Status::Succeeded);
    scene.end().await;
}

#[tokio::test]
async fn who_stops_listening_stops_the_run_and_not_the_session() {
    let scene = Scene::new();
    scene.begin_session().await;
    let mut running = scene.in_context("", "hang");
    started(&mut running).await;
    let Accepted { events, done } = running;
    drop(events);
    done.await.expect("it does not panic").expect("it is no error");
    assert_eq!(scene.inside().killed_trees().len(), 1);
    assert_eq!(finished(scene.in_context("", "next")).await.stdout(), "next");
    scene.end().await;
}

#[tokio::test]
async fn who_finds_the_interpreter_dead_is_told_that_its_state_is_lost() {
    let scene = Scene::new();
    scene.begin_session().await;
    let last = finished(scene.in_context("", "exit afterwards")).await;
    assert_eq!((last.status(), last.outcome().state_lost), (Status::Succeeded, false));
    scene.go();
    until(|| scene.inside().processes() == 0).await;
    let next = finished(scene.in_context("", "next")).await;
    assert_eq!((next.stdout().as_str(), next.outcome().state_lost), ("next", true));
    let third = finished(scene.in_context("", "third")).await;
    assert!(!third.outcome().state_lost, "that was told");
    scene.end().await;
}

fn a_file() -> WorkspaceFile {
    WorkspaceFile { path: WorkspacePath::parse("a").expect("a path"), content: Vec::new() }
}

#[tokio::test]
async fn a_file_that_cannot_be_written_costs_no_state() {
    let scene = Scene::new();
    scene.begin_session().await;
    scene.add_context("new").await;
    for context in ["", "new"] {
        let source = io::Error::from(io::ErrorKind::IsADirectory);
        let error = SandboxError::Write { path: String::from("a"), source };
        scene.backend.fail_next(Operation::Write, error);
        let files = vec![a_file()];
        let run = Request { files, ..request("x") };
        let failed = finished(scene.accept(run, Some(target(context)))).await;
        let outcome = failed.outcome();
        let named = outcome.diagnostic.as_ref().map(|found| &*found.name);
        assert_eq!((outcome.status, named), (Status::Failed, Some("WriteError")));
        assert!(!outcome.state_lost && !failed.began(), "{context:?}");
    }
    scene.end().await;
}

#[tokio::test]
async fn a_run_that_may_use_less_than_the_session_holds_already_does_not_begin() {
    let scene = Scene::new();
    scene.begin_session().await;
    let refused = SandboxError::Limits(io::Error::from(io::ErrorKind::ResourceBusy));
    scene.backend.fail_next(Operation::Prepare, refused);
    let failed = finished(scene.in_context("", "hello")).await;
    let found = failed.outcome().diagnostic.as_ref().expect("a reason");
    assert_eq!((failed.status(), found.kind), (Status::OutOfMemory, Kind::Limit));
    assert!(!failed.began() && !failed.outcome().state_lost);
    assert_eq!(finished(scene.in_context("", "next")).await.stdout(), "next");
    scene.end().await;
}

#[tokio::test]
async fn what_a_session_fixes_cannot_be_asked_for() {
    let scene = Scene::new();
    scene.begin_session().await;
    let limits = RequestedLimits { disk_bytes: Some(1 << 20), ..RequestedLimits::default() };
    let run = Request { limits, ..request("x") };
    let refused = scene.worker.execute(run, Some(target("")), None).map(drop).err();
    assert!(matches!(refused, Some(WorkerError::FixedInSession("disk_bytes"))), "{refused:?}");
    let refused = scene.refused("x", Some(target("none")));
    assert!(matches!(refused, Some(WorkerError::Context(_))), "{refused:?}");
    let foreign = Request { owner: String::from("bob"), ..request("x") };
    let refused = scene.worker.execute(foreign, Some(target("")), None).map(drop).err();
    let unknown = matches!(refused, Some(WorkerError::Session(SessionError::NotFound)));
    assert!(unknown, "{refused:?}");
    scene.end().await;
}

#[tokio::test]
async fn a_worker_that_ends_says_so_to_what_runs_in_a_session() {
    let scene = Scene::new();
    scene.begin_session().await;
    let mut running = scene.in_context("", "hang");
    started(&mut running).await;
    let waiting = scene.in_context("", "waiting");
    scene.worker.shutdown.cancel();
    for run in [running, waiting] {
        let stopped = finished(run).await;
        assert!(matches!(stopped.error(), WorkerError::ShuttingDown), "{stopped:?}");
    }
    let refused = scene.worker.start_process(sleep_of(OWNER)).await.map(drop).err();
    assert!(matches!(refused, Some(WorkerError::ShuttingDown)), "{refused:?}");
    scene.end().await;
}
