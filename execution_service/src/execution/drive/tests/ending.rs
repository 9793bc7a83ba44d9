//! How a program ends by itself: its process, its kernel's word, its channel.

use super::*;

#[tokio::test]
async fn an_exit_is_told_as_it_was_and_what_a_signal_ended_has_left_something_to_kill() {
    for (exit, kills) in [
        (Exit::Code(0), false),
        (Exit::Code(3), false),
        (Exit::Signal(11), true),
        (Exit::Signal(9), true),
    ] {
        for case in [Case::command(), Case::once(), Case::session()] {
            let seen = follow(case, move |mut process| async move {
                process.next_line().await;
                exit
            });
            let Driven { ending, alive, to_kill, diagnostic, .. } = seen.await.driven;
            assert_eq!((ending, alive), (Ending::Exited(exit), false));
            assert_eq!((to_kill.is_some(), diagnostic), (kills, None), "{exit:?}");
        }
    }
}

#[tokio::test]
async fn what_is_said_in_the_name_of_another_run_counts_for_nothing() {
    for case in [Case::once(), Case::session()] {
        let seen = follow(case, |mut process| async move {
            process.next_run().await;
            process.ready().await;
            process.show(OTHER, "theirs").await;
            fail(&mut process, OTHER, "TheirError").await;
            process.exiting(OTHER, 9).await;
            process.say(r#"{"event":"done","exit_code":8}"#).await;
            process.show(RUN, "ours").await;
            process.done(RUN, 0).await;
            Exit::Code(0)
        })
        .await;
        assert_eq!(seen.results(), ["ours"]);
        assert_eq!(seen.driven.diagnostic, None);
        let well = [Ending::Exited(Exit::Code(0)), Ending::Finished { exit_code: 0 }];
        assert!(well.contains(&seen.driven.ending), "{:?}", seen.driven.ending);
    }
}

#[tokio::test]
async fn a_kernels_last_word_ends_a_run_alone_before_its_process_has_ended() {
    let seen = follow(Case::once(), |mut process| async move {
        process.next_run().await;
        process.print("bye");
        fail(&mut process, RUN, "SystemExit").await;
        process.exiting(RUN, 4).await;
        process.hang().await
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Exited(Exit::Code(4)));
    assert_eq!((seen.driven.alive, seen.driven.to_kill), (false, None));
    assert_eq!(seen.whole(Stream::Stdout), "bye");
    assert_eq!(seen.driven.diagnostic.expect("it was said").name, "SystemExit");
}

#[tokio::test]
async fn in_a_session_a_run_ends_with_its_program_and_the_kernel_lives() {
    let seen = follow(Case::session(), |mut process| async move {
        process.next_run().await;
        process.print("before");
        // A thread's own: the session goes on.
        process.exiting(RUN, 4).await;
        fail(&mut process, RUN, "ValueError").await;
        process.hang().await
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Finished { exit_code: 1 });
    assert_eq!((seen.driven.alive, seen.driven.to_kill), (true, None));
    assert_eq!(seen.whole(Stream::Stdout), "before", "written before it said so");
    assert_eq!(seen.driven.diagnostic.expect("it was said").name, "ValueError");
}

#[tokio::test]
async fn alone_a_run_goes_on_after_its_main_program_until_the_process_has_ended() {
    let seen = follow(Case::once(), |mut process| async move {
        process.next_run().await;
        process.done(RUN, 0).await;
        tokio::task::yield_now().await;
        process.print("from atexit");
        Exit::Code(5)
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Exited(Exit::Code(5)));
    assert_eq!(seen.whole(Stream::Stdout), "from atexit");
}

#[tokio::test]
async fn a_kernel_that_has_closed_its_ears_is_taken_for_dead() {
    let seen = follow(Case::long(), |mut process| async move {
        process.hang_up();
        process.hang().await
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Exited(Exit::Signal(SIGKILL)));
    assert!(!seen.driven.alive && seen.driven.to_kill.is_some());

    let seen = follow(Case::long(), |mut process| async move {
        process.print("last words");
        process.hang_up();
        Exit::Code(5)
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Exited(Exit::Code(5)), "one that is has its status");
    assert_eq!(seen.whole(Stream::Stdout), "last words");
}

#[tokio::test]
async fn a_kernel_that_speaks_no_more_may_go_on() {
    for case in [Case::once(), Case::session()] {
        let seen = follow(case, |mut process| async move {
            process.next_run().await;
            process.hang_up();
            tokio::task::yield_now().await;
            process.print("all the same");
            Exit::Code(2)
        })
        .await;
        assert_eq!(seen.driven.ending, Ending::Exited(Exit::Code(2)));
        assert_eq!(seen.whole(Stream::Stdout), "all the same");
    }
}

#[tokio::test]
async fn a_flood_that_is_no_frame_ends_the_channel_and_not_the_run() {
    let seen = follow(Case::once(), |mut process| async move {
        process.next_run().await;
        for _ in 0..1100 {
            process.say("no frame").await;
        }
        process.exiting(RUN, 9).await;
        Exit::Code(0)
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Exited(Exit::Code(0)));
}

#[tokio::test]
async fn what_a_kernel_said_before_its_end_is_heard_after_it() {
    let seen = follow(Case::once(), |mut process| async move {
        process.next_run().await;
        process.show(RUN, "shown").await;
        fail(&mut process, OTHER, "TheirError").await;
        fail(&mut process, RUN, "ValueError").await;
        Exit::Code(1)
    })
    .await;
    assert_eq!(seen.driven.ending, Ending::Exited(Exit::Code(1)));
    assert_eq!(seen.results(), ["shown"]);
    assert_eq!(seen.driven.diagnostic.expect("it was said").name, "ValueError");
}
