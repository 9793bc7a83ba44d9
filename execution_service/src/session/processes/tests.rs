//! What is known of a command while it runs and after its end, and that it needs nobody who listens.

use super::*;
use crate::execution::sharing::{Activity, What};
use crate::execution::stream::Stream;
use crate::sandbox::backend::{Sandbox, Signal};
use crate::sandbox::fake::{FakeBackend, FakeProcess, until};
use crate::sandbox::spec::{Command, ControlChannel, Exit, Stdin};
use crate::session::tests::sandbox;

const SIGKILL: i32 = 9;
const LONG: Duration = Duration::from_secs(60);
const SIZE: TerminalSize = TerminalSize { rows: 24, columns: 80 };

/// A session in which commands are started.
struct Scene {
    backend: Arc<FakeBackend>,
    sandbox: Arc<dyn Sandbox>,
    processes: Processes,
    activity: Activity,
    ended: CancellationToken,
}

impl Scene {
    async fn new<F, R>(script: F) -> Self
    where
        F: Fn(FakeProcess) -> R + Send + Sync + 'static,
        R: Future<Output = Exit> + Send + 'static,
    {
        let backend = FakeBackend::new(script);
        let sandbox = sandbox(&backend).await;
        let (processes, activity) = (Processes::default(), Activity::default());
        Self { backend, sandbox, processes, activity, ended: CancellationToken::new() }
    }

    /// Starts a command with its input open.
    async fn start(&self) -> Arc<SessionProcess> {
        self.start_with(Stdin::Pipe, b"").await
    }

    async fn start_with(&self, stdin: Stdin, input: &[u8]) -> Arc<SessionProcess> {
        let place = self.processes.reserve().expect("room");
        let process = self.process(stdin).await;
        let start = Start {
            command: vec![String::from("/bin/fake"), String::from("-v")],
            tag: String::from("it"),
            input: Vec::from(input),
            open_input: true,
        };
        let share = self.activity.begin(What::Command);
        let started = place.run(process, start, share, self.ended.clone());
        let (process, driven) = started.unwrap_or_else(|error| panic!("{error}"));
        tokio::spawn(driven);
        process
    }

    async fn process(&self, stdin: Stdin) -> Process {
        let command = Command {
            program: String::from("/bin/fake"),
            args: Vec::new(),
            env: BTreeMap::new(),
            working_directory: String::from("/"),
            stdin,
            control: ControlChannel::None,
        };
        self.sandbox.start(command).await.expect("a process")
    }

    /// Waits until no command runs any more.
    async fn is_over(&self) {
        until(|| self.processes.count() == 0 && self.backend.processes() == 0).await;
        until(|| self.processes.places() == 0).await;
        assert!(!self.activity.is_awaited());
    }
}

/// All that is said, the output of each stream in one piece.
async fn all(process: &SessionProcess) -> (String, String, End) {
    let batch = process.read(0, usize::MAX, LONG, true).await;
    assert!(batch.over, "{batch:?}");
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut end = None;
    for (expected, (number, event)) in (1..).zip(batch.events) {
        assert_eq!((number, end), (expected, None), "the end comes last");
        match event {
            ProcessEvent::Started(id) => assert_eq!((id, number), (process.id, 1)),
            ProcessEvent::Output { stream: Stream::Stdout, data, .. } => out.extend(data),
            ProcessEvent::Output { stream: Stream::Stderr, data, .. } => err.extend(data),
            ProcessEvent::Ended(how) => end = Some(how),
        }
    }
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(out), text(err), end.expect("an end"))
}

#[tokio::test]
async fn a_command_can_be_read_from_any_number_while_it_runs_and_when_it_has_ended() {
    let scene = Scene::new(|mut process| async move {
        let name = process.read_line().await.unwrap_or_default();
        process.print(format!("hello {name}"));
        process.complain("oh");
        let rest = process.read_to_end().await;
        process.print(rest);
        Exit::Code(3)
    })
    .await;
    let process = scene.start().await;
    assert_eq!(
        (&process.command[..], &*process.tag),
        (&["/bin/fake", "-v"].map(String::from)[..], "it")
    );
    assert!(Arc::ptr_eq(&process, &scene.processes.get(process.id).expect("it runs")));
    process.write(b"you\nand", false).expect("there is room");
    let first = process.read(1, 99, LONG, false).await;
    assert!(first.events[0].0 == 2 && !first.over);
    assert!(process.is_input_open() && process.end().is_none());
    process.write(b" all", true).expect("there is room");
    let closed = process.write(b"more", false);
    assert!(matches!(closed, Err(ProcessError::NoInput)), "its input has been ended");
    for _ in 0..2 {
        let (out, err, end) = all(&process).await;
        assert_eq!((&*out, &*err, end.exit), ("hello youand all", "oh", Exit::Code(3)));
        assert_eq!(end.cause, EndCause::Itself);
    }
    scene.is_over().await;
    let kept = scene.processes.get(process.id).expect("it is remembered");
    assert_eq!((kept.end().map(|end| end.exit), kept.written()), (Some(Exit::Code(3)), [16, 2]));
    assert_eq!(scene.processes.all().len(), 1);
    assert!(matches!(scene.processes.get(ProcessId(999)), Err(ProcessError::NotFound)));
}

#[tokio::test]
async fn what_was_written_before_the_end_is_there_and_the_first_input_arrives_whole() {
    let scene = Scene::new(|mut process| async move {
        let input = process.read_to_end().await;
        process.print("x".repeat(3 * log::PIECE));
        process.complain(input.len().to_string());
        Exit::Code(0)
    })
    .await;
    let process = scene.start_with(Stdin::Pipe, &vec![b'a'; 300_000]).await;
    process.write(b"", true).expect("it is open");
    let (out, err, _) = all(&process).await;
    assert_eq!((out.len(), &*err), (3 * log::PIECE, "300000"));
    scene.is_over().await;
}

#[tokio::test]
async fn nobody_needs_to_read_and_the_last_is_kept() {
    const LOUD: usize = 20 << 20;
    let scene = Scene::new(|mut process| async move {
        process.print("x".repeat(LOUD));
        process.read_line().await;
        Exit::Code(0)
    })
    .await;
    let process = scene.start().await;
    until(|| process.written()[0] == LOUD as u64).await;
    process.write(b"", true).expect("it reads");
    process.ended().await;
    let seen = process.read(0, usize::MAX, Duration::ZERO, false).await;
    assert!(seen.over && seen.events[0].0 > 1, "the first have made way");
    let ProcessEvent::Output { offset, data, .. } = &seen.events[seen.events.len() - 2].1 else {
        panic!("output before the end")
    };
    let bytes = process.written()[0];
    assert_eq!(offset + data.len() as u64, bytes, "none is missing at the end");
    scene.is_over().await;
}

#[tokio::test]
async fn input_that_is_not_read_is_refused_and_not_for_ever_waited_for() {
    let scene = Scene::new(|mut process| async move { process.hang().await }).await;
    let process = scene.start().await;
    let piece = vec![b'x'; 512 << 10];
    let mut taken = 0;
    let refused = loop {
        match process.write(&piece, false) {
            Ok(()) => taken += piece.len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, ProcessError::InputFull) && taken <= 2 << 20, "{taken}");
    assert!(process.is_input_open());
    scene.sandbox.signal(process.id, Signal::Kill).await.expect("it is told");
    scene.is_over().await;
    assert!(matches!(process.write(b"x", false), Err(ProcessError::NoInput)));
    let silent = scene.start_with(Stdin::Null, b"").await;
    assert!(matches!(silent.write(b"x", false), Err(ProcessError::NoInput)));
    assert!(matches!(silent.resize(SIZE), Err(ProcessError::NoTerminal)));
    assert!(matches!(silent.attach(0), Err(ProcessError::NoTerminal)));
    scene.sandbox.end().await;
    scene.is_over().await;
}

#[tokio::test]
async fn every_end_is_told_with_its_cause_and_leaves_nothing() {
    let hang = |mut process: FakeProcess| async move { process.hang().await };
    let scene = Scene::new(hang).await;
    let late = scene.start().await;
    late.times_out();
    scene.sandbox.signal(late.id, Signal::Kill).await.expect("it is told");
    let end = late.ended().await;
    assert_eq!((end.exit, end.cause), (Exit::Signal(SIGKILL), EndCause::TimedOut));
    scene.is_over().await;

    let process = scene.start().await;
    scene.ended.cancel();
    scene.backend.sandbox(0).die();
    let end = process.ended().await;
    assert_eq!((end.exit, end.cause), (Exit::Signal(SIGKILL), EndCause::SessionEnded));
    scene.is_over().await;

    let scene = Scene::new(hang).await;
    let place = scene.processes.reserve().expect("room");
    let share = scene.activity.begin(What::Command);
    let process = scene.process(Stdin::Null).await;
    let run = place.run(process, Start::default(), share, scene.ended.clone());
    let Ok((process, driven)) = run else { panic!("it runs") };
    assert_eq!(scene.processes.count(), 1);
    drop(driven);
    assert_eq!(process.ended().await.cause, EndCause::SessionEnded, "when the worker ends");
    assert!(scene.processes.count() == 0 && !scene.activity.is_awaited());
}

#[tokio::test]
async fn a_session_has_so_many_and_remembers_so_many() {
    let scene = Scene::new(|mut process| async move { process.hang().await }).await;
    for _ in 0..MOST - 1 {
        scene.start().await;
    }
    let last = scene.processes.reserve().expect("one more");
    assert!(matches!(scene.processes.reserve(), Err(ProcessError::TooMany)));
    drop(last);
    drop(scene.processes.reserve().expect("one that could not be started has left its place"));
    scene.start().await;
    assert!(matches!(scene.processes.reserve(), Err(ProcessError::TooMany)));
    let ids: Vec<_> = scene.processes.running().iter().map(|running| running.id).collect();
    assert!(ids.len() == MOST && ids.is_sorted(), "{ids:?}");
    scene.sandbox.signal(ids[0], Signal::Kill).await.expect("it is told");
    until(|| scene.processes.reserve().is_ok()).await;
    scene.sandbox.end().await;
    scene.is_over().await;
    assert_eq!(scene.processes.all().len(), MOST_ENDED, "the last of them");
}

#[tokio::test]
async fn a_terminal_waits_for_who_is_attached_and_for_nobody_else() {
    const LOUD: usize = 1 << 20;
    let scene = Scene::new(|mut process| async move {
        process.read_line().await;
        process.print("y".repeat(LOUD));
        process.hang().await
    })
    .await;
    let process = scene.start_with(Stdin::Terminal(SIZE), b"").await;
    let (mut viewer, keyboard, from) = process.attach(77).expect("a terminal");
    assert_eq!(from, 0, "no more than there is");
    keyboard.typed(b"go\n").expect("it reads");
    let mut seen = 0;
    while seen < 128 << 10 {
        let Frame::Output { offset, data } = viewer.next().await else { panic!("output") };
        assert_eq!(offset, seen);
        seen += data.len() as u64;
    }
    let more = timeout(Duration::from_millis(50), viewer.next()).await;
    assert!(more.is_err(), "all of the window was used");
    let read = process.written()[0];
    assert!((seen..=seen + log::PIECE as u64).contains(&read), "nor was it read: {read}");
    keyboard.acknowledge(u64::MAX);
    assert!(matches!(viewer.next().await, Frame::Output { .. }));
    // The next one takes over; without anybody it is read to its end.
    let (second, _, _) = process.attach(0).expect("a terminal");
    until(|| process.written()[0] < LOUD as u64).await;
    assert_eq!(viewer.next().await, Frame::TakenOver);
    drop((viewer, second));
    until(|| process.written()[0] == LOUD as u64).await;
    let (mut viewer, keyboard, from) = process.attach(read).expect("a terminal");
    assert!(from >= LOUD as u64 - (272 << 10) && from <= LOUD as u64 - (240 << 10), "{from}");
    scene.sandbox.signal(process.id, Signal::Kill).await.expect("it is told");
    let mut at = from;
    let end = loop {
        match viewer.next().await {
            Frame::Output { offset, data } => {
                assert_eq!(offset, at);
                at += data.len() as u64;
                keyboard.acknowledge(at);
            }
            Frame::Ended(end) => break end,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((at, end.exit), (LOUD as u64, Exit::Signal(SIGKILL)));
    assert!(matches!(keyboard.resize(SIZE), Err(ProcessError::Ended)));
    scene.is_over().await;
}

#[tokio::test]
async fn a_terminal_whose_program_reads_nothing_is_read_so_that_it_may() {
    let scene = Scene::new(|mut process| async move {
        process.print("y".repeat(1 << 20));
        process.hang().await
    })
    .await;
    let process = scene.start_with(Stdin::Terminal(SIZE), b"").await;
    let (mut viewer, keyboard, _) = process.attach(0).expect("a terminal");
    until(|| process.written()[0] > 100 << 10).await;
    assert!(process.written()[0] < 1 << 20);
    keyboard.typed(&vec![b'x'; 200 << 10]).expect("there is room");
    until(|| process.written()[0] == 1 << 20).await;
    loop {
        match viewer.next().await {
            Frame::Taken(bytes) => {
                break assert!((16 << 10..200 << 10).contains(&bytes), "{bytes}");
            }
            Frame::Output { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    scene.sandbox.end().await;
    scene.is_over().await;
}
