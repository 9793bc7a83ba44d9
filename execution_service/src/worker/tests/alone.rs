//! Runs in sandboxes of their own, which end with them whatever happens.

use std::io;

use super::*;
use crate::language::c::C;
use crate::sandbox::backend::SandboxError;
use crate::sandbox::fake::Operation;
use crate::sandbox::workspace::{WorkspaceFile, WorkspacePath};

#[tokio::test]
async fn a_sandbox_ends_with_its_run_however_that_ends() {
    for (code, status, named) in
        [("hello", Status::Succeeded, "succeeded"), ("crash", Status::Killed, "killed")]
    {
        let scene = Scene::new();
        let finished = finished(scene.alone(code)).await;
        assert_eq!(finished.status(), status);
        assert!(matches!(finished.events.first(), Some(Event::Started)));
        let outcome = finished.outcome();
        assert!(outcome.phases.cold_start && !outcome.shared && !outcome.state_lost);
        let printed = if code == "hello" { "hello" } else { "" };
        assert_eq!(finished.stdout(), printed);
        until(|| scene.inside().has_ended()).await;
        assert_eq!((scene.tally(named), scene.worker.tally.counts().cold_starts), (1, 1));
        scene.end().await;
    }
}

#[tokio::test]
async fn a_sandbox_that_cannot_be_made_is_our_error_and_no_outcome() {
    let scene = Scene::new();
    for _ in 0..2 {
        let source = io::Error::from(io::ErrorKind::OutOfMemory);
        let error = SandboxError::Create { stage: String::from("test"), source };
        scene.backend.fail_next(Operation::Create, error);
    }
    let failed = finished(scene.alone("hello")).await;
    assert!(matches!(failed.error(), WorkerError::Kernel(_)), "{failed:?}");
    assert!(!failed.began());
    assert_eq!(scene.tally("unfinished"), 1);
    let next = finished(scene.alone("hello")).await;
    assert_eq!(next.status(), Status::Succeeded, "its slot has been given back");
    scene.end().await;
}

#[tokio::test]
async fn a_sandbox_ends_as_well_when_it_fails_us() {
    for (error, stalled) in [(SandboxError::Gone, false), (SandboxError::Silent, true)] {
        let scene = Scene::new();
        scene.backend.fail_next(Operation::Write, error);
        let path = WorkspacePath::parse("a").expect("a path");
        let files = vec![WorkspaceFile { path, content: Vec::new() }];
        let failed = finished(scene.accept(Request { files, ..request("hello") }, None)).await;
        assert_eq!(matches!(failed.error(), WorkerError::Stalled), stalled, "{failed:?}");
        until(|| scene.inside().has_ended()).await;
        scene.end().await;
    }
}

#[tokio::test]
async fn with_its_backend_the_worker_ends_too() {
    let scene = Scene::new();
    scene.backend.break_down();
    let failed = finished(scene.alone("hello")).await;
    assert!(matches!(failed.error(), WorkerError::ShuttingDown), "{failed:?}");
    scene.end().await;
}

#[tokio::test]
async fn a_run_that_waits_is_cancelled_by_its_owner_and_by_nobody_else() {
    let scene = Scene::narrow();
    let mut first = scene.alone("hang");
    started(&mut first).await;
    let second = scene.alone("second");
    assert_eq!(scene.worker.admission.waiting(), 1);
    for (id, owner) in [("second", "bob"), ("third", OWNER)] {
        let refused = scene.worker.cancel(id, owner);
        assert!(matches!(refused, Err(WorkerError::ExecutionNotFound)), "{id} of {owner}");
    }
    scene.worker.cancel("second", OWNER).expect("it waits");
    let second = finished(second).await;
    assert_eq!(second.status(), Status::Cancelled);
    assert!(!second.began() && second.outcome().diagnostic.is_none());
    assert_eq!(scene.backend.created(), 1, "there was nothing to be made for it");
    assert!(!first.done.is_finished(), "the other one goes on");
    scene.worker.cancel("hang", OWNER).expect("it runs");
    let first = finished(first).await;
    assert_eq!(first.status(), Status::Cancelled);
    assert_eq!(scene.tally("cancelled"), 2);
    let refused = scene.worker.cancel("hang", OWNER);
    assert!(matches!(refused, Err(WorkerError::ExecutionNotFound)), "it has ended");
    scene.end().await;
}

#[tokio::test]
async fn who_stops_listening_has_cancelled() {
    let scene = Scene::narrow();
    let mut running = scene.alone("hang");
    started(&mut running).await;
    let Accepted { events, done } = scene.alone("waiting");
    drop(events);
    done.await.expect("it does not panic").expect("it is no error");
    assert_eq!(scene.backend.created(), 1);
    let Accepted { events, done } = running;
    drop(events);
    done.await.expect("it does not panic").expect("it is no error");
    until(|| scene.inside().has_ended()).await;
    assert_eq!(scene.tally("cancelled"), 2);
    scene.end().await;
}

#[tokio::test]
async fn who_waits_for_an_interpreter_that_does_not_get_ready_can_cancel() {
    let backend = FakeBackend::new(|mut process| async move { process.hang().await });
    let scene = Scene::with(Size { slots: 1, waiting: 1, waiting_of_one: 1 }, backend);
    let run = scene.alone("hello");
    until(|| scene.backend.processes() == 1).await;
    scene.worker.cancel("hello", OWNER).expect("it is on its way");
    let cancelled = finished(run).await;
    assert!(cancelled.status() == Status::Cancelled && !cancelled.began());
    assert!(scene.inside().has_ended(), "and no second one was made");
    scene.end().await;
}

#[tokio::test]
async fn an_id_runs_once_at_a_time() {
    let scene = Scene::new();
    let mut first = scene.alone("hang");
    started(&mut first).await;
    let refused = scene.refused("hang", None);
    assert!(matches!(refused, Some(WorkerError::ExecutionExists)), "{refused:?}");
    scene.worker.cancel("hang", OWNER).expect("it runs");
    finished(first).await;
    let again = scene.alone("hang");
    scene.worker.cancel("hang", OWNER).expect("it runs, or waits");
    assert_eq!(finished(again).await.status(), Status::Cancelled);
    scene.end().await;
}

#[tokio::test]
async fn who_finds_no_room_is_refused_and_who_waits_too_long_is_told() {
    let scene = Scene::narrow();
    let mut running = scene.alone("hang");
    started(&mut running).await;
    let patience = Some(Duration::from_millis(5));
    let impatient = scene.worker.execute(request("impatient"), None, patience);
    let overdue = finished(impatient.unwrap_or_else(|error| panic!("{error}"))).await;
    let WorkerError::Queue(told) = overdue.error() else { panic!("{overdue:?}") };
    assert_eq!((told.bound, told.position), (Bound::Worker, 1));

    let waiting = scene.alone("waiting");
    let refused = scene.refused("more", None);
    let Some(WorkerError::Queue(told)) = refused else { panic!("{refused:?}") };
    assert_eq!(told.bound, Bound::Owner);
    scene.worker.cancel("hang", OWNER).expect("it runs");
    assert_eq!(finished(waiting).await.stdout(), "waiting", "its turn comes");
    assert_eq!(finished(running).await.status(), Status::Cancelled);
    scene.end().await;
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_at_once() {
    let scene = Scene::new();
    let refused = |request| scene.worker.execute(request, None, None).map(drop).err();
    let c = refused(Request { language: C, ..request("x") });
    assert!(matches!(c, Some(WorkerError::LanguageUnavailable(_))), "{c:?}");
    let wall = Some(2 * LIMITS.wall);
    let limits = RequestedLimits { wall, ..RequestedLimits::default() };
    let long = refused(Request { limits, ..request("x") });
    assert!(matches!(long, Some(WorkerError::Limits(_))), "{long:?}");
    let compiler_flags = vec![String::from("-O2")];
    let flags = refused(Request { compiler_flags, ..request("x") });
    assert!(matches!(flags, Some(WorkerError::Flag(_))), "{flags:?}");
    scene.backend.set_health(Health::Stalled);
    let stalled = scene.refused("x", None);
    assert!(matches!(stalled, Some(WorkerError::Stalled)), "{stalled:?}");
    assert_eq!(scene.backend.created(), 0);
    scene.end().await;
}

#[tokio::test]
async fn a_worker_that_ends_takes_nothing_on_and_says_why_it_stops_what_runs() {
    let scene = Scene::narrow();
    let mut running = scene.alone("hang");
    started(&mut running).await;
    let waiting = scene.alone("waiting");
    scene.worker.shutdown.cancel();
    for run in [running, waiting] {
        let stopped = finished(run).await;
        assert!(matches!(stopped.error(), WorkerError::ShuttingDown), "{stopped:?}");
    }
    let refused = scene.refused("more", None);
    assert!(matches!(refused, Some(WorkerError::ShuttingDown)), "{refused:?}");
    scene.end().await;
}
