//! Who is stopped, how, and what is left then.

use super::*;

#[tokio::test]
async fn out_of_time_a_kernel_is_asked_to_stop_and_may_say_where_it_was() {
    let seen = follow(Case::session().wall(5), |mut process| async move {
        process.next_run().await;
        assert_eq!(process.signalled().await, Signal::Interrupt);
        process.complain("here");
        fail(&mut process, RUN, "KeyboardInterrupt").await;
        process.hang().await
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Stopped(Stop::Wall));
    assert_eq!((seen.driven.alive, seen.driven.to_kill), (true, None), "its state is kept");
    assert_eq!(seen.signals, [Signal::Interrupt], "and nothing worse");
    assert_eq!(seen.whole(Stream::Stderr), "here");
    assert_eq!(seen.driven.diagnostic.expect("it was said").name, "KeyboardInterrupt");
}

#[tokio::test]
async fn who_does_not_stop_when_asked_is_stopped() {
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let wish = || Case { cancelled: cancelled.clone(), ..Case::session() };
    for (case, stop, asked) in [
        (Case::session().wall(5), Stop::Wall, 1),
        (Case::once().wall(5), Stop::Wall, 1),
        (Case::command().wall(5), Stop::Wall, 0),
        (wish(), Stop::Cancelled, 1),
        (Case { kernel: None, in_session: false, ..wish() }, Stop::Cancelled, 0),
        // It has only this long for its last words, whatever its time would have been.
        (Case { cancelled: cancelled.clone(), ..Case::once() }, Stop::Cancelled, 1),
    ] {
        let seen = follow(case, |mut process| async move {
            process.print("so far");
            process.hang().await
        })
        .await;
        assert_eq!(seen.driven.ending, Ending::Stopped(stop));
        assert!(!seen.driven.alive && seen.driven.to_kill.is_some(), "{stop:?}");
        assert_eq!(seen.signals, vec![Signal::Interrupt; asked], "a program is not asked");
        assert_eq!(seen.whole(Stream::Stdout), "so far");
    }
}

#[tokio::test]
async fn a_program_that_ends_when_asked_to_was_stopped_all_the_same() {
    let seen = follow(Case::once().wall(5), |mut process| async move {
        process.signalled().await;
        process.exiting(RUN, 0).await;
        Exit::Code(0)
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Stopped(Stop::Wall));
}

#[tokio::test]
async fn who_writes_without_end_is_stopped_without_being_asked() {
    for case in [Case::once(), Case::session(), Case::command()] {
        let seen = follow(Case { hard_output: 1000, ..case }, |mut process| async move {
            process.complain("y".repeat(1001));
            process.hang().await
        })
        .await;
        assert_eq!(seen.driven.ending, Ending::Stopped(Stop::Output));
        assert!(!seen.driven.alive && seen.driven.to_kill.is_some());
        assert_eq!(seen.signals, []);
        assert_eq!(seen.driven.stderr.bytes, 1001);
    }
    let seen = follow(Case { hard_output: 1000, ..Case::command() }, |process| async move {
        process.print("y".repeat(1000));
        Exit::Code(0)
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Exited(Exit::Code(0)), "so much is allowed");
}

#[tokio::test]
async fn a_kernel_that_does_not_listen_has_no_more_time_than_another() {
    let deaf = |mut process: FakeProcess| async move { process.hang().await };
    let seen = follow(Case::long().wall(5), deaf).await;
    assert_eq!(seen.driven.ending, Ending::Stopped(Stop::Wall));
    assert!(seen.driven.to_kill.is_some());
}

#[tokio::test]
async fn who_uses_too_much_is_asked_to_stop_unless_it_may_have_been_another() {
    let spend = |mut process: FakeProcess| async move {
        process.next_run().await;
        let usage = Usage { cpu: 2 * LIMITS.cpu, whole: true, ..Usage::default() };
        process.inside.set_usage(usage);
        process.signalled().await;
        process.done(RUN, 0).await;
        process.hang().await
    };
    let seen = follow(Case::session(), spend).await;
    assert_eq!(seen.driven.ending, Ending::Stopped(Stop::Cpu));
    assert!(seen.driven.alive);
    let seen = follow(Case { shared: true, ..Case::session() }.wall(250), spend).await;
    assert_eq!(seen.driven.ending, Ending::Stopped(Stop::Wall), "whose time it was is not known");

    let seen = follow(Case::session(), |mut process| async move {
        process.inside.set_excess(Some(Excess::Locks));
        process.hang().await
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Stopped(Stop::Locks));
}

#[tokio::test]
async fn a_sandbox_that_a_program_breaks_is_its_end_and_an_account_that_breaks_is_our_error() {
    let seen = follow(Case::once(), |mut process| async move {
        process.print("watch this");
        process.inside.die();
        process.hang().await
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Exited(Exit::Signal(SIGKILL)));
    assert_eq!(seen.whole(Stream::Stdout), "watch this");

    let backend = FakeBackend::new(|mut process| async move { process.hang().await });
    backend.fail_next(Operation::Usage, SandboxError::Silent);
    let failed = attempt_in(&backend, Case::once()).await.map(|seen| seen.driven.ending);
    assert!(matches!(failed, Err(SandboxError::Silent)), "{failed:?}");
}
