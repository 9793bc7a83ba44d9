use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;

use super::*;
use crate::sandbox::backend::{Excess, Killed, OutputStream, ProcessEnd, ProcessTree, Signal};
use crate::sandbox::files::{FileError, FileKind, FileMode, FilePath, Root};
use crate::sandbox::spec::{ControlChannel, Stdin, Usage};
use crate::sandbox::workspace::WorkspacePath;

fn command(stdin: Stdin, control: ControlChannel) -> Command {
    Command {
        program: String::from("/bin/fake"),
        args: Vec::new(),
        env: BTreeMap::new(),
        working_directory: String::from("/"),
        stdin,
        control,
    }
}

fn quiet() -> Command {
    command(Stdin::Null, ControlChannel::None)
}

fn spec() -> SandboxSpec {
    SandboxSpec::closed(LIMITS)
}

fn path(path: &str) -> WorkspacePath {
    WorkspacePath::parse(path).expect("a path")
}

async fn all_of(stream: &mut dyn OutputStream) -> String {
    let (mut all, mut buffer) = (Vec::new(), [0; 16]);
    loop {
        match stream.read(&mut buffer).await.expect("memory") {
            0 => return String::from_utf8(all).expect("text"),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

fn exit_of(end: Result<ProcessEnd, tokio::sync::oneshot::error::RecvError>) -> Option<Exit> {
    end.ok().map(|end| end.exit)
}

#[tokio::test]
async fn a_process_does_what_its_script_says() {
    let backend = FakeBackend::new(|mut process| async move {
        process.print("hello ");
        let line = process.read_line().await.unwrap_or_default();
        process.print(&line);
        process.complain("oh");
        let rest = process.read_to_end().await;
        Exit::Code(i32::try_from(rest.len()).unwrap_or(-1))
    });
    let sandbox = backend.create(&spec()).await.expect("a sandbox");
    let started = sandbox.start(command(Stdin::Pipe, ControlChannel::None)).await;
    let mut process = started.expect("a process");
    assert_eq!(backend.processes(), 1);
    let mut stdin = process.stdin.take().expect("a pipe");
    stdin.write_all(b"you\nabc").await.expect("room");
    drop(stdin);
    assert_eq!(exit_of(process.exit.await), Some(Exit::Code(3)));
    assert_eq!(all_of(&mut *process.stdout).await, "hello you");
    assert_eq!(all_of(&mut *process.stderr).await, "oh");
    assert_eq!((backend.processes(), backend.living()), (0, 1));
    sandbox.end().await;
    backend.assert_all_is_ended();
}

#[tokio::test]
async fn a_kernel_speaks_on_its_control_channel() {
    let backend = FakeBackend::of_kernels();
    let zygote = backend.preload(command(Stdin::Null, ControlChannel::Pipes)).await.expect("one");
    let sandbox = backend.create(&spec()).await.expect("a sandbox");
    let mut process = sandbox.start_from(&zygote).await.expect("a child");
    let mut control = process.control.take().expect("a channel");
    let request = br#"{"op":"run","mode":"once","id":7,"code":"x"}"#;
    control.writer.write_all(request).await.expect("room");
    control.writer.write_all(b"\nsession 8\n").await.expect("room");
    control.writer.shutdown().await.expect("memory");
    let mut said = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut control.reader, &mut said).await.expect("text");
    assert_eq!(said.matches(r#""ready""#).count(), 1, "{said}");
    assert!(said.contains(r#""id":7"#) && said.contains(r#""id":8"#), "{said}");
    assert_eq!(exit_of(process.exit.await), Some(Exit::Code(0)));

    assert_eq!(backend.zygotes(), 1);
    backend.kill_zygotes();
    zygote.ended().cancelled().await;
    assert!(matches!(sandbox.start_from(&zygote).await, Err(SandboxError::Zygote { .. })));
    drop(sandbox);
    backend.assert_all_is_ended();
}

#[tokio::test]
async fn signals_reach_the_script_and_a_kill_does_not_ask_it() {
    let backend = FakeBackend::new(|mut process| async move {
        match process.signalled().await {
            Signal::Interrupt => process.hang().await,
            Signal::Terminate | Signal::Kill | Signal::Other(_) => Exit::Code(3),
        }
    });
    let sandbox = backend.create(&spec()).await.expect("a sandbox");
    let polite = sandbox.start(quiet()).await.expect("a process");
    let stubborn = sandbox.start(quiet()).await.expect("a process");
    sandbox.signal(polite.id, Signal::Terminate).await.expect("a signal");
    sandbox.signal(stubborn.id, Signal::Interrupt).await.expect("a signal");
    assert_eq!(exit_of(polite.exit.await), Some(Exit::Code(3)));
    sandbox.signal(stubborn.id, Signal::Kill).await.expect("a signal");
    assert_eq!(exit_of(stubborn.exit.await), Some(Exit::Signal(9)));
    let sent = backend.sandbox(0).signals();
    assert_eq!(sent.last(), Some(&(stubborn.id, Signal::Kill)));
    assert_eq!(sent.len(), 3);
}

#[tokio::test]
async fn a_tree_is_killed_and_others_are_spared() {
    let backend = FakeBackend::new(|mut process| async move {
        process.leave_running(false);
        process.leave_running(true);
        process.hang().await
    });
    let sandbox = backend.create(&spec()).await.expect("a sandbox");
    let spared = sandbox.start(quiet()).await.expect("a process");
    let settle = async |count: usize| {
        while backend.processes() != count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    settle(3).await;
    let since = Instant::now();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let doomed = sandbox.start(quiet()).await.expect("a process");
    settle(6).await;
    let tree = ProcessTree { root: doomed.id, spared: vec![spared.id], since, orphans: false };
    assert_eq!(sandbox.kill_tree(&tree).await.expect("killed"), Killed::Tree);
    settle(4).await;
    let with_orphans = ProcessTree { orphans: true, ..tree.clone() };
    assert_eq!(sandbox.kill_tree(&with_orphans).await.expect("killed"), Killed::Tree);
    settle(3).await;
    assert_eq!(backend.sandbox(0).killed_trees(), [tree, with_orphans]);
    sandbox.end().await;
    assert_eq!(backend.processes(), 0);
    assert!(spared.exit.await.is_err(), "nobody was there to wait for it");
}

#[tokio::test]
async fn files_are_kept_in_memory() {
    let backend = FakeBackend::of_kernels();
    let sandbox = backend.create(&spec()).await.expect("a sandbox");
    for (name, content) in [("a/b.txt", "12"), ("a/c/d", "3"), ("e", "")] {
        let (name, mode) = (path(name), FileMode::Regular);
        sandbox.write_file(Root::Workspace, &name, content.as_bytes(), mode).await.expect("room");
    }
    let read = sandbox.read_file(Root::Workspace, &path("a/b.txt"), 2).await.expect("it is there");
    assert_eq!(read.as_deref(), Some(&b"12"[..]));
    assert_eq!(sandbox.read_file(Root::Workspace, &path("a/b.txt"), 1).await.expect("it is"), None);
    assert!(sandbox.read_file(Root::Requests, &path("a/b.txt"), 2).await.is_err());
    let name = |path: &str| FilePath::parse(Vec::from(path)).expect("a path");
    let listed = sandbox.tree(Some(&name("a")), 1, 9).await.expect("a folder");
    let found: Vec<_> = listed
        .entries
        .iter()
        .map(|entry| (entry.path.as_bytes(), entry.status.kind, entry.status.size))
        .collect();
    let expected = [(&b"a/b.txt"[..], FileKind::Regular, 2), (b"a/c", FileKind::Directory, 0)];
    assert_eq!((found.as_slice(), listed.truncated), (&expected[..], false));
    let listed = sandbox.tree(None, 9, 3).await.expect("the root");
    assert_eq!((listed.entries.len(), listed.truncated), (3, true));
    for (missing, error) in [("e", FileError::NotADirectory), ("x", FileError::NotFound)] {
        match sandbox.tree(Some(&name(missing)), 1, 9).await {
            Err(SandboxError::File(found)) => assert_eq!(found, error),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_told_to_fail_fails_once() {
    let backend = FakeBackend::of_kernels();
    backend.fail_next(Operation::Create, SandboxError::Silent);
    assert!(matches!(backend.create(&spec()).await.map(drop), Err(SandboxError::Silent)));
    let sandbox = backend.create(&spec()).await.expect("the next one is made");
    backend.fail_next(Operation::Start, SandboxError::Gone);
    assert!(sandbox.start(quiet()).await.is_err());
    let inside = backend.sandbox(0);
    inside.set_excess(Some(Excess::Locks));
    assert_eq!(sandbox.excess(Duration::ZERO).await, Some(Excess::Locks));
    inside.set_usage(Usage { disk_bytes: 5, whole: true, ..Usage::default() });
    inside.fall_silent();
    let usage = sandbox.usage(Duration::ZERO).await.expect("an account");
    assert_eq!((usage.disk_bytes, usage.whole), (5, false));
    inside.die();
    assert!(sandbox.is_gone());
    assert!(matches!(sandbox.start(quiet()).await.map(drop), Err(SandboxError::Gone)));
    backend.break_down();
    backend.failed().await;
    assert!(matches!(backend.create(&spec()).await.map(drop), Err(SandboxError::BackendGone)));
    drop(sandbox);
    backend.assert_all_is_ended();
}
