//! Sessions that are paused, and what ends that.

use super::*;
use crate::session::SessionError;

impl Scene {
    async fn pause(&self) -> Result<(), WorkerError> {
        self.worker.pause_session("s", OWNER).await.map(drop)
    }

    async fn paused_session(&self, auto_resume: bool) -> Arc<Session> {
        let new = NewSession { auto_resume, ..new_session("s", Some(PYTHON)) };
        let session = self.begin(new).await;
        self.pause().await.unwrap_or_else(|error| panic!("{error}"));
        assert!(self.inside().is_paused() && session.membership.is_paused());
        session
    }
}

#[tokio::test]
async fn a_paused_session_goes_on_when_it_is_used() {
    let scene = Scene::new();
    let session = scene.paused_session(true).await;
    assert!(!session.is_over(Duration::ZERO), "it is meant to do nothing");
    assert_eq!(finished(scene.in_context("", "hello")).await.stdout(), "hello");
    assert!(!scene.inside().is_paused() && !session.membership.is_paused());
    scene.pause().await.expect("nothing runs");
    scene.worker.list_files(("s", OWNER), None, 1, 9).await.expect("the workspace is there");
    assert!(!scene.inside().is_paused());
    scene.end().await;
}

#[tokio::test]
async fn one_that_is_resumed_only_by_its_owners_word_refuses_to_be_used() {
    let scene = Scene::new();
    let session = scene.paused_session(false).await;
    let refused = scene.refused("hello", Some(target("")));
    assert!(matches!(refused, Some(WorkerError::Paused)), "{refused:?}");
    let listed = scene.worker.list_files(("s", OWNER), None, 1, 9).await.map(drop);
    assert!(matches!(listed, Err(WorkerError::Paused)), "{listed:?}");
    assert!(scene.inside().is_paused());
    for _ in 0..2 {
        scene.worker.resume_session("s", OWNER).await.map(drop).expect("there is room");
        assert!(!scene.inside().is_paused() && !session.membership.is_paused());
    }
    assert_eq!(finished(scene.in_context("", "hello")).await.stdout(), "hello");
    scene.end().await;
}

#[tokio::test]
async fn a_session_in_which_a_run_goes_on_is_not_paused() {
    let scene = Scene::new();
    scene.begin_session().await;
    let mut run = scene.in_context("", "wait");
    started(&mut run).await;
    let refused = scene.pause().await;
    assert!(matches!(refused, Err(WorkerError::Busy)), "{refused:?}");
    scene.go();
    assert_eq!(finished(run).await.status(), Status::Succeeded);
    scene.pause().await.expect("nothing runs any more");
    scene.end().await;
}

#[tokio::test]
async fn a_run_that_waited_when_its_session_was_paused_resumes_it() {
    let scene = Scene::narrow();
    scene.begin_session().await;
    let mut elsewhere = scene.alone("hang");
    started(&mut elsewhere).await;
    let waiting = scene.in_context("", "hello");
    scene.pause().await.expect("nothing runs in it");
    scene.worker.cancel("hang", OWNER).expect("it runs");
    assert_eq!(finished(elsewhere).await.status(), Status::Cancelled);
    assert_eq!(finished(waiting).await.stdout(), "hello");
    scene.end().await;
}

#[tokio::test]
async fn a_pause_does_not_stop_the_time_to_live() {
    let scene = Scene::new();
    let session = scene.paused_session(true).await;
    session.deadline.move_to(Duration::ZERO);
    let expired = scene.pause().await;
    let is_so = matches!(expired, Err(WorkerError::Session(SessionError::Expired)));
    assert!(is_so, "{expired:?}");
    scene.end().await;
}
