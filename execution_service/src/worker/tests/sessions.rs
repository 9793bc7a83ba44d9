//! How sessions begin and end.

use super::*;
use crate::language::c::C;
use crate::sandbox::backend::{Excess, SandboxError};
use crate::sandbox::fake::Operation;
use crate::sandbox::workspace::{WorkspaceFile, WorkspacePath};
use crate::session::SessionError;

impl Scene {
    async fn no_session(&self, new: NewSession) -> WorkerError {
        let made = self.worker.create_session(new, RequestedLimits::default()).await;
        made.map(drop).expect_err("there is none to be had")
    }
}

#[tokio::test]
async fn a_session_without_a_language_gets_its_interpreter_when_it_is_first_used() {
    let scene = Scene::new();
    let made =
        scene.worker.create_session(new_session("s", None), RequestedLimits::default()).await;
    let session = made.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((scene.backend.living(), scene.backend.processes()), (1, 0));
    let first = finished(scene.in_context("", "hello")).await;
    assert_eq!((first.stdout().as_str(), first.outcome().state_lost), ("hello", false));
    assert_eq!(session.contexts.kernels(), 1);
    scene.end().await;
}

#[tokio::test]
async fn a_session_that_cannot_be_had_takes_no_place() {
    let scene = Scene::new();
    let missing = scene.no_session(new_session("s", Some(C))).await;
    assert!(matches!(missing, WorkerError::LanguageUnavailable(_)), "{missing:?}");
    for _ in 0..2 {
        scene.backend.fail_next(Operation::Create, SandboxError::Silent);
    }
    let stalled = scene.no_session(new_session("s", Some(PYTHON))).await;
    assert!(matches!(stalled, WorkerError::Stalled), "{stalled:?}");
    scene.begin_session().await;
    let taken = scene.no_session(new_session("s", None)).await;
    assert!(matches!(taken, WorkerError::Session(SessionError::Exists)), "{taken:?}");
    scene.worker.end_session("s", OWNER).await.expect("it is there");
    let ended = scene.worker.end_session("s", OWNER).await;
    assert!(matches!(ended, Err(WorkerError::Session(SessionError::NotFound))), "{ended:?}");
    scene.worker.shutdown.cancel();
    let late = scene.no_session(new_session("s", None)).await;
    assert!(matches!(late, WorkerError::ShuttingDown), "{late:?}");
    scene.end().await;
}

#[tokio::test]
async fn a_session_in_which_too_much_is_left_is_ended_between_two_runs() {
    let scene = Scene::new();
    scene.begin_session().await;
    let watch = tokio::spawn(Arc::clone(&scene.worker).watch(HOUR));
    finished(scene.in_context("", "leave")).await;
    scene.inside().set_excess(Some(Excess::Memory));
    until(|| scene.inside().has_ended()).await;
    watch.abort();
    let refused = scene.refused("more", Some(target("")));
    assert!(matches!(refused, Some(WorkerError::Session(SessionError::Lost))), "{refused:?}");
    drop(watch.await);
    scene.end().await;
}

#[tokio::test]
async fn both_counts_of_what_there_is_agree_at_rest() {
    let scene = Scene::new();
    scene.begin_session().await;
    finished(scene.in_context("", "hello")).await;
    finished(scene.alone("hello")).await;
    until(|| scene.backend.living() == 1 && scene.backend.processes() == 1).await;
    until(|| scene.worker.lock_running().is_empty()).await;
    let inventory = scene.worker.inventory().await.unwrap_or_else(|error| panic!("{error}"));
    for kind in ["sandboxes", "zygotes", "processes"] {
        let item = inventory.items.iter().find(|item| item.kind == kind).expect("it is counted");
        assert!(item.kernel.is_some() && !item.differs(), "{item:?}");
    }
    scene.end().await;
}

#[tokio::test]
async fn a_session_begins_with_its_files_or_not_at_all() {
    let scene = Scene::new();
    let path = WorkspacePath::parse("data/in.csv").expect("a path");
    let files = vec![WorkspaceFile { path, content: b"1,2".to_vec() }];
    let new = NewSession { files, ..new_session("s", None) };
    let full = SandboxError::Write {
        path: String::from("data/in.csv"),
        source: std::io::Error::from_raw_os_error(28),
    };
    scene.backend.fail_next(Operation::Write, full);
    let refused = scene.worker.create_session(new.clone(), RequestedLimits::default()).await;
    let refused = refused.map(drop);
    assert!(matches!(&refused, Err(WorkerError::NotWritten(path, _)) if path == "data/in.csv"));
    until(|| scene.backend.living() == 0).await;
    scene.begin(new).await;
    let file = scene.backend.sandbox(1).file(Root::Workspace, "data/in.csv");
    assert_eq!(file.map(|(content, _)| content), Some(b"1,2".to_vec()));
    scene.end().await;
}
