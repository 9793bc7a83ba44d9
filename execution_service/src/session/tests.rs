//! A session as a whole: when it is busy, and how it ends.

use super::*;
use crate::execution::sample::{LIMITS, toolchains};
use crate::execution::sharing::What;
use crate::language::python::PYTHON;
use crate::owners::Owners;
use crate::sandbox::backend::{Excess, SandboxBackend};
use crate::sandbox::fake::{FakeBackend, until};
use crate::sandbox::spec::SandboxSpec;

pub(super) const RUN: What = What::Run { cpu: LIMITS.cpu, sandbox: LIMITS.sandbox };

/// An empty sandbox for a session.
pub(super) async fn sandbox(backend: &FakeBackend) -> Arc<dyn Sandbox> {
    let made = backend.create(&SandboxSpec::closed(LIMITS.sandbox)).await;
    Arc::from(made.expect("a sandbox"))
}

/// A session without contexts.
pub(super) async fn session(
    backend: &FakeBackend,
    id: &str,
    owner: &str,
    ttl: Duration,
) -> Session {
    let new = NewSession {
        id: String::from(id),
        owner: String::from(owner),
        language: None,
        env: BTreeMap::new(),
        ttl,
        idle: None,
        auto_resume: true,
        network: None,
        files: Vec::new(),
    };
    let room = Owners::roomy().promise(owner, LIMITS.sandbox).expect("room");
    Session::begin(new, LIMITS, (sandbox(backend).await, toolchains(&[], &[])), None, None, room)
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn work_is_not_idleness_but_does_not_move_the_deadline() {
    let backend = FakeBackend::of_kernels();
    let idle = session(&backend, "s", "ann", HOUR).await;
    assert!(!idle.is_busy() && idle.is_over(Duration::ZERO) && !idle.is_over(HOUR));
    let run = idle.activity.begin(RUN);
    assert!(idle.is_busy() && !idle.is_over(Duration::ZERO));
    idle.deadline.move_to(Duration::ZERO);
    assert!(idle.is_over(HOUR), "its time has run out");
    idle.deadline.move_to(HOUR);
    drop(run);
    let command = idle.activity.begin(What::Command);
    assert!(!idle.is_over(Duration::ZERO), "somebody waits for it");
    command.abandon();
    assert!(idle.is_over(Duration::ZERO), "nobody does any more");
}

#[tokio::test]
async fn what_is_left_in_it_is_looked_at_only_while_nobody_else_looks() {
    let backend = FakeBackend::of_kernels();
    let session = session(&backend, "s", "ann", HOUR).await;
    assert!(!session.hoards().await);
    backend.sandbox(0).set_excess(Some(Excess::Memory));
    assert!(session.hoards().await);
    let run = session.activity.begin(RUN);
    assert!(!session.hoards().await, "the run is stopped for it, and the session stays");
    drop(run);
    assert!(session.hoards().await);
}

#[tokio::test]
async fn its_end_waits_for_what_runs_and_is_the_end_of_the_sandbox() {
    let backend = FakeBackend::of_kernels();
    let session = Arc::new(session(&backend, "s", "ann", HOUR).await);
    let made = session.contexts.find("", PYTHON, &session.sandbox).expect("a context");
    let running = Arc::clone(&made.runner).lock_owned().await;
    let ending = tokio::spawn({
        let session = Arc::clone(&session);
        async move { session.end(Cause::SessionDeleted).await }
    });
    session.ended.cancelled().await;
    tokio::task::yield_now().await;
    assert!(!ending.is_finished() && !backend.sandbox(0).has_ended(), "the run has its last word");
    drop(running);
    ending.await.expect("it ends");
    assert!(backend.sandbox(0).has_ended());
    session.end(Cause::SessionDeleted).await;
    until(|| backend.processes() == 0).await;
    backend.assert_all_is_ended();
}
