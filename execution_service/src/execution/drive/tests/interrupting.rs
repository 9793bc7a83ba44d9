//! What becomes of a program that is interrupted.

use super::*;

/// Somebody has interrupted the run before it began.
fn interrupted(case: Case) -> Case {
    let handle = Handle::new(case.cancelled.clone());
    handle.interrupt();
    Case { handle: Some(handle), ..case }
}

#[tokio::test]
async fn an_interrupted_program_that_stops_has_failed_by_itself() {
    let seen = follow(interrupted(Case::session()), |mut process| async move {
        process.next_run().await;
        assert_eq!(process.signalled().await, Signal::Interrupt);
        let diagnostic = json!({ "kind": "exception", "name": "KeyboardInterrupt", "message": "" });
        let done =
            json!({ "event": "done", "id": RUN, "exit_code": 130, "diagnostic": diagnostic });
        process.say(&done.to_string()).await;
        process.hang().await
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Finished { exit_code: 130 });
    assert_eq!((seen.driven.alive, seen.driven.to_kill), (true, None), "its state is kept");
    assert_eq!(seen.driven.diagnostic.expect("it was said").name, "KeyboardInterrupt");
}

#[tokio::test]
async fn a_program_without_a_kernel_is_interrupted_too_and_may_end_as_it_likes() {
    let seen = follow(interrupted(Case::command()), |mut process| async move {
        assert_eq!(process.signalled().await, Signal::Interrupt);
        process.print("bye");
        Exit::Code(3)
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Exited(Exit::Code(3)));
    assert_eq!((seen.whole(Stream::Stdout), seen.signals.len()), (String::from("bye"), 1));
}

#[tokio::test]
async fn who_does_not_hear_the_first_time_is_interrupted_again_and_then_stopped() {
    let seen = follow(interrupted(Case::session()), |mut process| async move {
        process.next_run().await;
        process.signalled().await;
        process.signalled().await;
        process.done(RUN, 0).await;
        process.hang().await
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Finished { exit_code: 0 }, "it was dropped once");
    assert_eq!(seen.signals, [Signal::Interrupt; 2]);

    let seen = follow(interrupted(Case::session()), |mut process| async move {
        process.print("so far");
        process.hang().await
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Stopped(Stop::Interrupted));
    assert!(!seen.driven.alive && seen.driven.to_kill.is_some());
    assert!(seen.signals.len() >= 2 && seen.signals.iter().all(|it| *it == Signal::Interrupt));
    assert_eq!(seen.whole(Stream::Stdout), "so far");
}

#[tokio::test]
async fn an_interrupted_program_is_held_to_its_limits_and_can_be_cancelled() {
    let much = |mut process: FakeProcess| async move {
        process.signalled().await;
        process.print("y".repeat(1001));
        process.hang().await
    };
    let case = Case { hard_output: 1000, ..interrupted(Case::session()) };
    assert_eq!(follow(case, much).await.driven.ending, Ending::Stopped(Stop::Output));

    let case = interrupted(Case::session());
    let cancelled = case.cancelled.clone();
    let seen = follow(case, move |mut process| {
        let cancelled = cancelled.clone();
        async move {
            process.signalled().await;
            cancelled.cancel();
            process.hang().await
        }
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Stopped(Stop::Cancelled));
}
