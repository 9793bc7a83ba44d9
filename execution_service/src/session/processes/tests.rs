//! What a follower hears of a command, and that a command does not need one.

use std::time::Duration;

use futures::StreamExt;

use super::events::{IN_FLIGHT, PIECE};
use super::*;
use crate::execution::sharing::{Activity, What};
use crate::execution::stream::Stream;
use crate::sandbox::backend::{Sandbox, Signal};
use crate::sandbox::fake::{FakeBackend, FakeProcess, until};
use crate::sandbox::spec::{Command, ControlChannel, Exit, Stdin};
use crate::session::tests::sandbox;

const SIGKILL: i32 = 9;

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
    async fn start(&self) -> Events {
        let place = self.processes.reserve().expect("room");
        let process = self.process().await;
        let command = vec![String::from("/bin/fake"), String::from("-v")];
        let share = self.activity.begin(What::Command);
        let (events, driven) = place.run(process, command, share, self.ended.clone());
        tokio::spawn(driven);
        events
    }

    async fn process(&self) -> Process {
        let command = Command {
            program: String::from("/bin/fake"),
            args: Vec::new(),
            env: BTreeMap::new(),
            working_directory: String::from("/"),
            stdin: Stdin::Pipe,
            control: ControlChannel::None,
        };
        self.sandbox.start(command).await.expect("a process")
    }

    fn only(&self) -> Arc<Running> {
        self.processes.all().pop().expect("one runs")
    }

    /// Waits until nothing of any command is left.
    async fn is_over(&self) {
        until(|| self.processes.count() == 0 && self.backend.processes() == 0).await;
        assert!(!self.activity.is_awaited());
    }
}

/// All that is said, the output of each stream in one piece.
async fn all(mut events: Events) -> (String, String, Option<Exit>) {
    let (mut out, mut err, mut exit) = (Vec::new(), Vec::new(), None);
    assert!(matches!(events.next().await, Some(ProcessEvent::Started(_))), "that comes first");
    while let Some(event) = events.next().await {
        assert_eq!(exit, None, "the end comes last");
        match event {
            ProcessEvent::Started(_) => panic!("it has started already"),
            ProcessEvent::Output { stream, offset, data } => {
                let whole = match stream {
                    Stream::Stdout => &mut out,
                    Stream::Stderr => &mut err,
                };
                assert_eq!(offset, whole.len() as u64, "{stream:?} has a hole");
                whole.extend_from_slice(&data);
            }
            ProcessEvent::Ended(end) => exit = Some(end),
        }
    }
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(out), text(err), exit)
}

#[tokio::test]
async fn a_command_is_heard_from_its_start_to_its_end() {
    let scene = Scene::new(|mut process| async move {
        let name = process.read_line().await.unwrap_or_default();
        process.print(format!("hello {name}"));
        process.complain("oh");
        let rest = process.read_to_end().await;
        process.print(rest);
        Exit::Code(3)
    })
    .await;
    let events = scene.start().await;
    let running = scene.only();
    assert_eq!(running.command, ["/bin/fake", "-v"]);
    assert!(Arc::ptr_eq(&running, &scene.processes.get(running.id).expect("it runs")));
    running.write(b"you\nand", false).await.expect("it reads");
    running.write(b" all", true).await.expect("it reads");
    let closed = running.write(b"more", false).await;
    assert!(matches!(closed, Err(ProcessError::NoInput)), "its input has been ended");
    let (out, err, exit) = all(events).await;
    assert_eq!((&*out, &*err, exit), ("hello youand all", "oh", Some(Exit::Code(3))));
    scene.is_over().await;
    assert!(matches!(scene.processes.get(running.id), Err(ProcessError::NotFound)));
}

#[tokio::test]
async fn what_was_written_before_the_end_is_heard_however_late_it_is_read() {
    let scene = Scene::new(|process| async move {
        process.print("x".repeat(3 * PIECE));
        process.complain("last words");
        Exit::Code(0)
    })
    .await;
    let place = scene.processes.reserve().expect("room");
    let mut process = scene.process().await;
    // It has ended before anybody listens.
    let end = (&mut process.exit).await.expect("it is told");
    let (sender, exit) = tokio::sync::oneshot::channel();
    sender.send(end).expect("it is waited for");
    process.exit = exit;
    let share = scene.activity.begin(What::Command);
    let (events, driven) = place.run(process, Vec::new(), share, scene.ended.clone());
    let ((), (out, err, exit)) = tokio::join!(driven, all(events));
    assert_eq!((out.len(), &*err, exit), (3 * PIECE, "last words", Some(Exit::Code(0))));
    scene.is_over().await;
}

#[tokio::test]
async fn a_follower_who_leaves_does_not_stop_a_command() {
    let scene = Scene::new(|mut process| async move {
        while let Some(line) = process.read_line().await {
            process.print(line);
        }
        process.inside.put_file(
            crate::sandbox::files::Root::Workspace,
            "done",
            b"",
            crate::sandbox::files::FileMode::Regular,
        );
        Exit::Code(0)
    })
    .await;
    let mut events = scene.start().await;
    let started = events.next().await;
    assert!(matches!(started, Some(ProcessEvent::Started(_))));
    assert!(scene.activity.is_awaited());
    drop(events);
    let running = scene.only();
    for _ in 0..2 * IN_FLIGHT {
        running.write(b"still there\n", false).await.expect("it reads on");
    }
    until(|| !scene.activity.is_awaited()).await;
    assert_eq!(scene.processes.count(), 1, "and it can still be spoken to");
    running.write(b"", true).await.expect("it reads on");
    scene.is_over().await;
    let done = scene.backend.sandbox(0).file(crate::sandbox::files::Root::Workspace, "done");
    assert!(done.is_some(), "it came to its own end");
}

#[tokio::test]
async fn every_end_is_told_and_leaves_nothing() {
    let hang = |mut process: FakeProcess| async move { process.hang().await };
    let scene = Scene::new(hang).await;
    let events = scene.start().await;
    scene.sandbox.signal(scene.only().id, Signal::Kill).await.expect("it is told");
    assert_eq!(all(events).await.2, Some(Exit::Signal(SIGKILL)));
    scene.is_over().await;

    let events = scene.start().await;
    scene.backend.sandbox(0).die();
    assert_eq!(all(events).await.2, Some(Exit::Signal(SIGKILL)), "with its sandbox");
    scene.is_over().await;

    let scene = Scene::new(hang).await;
    let place = scene.processes.reserve().expect("room");
    let share = scene.activity.begin(What::Command);
    let (_events, driven) =
        place.run(scene.process().await, Vec::new(), share, scene.ended.clone());
    assert_eq!(scene.processes.count(), 1);
    drop(driven);
    assert_eq!(scene.processes.count(), 0, "when the worker ends");
    assert!(!scene.activity.is_awaited());
}

#[tokio::test]
async fn input_that_nobody_reads_any_more_is_not_open() {
    let scene = Scene::new(|mut process| async move {
        process.print("no, thanks");
        process.hang().await
    })
    .await;
    let mut events = scene.start().await;
    let running = scene.only();
    let said = [events.next().await, events.next().await];
    assert!(matches!(said[1], Some(ProcessEvent::Output { .. })), "{said:?}");
    scene.sandbox.signal(running.id, Signal::Kill).await.expect("it is told");
    assert_eq!(events.next().await, Some(ProcessEvent::Ended(Exit::Signal(SIGKILL))));
    scene.is_over().await;
    let written = running.write(b"x", false).await;
    assert!(matches!(written, Err(ProcessError::NoInput)));
}

#[tokio::test]
async fn a_session_has_so_many_and_those_that_are_being_started_count() {
    let scene = Scene::new(|mut process| async move { process.hang().await }).await;
    let mut followed = Vec::new();
    for _ in 0..MOST - 1 {
        followed.push(scene.start().await);
    }
    let last = scene.processes.reserve().expect("one more");
    assert!(matches!(scene.processes.reserve(), Err(ProcessError::TooMany)));
    drop(last);
    drop(scene.processes.reserve().expect("one that could not be started has left its place"));
    followed.push(scene.start().await);
    assert!(matches!(scene.processes.reserve(), Err(ProcessError::TooMany)));
    let ids: Vec<_> = scene.processes.all().iter().map(|running| running.id).collect();
    assert!(ids.len() == MOST && ids.is_sorted(), "{ids:?}");
    scene.sandbox.signal(ids[0], Signal::Kill).await.expect("it is told");
    until(|| scene.processes.count() < MOST as u64).await;
    assert!(scene.processes.reserve().is_err(), "what it has said is there, until it is heard");
    all(followed.remove(0)).await;
    until(|| scene.processes.reserve().is_ok()).await;
    scene.sandbox.end().await;
    scene.is_over().await;
}

/// A command that has written more than may be on its way to a follower, and what is on its way.
async fn unread() -> (Scene, Events) {
    let scene = Scene::new(|mut process| async move {
        process.print("x".repeat(9 * IN_FLIGHT * PIECE));
        process.hang().await
    })
    .await;
    let mut events = scene.start().await;
    assert!(matches!(events.next().await, Some(ProcessEvent::Started(_))));
    (scene, events)
}

#[tokio::test]
async fn what_nobody_reads_is_gone_soon_after_the_session() {
    let (scene, mut events) = unread().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(scene.processes.count(), 1, "it may be read late");
    scene.ended.cancel();
    scene.sandbox.end().await;
    scene.is_over().await;
    until(|| scene.processes.lock().places == 0).await;
    let killed = Some(ProcessEvent::Ended(Exit::Signal(SIGKILL)));
    assert_eq!((events.next().await, events.next().await), (killed, None), "and nothing before it");
}

#[tokio::test]
async fn so_is_what_was_said_by_commands_that_ended_before_it() {
    let scene = Scene::new(|process| async move {
        process.print("x".repeat(2 * PIECE));
        Exit::Code(3)
    })
    .await;
    let mut events = scene.start().await;
    scene.is_over().await;
    assert_eq!(scene.processes.lock().places, 1);
    scene.ended.cancel();
    until(|| scene.processes.lock().places == 0).await;
    let code = Some(ProcessEvent::Ended(Exit::Code(3)));
    assert_eq!((events.next().await, events.next().await), (code, None), "how it ended is known");
}

#[tokio::test]
async fn who_reads_hears_all_though_the_session_has_ended() {
    let (scene, mut events) = unread().await;
    scene.ended.cancel();
    scene.sandbox.end().await;
    let mut heard = 0;
    while let Some(event) = events.next().await {
        match event {
            ProcessEvent::Output { offset, data, .. } => {
                assert_eq!(offset, heard);
                heard += data.len() as u64;
            }
            end => assert_eq!(end, ProcessEvent::Ended(Exit::Signal(SIGKILL))),
        }
    }
    assert_eq!(heard, (9 * IN_FLIGHT * PIECE) as u64);
    scene.is_over().await;
}
