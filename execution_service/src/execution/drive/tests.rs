//! What a program and its kernel may do, and what is then seen of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::execution::limits::Limits;
use crate::execution::outcome::Accounting;
use crate::execution::sample::LIMITS;
use crate::execution::sharing::{Activity, What};
use crate::sandbox::backend::{Control, Excess, SandboxBackend};
use crate::sandbox::fake::{FakeBackend, FakeProcess, Operation};
use crate::sandbox::spec::{Command, ControlChannel, SandboxSpec, Stdin, Usage};

/// The run that is driven.
const RUN: u64 = 7;
/// Another one, of which somebody still speaks.
const OTHER: u64 = 8;

/// How it is driven.
struct Case {
    /// Absent for a command, which has no kernel.
    kernel: Option<String>,
    in_session: bool,
    limits: Limits,
    hard_output: u64,
    cancelled: CancellationToken,
    /// Something else goes on in the sandbox.
    shared: bool,
}

impl Case {
    /// A kernel, told to run something.
    fn once() -> Self {
        Self {
            kernel: Some(format!("once {RUN}")),
            in_session: false,
            limits: LIMITS,
            hard_output: 1 << 30,
            cancelled: CancellationToken::new(),
            shared: false,
        }
    }

    fn session() -> Self {
        Self { in_session: true, kernel: Some(format!("session {RUN}")), ..Self::once() }
    }

    fn command() -> Self {
        Self { kernel: None, ..Self::once() }
    }

    /// Of which the kernel is told more than fits into its pipe.
    fn long() -> Self {
        Self { kernel: Some(format!("once {RUN}{}", " ".repeat(200 << 10))), ..Self::once() }
    }

    fn wall(self, milliseconds: u64) -> Self {
        let wall = Duration::from_millis(milliseconds);
        Self { limits: Limits { wall, ..self.limits }, ..self }
    }
}

/// What was seen and said.
struct Seen {
    driven: Driven,
    events: Vec<Event>,
    signals: Vec<Signal>,
}

impl Seen {
    /// The pieces of a stream, each with its offset.
    fn pieces(&self, wanted: Stream) -> Vec<(u64, &[u8])> {
        let pieces = self.events.iter().filter_map(|event| match event {
            Event::Output { stream, offset, data } if *stream == wanted => {
                Some((*offset, &data[..]))
            }
            Event::Output { .. } | Event::Started | Event::Result(_) | Event::Outcome(_) => None,
        });
        pieces.collect()
    }

    /// A stream of which nothing was left out.
    fn whole(&self, stream: Stream) -> String {
        let mut whole = Vec::new();
        for (offset, data) in self.pieces(stream) {
            assert_eq!(offset, whole.len() as u64, "{stream:?} has a hole");
            whole.extend_from_slice(data);
        }
        String::from_utf8(whole).expect("text")
    }

    /// The texts of the results.
    fn results(&self) -> Vec<&str> {
        let results = self.events.iter().filter_map(|event| match event {
            Event::Result(result) => result.mime.get("text/plain").map(String::as_str),
            Event::Output { .. } | Event::Started | Event::Outcome(_) => None,
        });
        results.collect()
    }
}

async fn attempt<F, R>(case: Case, script: F) -> Result<Seen, SandboxError>
where
    F: Fn(FakeProcess) -> R + Send + Sync + 'static,
    R: Future<Output = Exit> + Send + 'static,
{
    let backend = FakeBackend::new(script);
    attempt_in(&backend, case).await
}

async fn attempt_in(backend: &Arc<FakeBackend>, case: Case) -> Result<Seen, SandboxError> {
    let sandbox = backend.create(&SandboxSpec::closed(LIMITS.sandbox)).await?;
    let control = match case.kernel {
        Some(_) => ControlChannel::Pipes,
        None => ControlChannel::None,
    };
    let command = Command {
        program: String::from("/bin/fake"),
        args: Vec::new(),
        env: BTreeMap::new(),
        working_directory: String::from("/"),
        stdin: Stdin::Null,
        control,
    };
    let mut process = sandbox.start(command).await?;
    let mut channel =
        process.control.take().map(|Control { reader, writer }| (Frames::new(reader), writer));
    let (kernel, telling) = match (&mut channel, case.kernel) {
        (Some((frames, writer)), Some(line)) => {
            (Some((frames, RUN)), Some(Telling::new(writer.as_mut(), line)))
        }
        (None, _) | (_, None) => (None, None),
    };
    let activity = Activity::default();
    let _other = case.shared.then(|| activity.begin(What::Command));
    let share = activity.begin(What::Run { cpu: case.limits.cpu, sandbox: case.limits.sandbox });
    let rules = Rules {
        limits: &case.limits,
        hard_output: case.hard_output,
        accounting: Accounting::Enforced,
        before: Usage::default(),
        share: &share,
        cancelled: &case.cancelled,
    };
    let running =
        Running { process: &mut process, kernel, telling, ends_with_done: case.in_session };
    let (sink, mut said) = Sink::new();
    let mut recording = Recording::new(None, "run", "ann");
    let driven = drive(sandbox.as_ref(), running, rules, &sink, &mut recording).await;
    drop(sink);
    let mut events = Vec::new();
    while let Some(event) = said.recv().await {
        events.push(event);
    }
    let signals = backend.sandbox(0).signals().into_iter().map(|(_, signal)| signal).collect();
    sandbox.end().await;
    backend.assert_all_is_ended();
    Ok(Seen { driven: driven?, events, signals })
}

async fn follow<F, R>(case: Case, script: F) -> Seen
where
    F: Fn(FakeProcess) -> R + Send + Sync + 'static,
    R: Future<Output = Exit> + Send + 'static,
{
    attempt(case, script).await.expect("the sandbox is well")
}

/// Says that the run `id` has failed.
async fn fail(process: &mut FakeProcess, id: u64, name: &str) {
    let diagnostic = json!({ "kind": "exception", "name": name, "message": "no" });
    let done = json!({ "event": "done", "id": id, "exit_code": 1, "diagnostic": diagnostic });
    process.say(&done.to_string()).await;
}

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
async fn both_streams_come_whole_and_in_order() {
    let seen = follow(Case::command(), |process| async move {
        for part in ["one ", "two ", "three"] {
            process.print(part);
            process.complain(part.to_uppercase());
            tokio::task::yield_now().await;
        }
        Exit::Code(0)
    })
    .await;
    assert_eq!(seen.whole(Stream::Stdout), "one two three");
    assert_eq!(seen.whole(Stream::Stderr), "ONE TWO THREE");
    for totals in [seen.driven.stdout, seen.driven.stderr] {
        assert_eq!(totals, StreamTotals { bytes: 13, truncated: false, stored: None });
    }
}

#[tokio::test]
async fn of_a_stream_that_is_too_long_the_head_comes_and_the_tail_with_its_offset() {
    let limits = Limits { output_bytes: 8, ..LIMITS };
    let seen = follow(Case { limits, ..Case::command() }, |process| async move {
        process.print("abcdefghijklmnopqrstuvwxyz");
        process.complain("short");
        Exit::Code(0)
    })
    .await;
    assert_eq!(seen.pieces(Stream::Stdout), [(0, &b"abcdef"[..]), (24, b"yz")]);
    assert_eq!(seen.driven.stdout, StreamTotals { bytes: 26, truncated: true, stored: None });
    assert_eq!(seen.whole(Stream::Stderr), "short");
    assert!(!seen.driven.stderr.truncated);
}

#[tokio::test]
async fn no_more_results_are_shown_than_an_answer_has_room_for() {
    let seen = follow(Case::session(), |mut process| async move {
        for number in 0..MAX_RESULTS + 44 {
            process.show(RUN, &number.to_string()).await;
        }
        process.done(RUN, 0).await;
        process.hang().await
    })
    .await;
    assert_eq!(seen.results().len(), MAX_RESULTS);
    assert_eq!(seen.results().last(), Some(&"255"), "the first ones");
    assert_eq!(seen.driven.results_omitted, 44);
}

#[tokio::test]
async fn a_result_for_which_there_is_no_room_is_left_out_and_a_smaller_one_is_not() {
    let seen = follow(Case::session(), |mut process| async move {
        let large = "x".repeat(MAX_RESULT_BYTES / 5 * 2);
        // The third is read and left out, the fourth is not even read.
        for _ in 0..4 {
            process.show(RUN, &large).await;
        }
        process.show(RUN, "small").await;
        process.done(RUN, 0).await;
        process.hang().await
    })
    .await;
    let lengths: Vec<usize> = seen.results().iter().map(|text| text.len()).collect();
    assert_eq!(lengths, [MAX_RESULT_BYTES / 5 * 2, MAX_RESULT_BYTES / 5 * 2, 5]);
    assert_eq!(seen.driven.results_omitted, 2);
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
