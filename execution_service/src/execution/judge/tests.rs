//! What is observed, and what a run is then said to have come to.

use proptest::prelude::*;

use super::*;
use crate::execution::sample::LIMITS;

const EXCEPTION: &str = "ValueError";

fn seen(ending: Ending) -> Observed {
    Observed {
        ending,
        diagnostic: None,
        usage: Usage { whole: true, ..Usage::default() },
        shared: false,
        disk_was_full: false,
        accounting: Accounting::Enforced,
    }
}

fn exit(code: i32) -> Observed {
    seen(Ending::Exited(Exit::Code(code)))
}

fn signal(number: i32) -> Observed {
    seen(Ending::Exited(Exit::Signal(number)))
}

/// An exception that nobody caught.
fn said(name: &str, message: &str, errno: Option<i32>) -> Option<Diagnostic> {
    Some(Diagnostic { line: Some(3), errno, ..Diagnostic::new(Kind::Exception, name, message) })
}

/// An exception because of a system call.
fn refused(errno: i32) -> Option<Diagnostic> {
    said(EXCEPTION, "no", Some(errno))
}

fn using(change: impl FnOnce(&mut Usage)) -> Usage {
    let mut usage = Usage { whole: true, ..Usage::default() };
    change(&mut usage);
    usage
}

/// What is expected of a diagnostic.
type Named = Option<(Kind, &'static str)>;

fn check(rows: Vec<(&str, Observed, Status, Named)>) {
    for (what, observed, status, named) in rows {
        let verdict = judge(observed, &LIMITS);
        let found = verdict.diagnostic.as_ref().map(|found| (found.kind, &*found.name));
        assert_eq!((verdict.status, found), (status, named), "{what}: {verdict:?}");
    }
}

#[test]
fn whom_we_stop_is_told_why() {
    let table = [
        (Stop::Wall, Status::TimedOut, "wall_time", None),
        (Stop::Cpu, Status::TimedOut, "cpu_time", None),
        (Stop::Memory, Status::OutOfMemory, "memory", None),
        (Stop::Output, Status::OutputLimitExceeded, "output", None),
        (Stop::Unwatched, Status::Killed, "unwatched", Some("SIGKILL")),
        (Stop::Locks, Status::Killed, "locks", Some("SIGKILL")),
        (Stop::Files, Status::Killed, "open_files", Some("SIGKILL")),
    ];
    for (stop, status, name, signal) in table {
        for shared in [false, true] {
            let diagnostic = said("KeyboardInterrupt", "", None);
            let observed = Observed { diagnostic, shared, ..seen(Ending::Stopped(stop)) };
            let verdict = judge(observed, &LIMITS);
            assert_eq!((verdict.status, verdict.exit_code), (status, None), "{stop:?}");
            assert_eq!(verdict.signal.as_deref(), signal, "{stop:?}");
            let found = verdict.diagnostic.expect("a reason");
            assert_eq!((found.kind, &*found.name), (Kind::Limit, name), "{stop:?}");
            assert_eq!(found.line, Some(3), "the language knows where it was: {stop:?}");
            assert!(found.hint.is_some(), "and we know what to do: {stop:?}");
        }
    }
}

#[test]
fn a_wish_is_no_fault() {
    let diagnostic = said("KeyboardInterrupt", "", None);
    let usage = using(|usage| (usage.oom_kills, usage.disk_full) = (1, true));
    let observed = Observed { diagnostic, usage, ..seen(Ending::Stopped(Stop::Cancelled)) };
    let verdict = judge(observed, &LIMITS);
    assert_eq!(verdict.status, Status::Cancelled);
    assert_eq!((verdict.exit_code, verdict.signal, verdict.diagnostic), (None, None, None));
}

#[test]
fn exits_and_signals_speak_for_themselves_unless_the_language_does() {
    let exception = || said(EXCEPTION, "no", None);
    let finished = |exit_code| seen(Ending::Finished { exit_code });
    check(vec![
        ("0", exit(0), Status::Succeeded, None),
        ("0 in a session", finished(0), Status::Succeeded, None),
        (
            "an exception that was caught",
            Observed { diagnostic: exception(), ..exit(0) },
            Status::Succeeded,
            None,
        ),
        ("3", exit(3), Status::Failed, Some((Kind::Exit, "ExitStatus"))),
        ("3 in a session", finished(3), Status::Failed, Some((Kind::Exit, "ExitStatus"))),
        (
            "an exception",
            Observed { diagnostic: exception(), ..exit(1) },
            Status::Failed,
            Some((Kind::Exception, EXCEPTION)),
        ),
        ("SIGSEGV", signal(11), Status::Killed, Some((Kind::Signal, "SIGSEGV"))),
        ("SIGKILL", signal(9), Status::Killed, Some((Kind::Signal, "SIGKILL"))),
        ("one without a name", signal(40), Status::Killed, Some((Kind::Signal, "SIG40"))),
        (
            "a signal after an exception",
            Observed { diagnostic: exception(), ..signal(6) },
            Status::Killed,
            Some((Kind::Exception, EXCEPTION)),
        ),
    ]);
    let verdict = judge(signal(11), &LIMITS);
    assert_eq!((verdict.exit_code, verdict.signal.as_deref()), (None, Some("SIGSEGV")));
    let verdict = judge(exit(3), &LIMITS);
    assert_eq!((verdict.exit_code, verdict.signal), (Some(3), None));
    assert!(verdict.diagnostic.is_some_and(|found| found.message.contains('3')));
}

#[test]
fn what_a_system_call_was_refused_for_is_the_reason() {
    const EPERM: i32 = 1;
    let because = |errno| Observed { diagnostic: refused(errno), ..exit(1) };
    let exception = Some((Kind::Exception, EXCEPTION));
    let limit = |name| Some((Kind::Limit, name));
    let refusals = using(|usage| usage.fork_refusals = 1);
    check(vec![
        ("ENOMEM", because(errno::ENOMEM), Status::OutOfMemory, limit("memory")),
        ("ENOSPC", because(errno::ENOSPC), Status::DiskLimitExceeded, limit("disk")),
        ("EFBIG", because(errno::EFBIG), Status::DiskLimitExceeded, limit("disk")),
        ("EDQUOT", because(errno::EDQUOT), Status::DiskLimitExceeded, limit("disk")),
        ("EMFILE", because(errno::EMFILE), Status::Failed, limit("open_files")),
        ("EPERM", because(EPERM), Status::Failed, exception),
        (
            "EAGAIN, and nothing was refused: of a socket, say",
            because(errno::EAGAIN),
            Status::Failed,
            exception,
        ),
        (
            "EAGAIN, and a fork was refused",
            Observed { usage: refusals, ..because(errno::EAGAIN) },
            Status::Failed,
            limit("processes"),
        ),
        (
            "EAGAIN where nobody counts",
            Observed { accounting: Accounting::BestEffort, ..because(errno::EAGAIN) },
            Status::Failed,
            limit("processes"),
        ),
        (
            "Python's word for it",
            Observed { diagnostic: said("MemoryError", "", None), ..exit(1) },
            Status::OutOfMemory,
            limit("memory"),
        ),
        (
            "Node's words for it",
            Observed {
                diagnostic: said("RangeError", "Array buffer allocation failed", None),
                ..exit(1)
            },
            Status::OutOfMemory,
            limit("memory"),
        ),
        (
            "another RangeError",
            Observed { diagnostic: said("RangeError", "Invalid array length", None), ..exit(1) },
            Status::Failed,
            Some((Kind::Exception, "RangeError")),
        ),
        (
            "ENOMEM, and it lived with that",
            Observed { diagnostic: refused(errno::ENOMEM), ..exit(0) },
            Status::Succeeded,
            None,
        ),
    ]);
    let found = judge(because(errno::ENOMEM), &LIMITS).diagnostic.expect("a reason");
    assert_eq!(found.line, Some(3), "the limit is told where the language says it was met");
}

#[test]
fn what_the_kernel_has_counted_is_a_reason() {
    let counted = |observed, change: fn(&mut Usage)| Observed { usage: using(change), ..observed };
    let limit = |name| Some((Kind::Limit, name));
    let killed = |name| Some((Kind::Signal, name));
    let memory = |usage: &mut Usage| {
        usage.peak_memory_bytes = LIMITS.sandbox.memory_bytes / 10 * 9;
    };
    let less = |usage: &mut Usage| {
        usage.peak_memory_bytes = LIMITS.sandbox.memory_bytes / 10 * 9 - 1;
    };
    let oom = |usage: &mut Usage| usage.oom_kills = 1;
    let full = |usage: &mut Usage| usage.disk_full = true;
    let forks = |usage: &mut Usage| usage.fork_refusals = 1;
    let before = |observed| Observed { disk_was_full: true, ..observed };
    let mut rows = vec![
        ("OOM, exit 1", counted(exit(1), oom), Status::OutOfMemory, limit("memory")),
        ("OOM, SIGKILL", counted(signal(9), oom), Status::OutOfMemory, limit("memory")),
        ("a child that it could do without", counted(exit(0), oom), Status::Succeeded, None),
        ("SIGKILL by itself", counted(signal(9), memory), Status::Killed, killed("SIGKILL")),
        ("SIGSEGV in time", counted(signal(11), less), Status::Killed, killed("SIGSEGV")),
        ("filled, exit 1", counted(exit(1), full), Status::DiskLimitExceeded, limit("disk")),
        (
            "filled, and did not notice",
            counted(exit(0), full),
            Status::DiskLimitExceeded,
            limit("disk"),
        ),
        ("was full before", before(counted(exit(0), full)), Status::Succeeded, None),
        (
            "was full before, and it failed",
            before(counted(exit(1), full)),
            Status::DiskLimitExceeded,
            limit("disk"),
        ),
        ("SIGXFSZ", signal(25), Status::DiskLimitExceeded, limit("disk")),
        ("no fork, exit 2", counted(exit(2), forks), Status::Failed, limit("processes")),
        ("no fork, and no need", counted(exit(0), forks), Status::Succeeded, None),
    ];
    for number in signals::FATAL {
        let what = "gave up for lack of memory";
        rows.push((what, counted(signal(number), memory), Status::OutOfMemory, limit("memory")));
    }
    check(rows);
    let verdict = judge(counted(signal(9), oom), &LIMITS);
    assert_eq!(verdict.signal.as_deref(), Some("SIGKILL"), "that stays to be seen");
}

#[test]
fn what_others_have_met_is_not_put_down_to_a_run_that_shared_its_sandbox_with_them() {
    let beside = |observed, change: fn(&mut Usage)| Observed {
        shared: true,
        usage: using(change),
        ..observed
    };
    let limit = |name| Some((Kind::Limit, name));
    let status = Some((Kind::Exit, "ExitStatus"));
    let because =
        |errno, change| Observed { diagnostic: refused(errno), ..beside(exit(1), change) };
    let oom = |usage: &mut Usage| usage.oom_kills = 1;
    let full = |usage: &mut Usage| usage.disk_full = true;
    let forks = |usage: &mut Usage| usage.fork_refusals = 1;
    let nothing = |_: &mut Usage| ();
    check(vec![
        ("another was killed", beside(exit(1), oom), Status::Failed, status),
        ("it was", beside(signal(9), oom), Status::OutOfMemory, limit("memory")),
        (
            "another was killed, and it fell over",
            beside(signal(11), oom),
            Status::Killed,
            Some((Kind::Signal, "SIGSEGV")),
        ),
        ("somebody filled the disk, exit 1", beside(exit(1), full), Status::Failed, status),
        ("somebody filled the disk, exit 0", beside(exit(0), full), Status::Succeeded, None),
        ("it met that", because(errno::ENOSPC, full), Status::DiskLimitExceeded, limit("disk")),
        ("somebody could not fork", beside(exit(2), forks), Status::Failed, status),
        ("it met that", because(errno::EAGAIN, forks), Status::Failed, limit("processes")),
        ("it says so", because(errno::ENOMEM, nothing), Status::OutOfMemory, limit("memory")),
    ]);
}

const STOPS: [Stop; 8] = [
    Stop::Wall,
    Stop::Cpu,
    Stop::Memory,
    Stop::Unwatched,
    Stop::Locks,
    Stop::Files,
    Stop::Output,
    Stop::Cancelled,
];

fn endings() -> impl Strategy<Value = Ending> {
    prop_oneof![
        (-2..300).prop_map(|code| Ending::Exited(Exit::Code(code))),
        (-2..80).prop_map(|number| Ending::Exited(Exit::Signal(number))),
        (-2..300).prop_map(|exit_code| Ending::Finished { exit_code }),
        Just(Ending::Finished { exit_code: 0 }),
        proptest::sample::select(&STOPS[..]).prop_map(Ending::Stopped),
    ]
}

fn diagnostics() -> impl Strategy<Value = Option<Diagnostic>> {
    let names = proptest::sample::select(&["MemoryError", "RangeError", "", "x"][..]);
    let messages = prop_oneof!["allocation failed", ".{0,8}"];
    proptest::option::of((names, messages, proptest::option::of(-1..130)).prop_map(
        |(name, message, errno)| Diagnostic {
            errno,
            ..Diagnostic::new(Kind::Exception, name, message)
        },
    ))
}

fn observations() -> impl Strategy<Value = Observed> {
    let usages = (any::<(u64, bool, bool)>(), 0_u64..3, 0_u64..3);
    let usages =
        usages.prop_map(|((peak_memory_bytes, disk_full, whole), oom_kills, fork_refusals)| {
            Usage {
                peak_memory_bytes,
                disk_full,
                whole,
                oom_kills,
                fork_refusals,
                ..Usage::default()
            }
        });
    (endings(), diagnostics(), usages, any::<[bool; 3]>()).prop_map(
        |(ending, diagnostic, usage, [shared, disk_was_full, enforced])| {
            let accounting = if enforced { Accounting::Enforced } else { Accounting::BestEffort };
            Observed { ending, diagnostic, usage, shared, disk_was_full, accounting }
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_seen_there_is_a_verdict(observed in observations()) {
        let (ending, usage) = (observed.ending, observed.usage);
        let filled = usage.disk_full && !observed.disk_was_full && !observed.shared;
        let verdict = judge(observed, &LIMITS);
        let ended_well = matches!(
            ending,
            Ending::Exited(Exit::Code(0)) | Ending::Finished { exit_code: 0 }
        );
        if ending == Ending::Stopped(Stop::Wall) {
            prop_assert_eq!(verdict.status, Status::TimedOut);
        }
        if ended_well && !filled {
            prop_assert_eq!(verdict.status, Status::Succeeded);
        }
        prop_assert_eq!(
            verdict.status == Status::Cancelled,
            ending == Ending::Stopped(Stop::Cancelled),
        );
        let fine = matches!(verdict.status, Status::Succeeded | Status::Cancelled);
        prop_assert_eq!(verdict.diagnostic.is_none(), fine, "{:?}", verdict);
        let exited = matches!(ending, Ending::Exited(Exit::Code(_)) | Ending::Finished { .. });
        prop_assert_eq!(verdict.exit_code.is_some(), exited);
        prop_assert!(verdict.signal.is_none() || !exited);
    }
}

#[test]
fn who_does_not_stop_when_interrupted_is_cancelled_and_told_why() {
    let verdict = judge(seen(Ending::Stopped(Stop::Interrupted)), &LIMITS);
    let found = verdict.diagnostic.as_ref().map(|found| (found.kind, &*found.name));
    assert_eq!((verdict.status, found), (Status::Cancelled, Some((Kind::Signal, "Interrupted"))));
    assert_eq!((verdict.exit_code, verdict.signal), (None, None));
}
