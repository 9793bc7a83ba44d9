//! Contexts that are interrupted, restarted and deleted.

use super::*;
use crate::execution::handle::Cause;
use crate::sandbox::backend::ProcessTree;
use crate::sandbox::workspace::WorkspacePath;
use crate::session::{ContextError, ContextState, SessionError};

impl Scene {
    fn interrupt(&self, context: &str) -> Result<bool, WorkerError> {
        self.worker.interrupt_contexts(("s", OWNER), context)
    }

    async fn restart(&self, context: &str) {
        let restarted = self.worker.restart_contexts(("s", OWNER), context).await;
        restarted.map(drop).unwrap_or_else(|error| panic!("{error}"));
    }

    fn state_of(&self, context: &str) -> Option<ContextState> {
        let session = self.worker.sessions.get("s", OWNER).expect("it lives");
        let contexts = session.contexts.all();
        contexts.iter().find(|other| other.id == context).map(|context| context.state())
    }
}

fn name(finished: &Finished) -> Option<&str> {
    finished.outcome().diagnostic.as_ref().map(|diagnostic| &*diagnostic.name)
}

#[tokio::test]
async fn an_interrupt_stops_one_context_and_its_state_stays() {
    let scene = Scene::new();
    scene.begin_session().await;
    scene.add_context("other").await;
    assert!(!scene.interrupt("").expect("nothing runs"));
    finished(scene.in_context("", "hello")).await;
    let kernel = scene.kernel_of("ctx_defaultpython");
    let mut run = scene.in_context("", "until interrupted");
    let mut beside = scene.in_context("other", "wait");
    started(&mut run).await;
    started(&mut beside).await;
    assert!(scene.interrupt("ctx_defaultpython").expect("it is there"));
    let run = finished(run).await;
    assert_eq!((run.status(), run.outcome().exit_code), (Status::Failed, Some(130)));
    assert!(!run.outcome().state_lost && !beside.done.is_finished());
    assert_eq!(scene.kernel_of("ctx_defaultpython"), kernel, "the same interpreter waits");
    scene.go();
    assert_eq!(finished(beside).await.status(), Status::Succeeded);
    let missing = scene.interrupt("nobody");
    assert!(matches!(missing, Err(WorkerError::Context(ContextError::NotFound))));
    let foreign = scene.worker.interrupt_contexts(("s", "bob"), "");
    assert!(matches!(foreign, Err(WorkerError::Session(SessionError::NotFound))));
    scene.end().await;
}

#[tokio::test]
async fn an_interrupt_of_a_session_is_one_of_all_its_contexts() {
    let scene = Scene::new();
    scene.begin_session().await;
    scene.add_context("other").await;
    let mut runs = [
        scene.in_context("", "until interrupted"),
        scene.accept(
            Request { id: String::from("second"), ..request("until interrupted") },
            Some(target("other")),
        ),
    ];
    for run in &mut runs {
        started(run).await;
    }
    assert!(scene.interrupt("").expect("they run"));
    for run in runs {
        assert_eq!(finished(run).await.status(), Status::Failed);
    }
    scene.end().await;
}

#[tokio::test]
async fn a_restart_ends_the_run_and_the_interpreter_and_leaves_others_alone() {
    let scene = Scene::new();
    scene.begin_session().await;
    scene.add_context("other").await;
    finished(scene.in_context("other", "hello")).await;
    let other = scene.kernel_of("other");
    let before = scene.kernel_of("ctx_defaultpython").expect("it waits");
    let mut run = scene.in_context("", "hang");
    started(&mut run).await;
    let next = scene.in_context("", "next");
    scene.restart("ctx_defaultpython").await;
    let run = finished(run).await;
    assert_eq!((run.status(), name(&run)), (Status::Cancelled, Some("ContextRestarted")));
    assert!(run.outcome().state_lost);
    let next = finished(next).await;
    assert_eq!((next.stdout().as_str(), next.outcome().state_lost), ("next", false));
    assert_ne!(scene.kernel_of("ctx_defaultpython"), Some(before));
    assert_eq!(scene.kernel_of("other"), other);
    scene.restart("").await;
    assert_eq!(scene.state_of("other"), Some(ContextState::New));
    let trees = scene.inside().killed_trees();
    let ProcessTree { root, spared, orphans, .. } = trees.last().expect("one for each kernel");
    assert!(other == Some(*root) && spared.is_empty() && !*orphans, "{trees:?}");
    scene.end().await;
}

#[tokio::test]
async fn a_deleted_context_takes_what_runs_and_what_waits_in_it_along() {
    let scene = Scene::new();
    scene.begin_session().await;
    scene.add_context("other").await;
    let mut run = scene.in_context("other", "hang");
    started(&mut run).await;
    let waiting = scene.in_context("other", "waits");
    scene.worker.delete_context(("s", OWNER), "other").await.expect("it is there");
    let run = finished(run).await;
    assert_eq!((run.status(), name(&run)), (Status::Cancelled, Some("ContextEnded")));
    let waiting = finished(waiting).await;
    let error = waiting.error();
    assert!(matches!(error, WorkerError::Context(ContextError::NotFound)), "{error:?}");
    let again = scene.worker.delete_context(("s", OWNER), "other").await;
    assert!(matches!(again, Err(WorkerError::Context(ContextError::NotFound))), "{again:?}");
    until(|| scene.inside().processes() == 1).await;
    assert_eq!(finished(scene.in_context("", "hello")).await.status(), Status::Succeeded);
    scene.end().await;
}

#[tokio::test]
async fn a_context_begins_in_a_directory_that_is_there() {
    let scene = Scene::new();
    scene.begin_session().await;
    let new = |id: &str| NewContext {
        id: String::from(id),
        language: PYTHON,
        env: BTreeMap::from([(String::from("K"), String::from("v"))]),
        directory: WorkspacePath::parse("data").ok(),
    };
    let refused = scene.worker.create_context(("s", OWNER), new("none")).await.map(drop);
    assert!(matches!(refused, Err(WorkerError::NoDirectory(_))), "{refused:?}");
    assert_eq!(scene.state_of("none"), None, "it leaves nothing");

    scene.inside().put_file(Root::Workspace, "data/x", b"", FileMode::Regular);
    let made = scene.worker.create_context(("s", OWNER), new("made")).await;
    let made = made.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(made.state(), ContextState::New);
    assert_eq!(finished(scene.in_context("made", "hello")).await.stdout(), "hello");
    assert_eq!(made.state(), ContextState::Idle);
    let runner = made.runner.lock().await;
    assert_eq!(&*runner.directory, "/home/user/data");
    drop(runner);
    scene.end().await;
}

#[tokio::test]
async fn whoever_runs_when_a_session_ends_is_told_why() {
    for (cause, end) in [(Cause::SessionDeleted, true), (Cause::SessionLost, false)] {
        let scene = Scene::new();
        let session = scene.begin_session().await;
        let mut run = scene.in_context("", "hang");
        started(&mut run).await;
        if end {
            scene.worker.end_session("s", OWNER).await.expect("it is there");
        } else {
            scene.worker.lose(&session);
        }
        let run = finished(run).await;
        assert_eq!(run.status(), Status::Cancelled);
        assert_eq!(run.outcome().diagnostic, Some(cause.diagnostic()));
        scene.end().await;
    }
}
