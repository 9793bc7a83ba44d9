//! Places, owners, and what is remembered of sessions that are gone.

use super::*;
use crate::sandbox::fake::{FakeBackend, until};
use crate::session::tests::session;

const HOUR: Duration = Duration::from_secs(3600);
const RULES: SessionRules = SessionRules { max: 3, max_per_owner: 2, idle: HOUR };

/// What `get` says of a session.
fn state(registry: &Registry, id: &str, owner: &str) -> Result<(), SessionError> {
    registry.get(id, owner).map(drop)
}

/// Puts a session into a place of its own.
async fn begin(registry: &Registry, backend: &FakeBackend, id: &str, owner: &str) -> Arc<Session> {
    let promise = registry.promise(id, owner);
    let promise = promise.unwrap_or_else(|error| panic!("{id} of {owner}: {error}"));
    promise.keep(session(backend, id, owner, HOUR).await)
}

fn refused(promise: Result<Promise<'_>, SessionError>) -> Option<SessionError> {
    promise.map(drop).err()
}

#[tokio::test]
async fn a_promise_is_a_place_until_it_is_kept_or_given_up() {
    let backend = FakeBackend::of_kernels();
    let registry = Registry::new(RULES);
    let first = registry.promise("a", "ann").expect("room");
    let second = registry.promise("b", "ann").expect("room");
    assert_eq!(registry.count(), 0);
    assert_eq!(refused(registry.promise("c", "ann")), Some(SessionError::TooMany(2)));
    drop(second);
    let kept = first.keep(session(&backend, "a", "ann", HOUR).await);
    assert_eq!(registry.count(), 1);
    assert!(Arc::ptr_eq(&kept, &registry.get("a", "ann").expect("it is there")));
    let third = registry.promise("c", "ann").expect("one lives, one was given up");
    assert_eq!(refused(registry.promise("d", "ann")), Some(SessionError::TooMany(2)));
    drop(third);
    begin(&registry, &backend, "b", "ann").await;
    assert_eq!(refused(registry.promise("d", "ann")), Some(SessionError::TooMany(2)));
    begin(&registry, &backend, "c", "bob").await;
    assert_eq!(refused(registry.promise("d", "bob")), Some(SessionError::Full));
    assert_eq!(refused(registry.promise("d", "cid")), Some(SessionError::Full));
    registry.end_all().await;
}

#[tokio::test]
async fn an_id_is_taken_from_its_promise_on() {
    let backend = FakeBackend::of_kernels();
    let registry = Registry::new(RULES);
    let promise = registry.promise("a", "ann").expect("room");
    for owner in ["ann", "bob"] {
        assert_eq!(refused(registry.promise("a", owner)), Some(SessionError::Exists), "{owner}");
    }
    promise.keep(session(&backend, "a", "ann", HOUR).await);
    for owner in ["ann", "bob"] {
        assert_eq!(refused(registry.promise("a", owner)), Some(SessionError::Exists), "{owner}");
    }
    registry.remove("a", "ann").expect("it is there").end(Cause::SessionDeleted).await;
    drop(registry.promise("a", "bob").expect("it is free again"));
    assert!(registry.promise("a", "bob").is_ok(), "and again");
}

#[tokio::test]
async fn what_is_somebody_elses_does_not_exist() {
    let backend = FakeBackend::of_kernels();
    let registry = Registry::new(RULES);
    let first = begin(&registry, &backend, "a", "ann").await;
    begin(&registry, &backend, "b", "ann").await;
    begin(&registry, &backend, "c", "bob").await;
    assert_eq!(state(&registry, "a", "bob"), Err(SessionError::NotFound));
    assert_eq!(registry.remove("a", "bob").map(drop), Err(SessionError::NotFound));
    assert_eq!(state(&registry, "a", "ann"), Ok(()));
    let ids =
        |owner| registry.of(owner).iter().map(|session| session.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids("ann"), ["a", "b"], "oldest first");
    assert_eq!((ids("bob"), ids("cid")), (vec![String::from("c")], Vec::new()));

    assert!(registry.lose(&first) && !registry.lose(&first), "one is told to end it");
    assert_eq!(state(&registry, "a", "ann"), Err(SessionError::Lost));
    assert_eq!(state(&registry, "a", "bob"), Err(SessionError::NotFound), "it never did");
    registry.end_all().await;
    assert_eq!(registry.count(), 0);
}

#[tokio::test]
async fn what_was_ended_is_forgotten_and_makes_room() {
    let backend = FakeBackend::of_kernels();
    let registry = Registry::new(SessionRules { max: 1, ..RULES });
    begin(&registry, &backend, "a", "ann").await;
    let removed = registry.remove("a", "ann").expect("it is there");
    assert_eq!(state(&registry, "a", "ann"), Err(SessionError::NotFound));
    assert_eq!(registry.remove("a", "ann").map(drop), Err(SessionError::NotFound));
    assert_eq!(backend.living(), 1, "to end it is for whoever has it now");
    removed.end(Cause::SessionDeleted).await;
    begin(&registry, &backend, "b", "bob").await;
    registry.end_all().await;
    backend.assert_all_is_ended();
}

#[tokio::test]
async fn the_sweep_ends_what_has_run_out_of_time_and_nothing_else() {
    let backend = FakeBackend::of_kernels();
    let registry = Arc::new(Registry::new(RULES));
    let expired = begin(&registry, &backend, "expired", "ann").await;
    let moved = begin(&registry, &backend, "moved", "ann").await;
    let other = begin(&registry, &backend, "other", "bob").await;
    for session in [&expired, &moved] {
        session.deadline.move_to(Duration::ZERO);
    }
    moved.deadline.move_to(HOUR);
    let sweeper = tokio::spawn({
        let registry = Arc::clone(&registry);
        async move { registry.sweep().await }
    });
    until(|| backend.sandbox(0).has_ended()).await;
    until(|| registry.count() == 2).await;
    assert_eq!(state(&registry, "expired", "ann"), Err(SessionError::Expired));
    assert_eq!(state(&registry, "expired", "bob"), Err(SessionError::NotFound));
    assert_eq!(refused(registry.promise("expired", "ann")), None, "its id is free");
    assert_eq!((state(&registry, "moved", "ann"), registry.count()), (Ok(()), 2));
    assert!(!moved.ended.is_cancelled() && !other.ended.is_cancelled());
    sweeper.abort();
    registry.end_all().await;
    backend.assert_all_is_ended();
}

#[tokio::test]
async fn a_session_that_takes_its_time_to_end_does_not_keep_others_from_their_end() {
    let backend = FakeBackend::of_kernels();
    let registry = Arc::new(Registry::new(RULES));
    let slow = begin(&registry, &backend, "slow", "ann").await;
    let made = slow.contexts.find("", crate::language::python::PYTHON, &slow.sandbox);
    let context = made.expect("a context");
    let running = context.runner.lock().await;
    slow.deadline.move_to(Duration::ZERO);
    let sweeper = tokio::spawn({
        let registry = Arc::clone(&registry);
        async move { registry.sweep().await }
    });
    slow.ended.cancelled().await;
    let next = begin(&registry, &backend, "next", "ann").await;
    next.deadline.move_to(Duration::ZERO);
    until(|| backend.sandbox(1).has_ended()).await;
    assert!(!backend.sandbox(0).has_ended());
    drop(running);
    until(|| backend.living() == 0).await;
    sweeper.abort();
}

#[tokio::test]
async fn all_end_at_once_even_if_one_has_something_running() {
    let backend = FakeBackend::of_kernels();
    let registry = Registry::new(RULES);
    let sessions = [
        begin(&registry, &backend, "a", "ann").await,
        begin(&registry, &backend, "b", "ann").await,
        begin(&registry, &backend, "c", "bob").await,
    ];
    registry.end_all().await;
    backend.assert_all_is_ended();
    assert!(sessions.iter().all(|session| session.ended.is_cancelled()));
    assert_eq!(state(&registry, "a", "ann"), Err(SessionError::NotFound));
}

#[tokio::test]
async fn a_session_has_its_place_until_its_sandbox_has_ended() {
    let backend = FakeBackend::of_kernels();
    let registry = Registry::new(SessionRules { max: 2, max_per_owner: 1, ..RULES });
    let ended = begin(&registry, &backend, "a", "ann").await;
    let lost = begin(&registry, &backend, "b", "bob").await;
    registry.remove("a", "ann").expect("it is there");
    assert!(registry.lose(&lost));
    assert_eq!((registry.count(), backend.living()), (2, 2));
    assert_eq!(refused(registry.promise("c", "cid")), Some(SessionError::Full));
    assert_eq!(refused(registry.promise("c", "ann")), Some(SessionError::TooMany(1)));
    ended.end(Cause::SessionDeleted).await;
    assert_eq!(refused(registry.promise("c", "bob")), Some(SessionError::TooMany(1)));
    assert_eq!((refused(registry.promise("c", "ann")), registry.count()), (None, 1));
    registry.end_all().await;
    assert_eq!((registry.count(), backend.living()), (0, 0), "those on their way out as well");
}

#[tokio::test]
async fn the_sweep_buries_what_has_lost_its_sandbox_unless_a_run_is_about_to_see_it() {
    let backend = FakeBackend::of_kernels();
    let registry = Registry::new(RULES);
    let running = begin(&registry, &backend, "running", "ann").await;
    begin(&registry, &backend, "idle", "ann").await;
    let run = running.activity.begin(crate::session::tests::RUN);
    for index in 0..2 {
        backend.sandbox(index).die();
    }
    for id in ["running", "idle"] {
        assert_eq!(state(&registry, id, "ann"), Err(SessionError::Lost), "{id} at once");
        assert_eq!(state(&registry, id, "bob"), Err(SessionError::NotFound), "{id}");
    }
    assert!(registry.of("ann").is_empty());
    let swept = async || {
        let swept = registry.take_over();
        futures::future::join_all(
            swept.iter().map(|(session, _)| session.end(Cause::SessionExpired)),
        )
        .await;
        swept.into_iter().map(|(session, why)| (session.id.clone(), why)).collect::<Vec<_>>()
    };
    assert_eq!(swept().await, [(String::from("idle"), SessionError::Lost)]);
    assert_eq!(registry.count(), 1);
    drop(run);
    assert_eq!(swept().await, [(String::from("running"), SessionError::Lost)]);
    assert_eq!((registry.count(), state(&registry, "idle", "ann")), (0, Err(SessionError::Lost)));
}
