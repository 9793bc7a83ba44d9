//! Several things at once in one session: contexts, commands and files do not wait for each other, and none of them
//! ends what the others have.

use proto::execution_v1::process_event::Event;
use proto::execution_v1::{
    CreateSessionRequest, EndCause, ExecuteRequest, FileKind, Limits, StartProcessRequest, Status,
};
use proto::wire::reason;
use tonic::Code;

use crate::support::{Worker, bash, eventually, in_session, limits, new_session};

/// `request`, in the session's context `id`.
fn in_context(id: &str, request: ExecuteRequest) -> ExecuteRequest {
    ExecuteRequest { context_id: String::from(id), ..request }
}

/// `request`, in another language.
fn in_language(language: &str, request: ExecuteRequest) -> ExecuteRequest {
    ExecuteRequest { language: String::from(language), ..request }
}

#[tokio::test]
async fn while_a_run_sleeps_contexts_answer_commands_run_and_files_are_listed() {
    let Some(worker) = Worker::start("bash,python,node", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let sleeper = in_session(&session, "echo up; until [ -e go ]; do sleep 0.02; done; echo over");
    let mut sleeper = caller.execute(sleeper).await.unwrap();
    sleeper.says("up").await;

    // Another language, in its default context, which is made now.
    let python = |code: &str| in_language("python", in_session(&session, code));
    let ran = caller.run(python("x = 41; open('made', 'w').write('by python')")).await;
    assert_eq!(ran.status(), Status::Succeeded, "{ran:?}");
    assert!(ran.outcome().usage.as_ref().unwrap().shared, "the sleeper had its part: {ran:?}");
    assert_eq!(caller.run(python("print(x + 1)")).await.printed(), "42\n");
    // The same language, in a context of its own.
    caller.create_context(&session, "second", "bash").await.unwrap();
    let ran = caller.run(in_context("second", in_session(&session, "y=1; cat made"))).await;
    assert_eq!(ran.printed(), "by python");
    // A command.
    let command = caller.start_process(&session, &["sh", "-c", "cat made; exit 3"], false).await;
    let (said, ended) = command.unwrap().finish().await;
    assert_eq!((said.as_str(), ended.exit_code), ("by python", Some(3)));
    // Files.
    let listed = caller.list_files(&session, "").await.unwrap();
    let entries: Vec<_> = listed
        .entries
        .iter()
        .map(|entry| (&entry.path[..], entry.info.as_ref().unwrap()))
        .collect();
    let found: Vec<_> =
        entries.iter().map(|(path, info)| (*path, info.kind(), info.size)).collect();
    assert_eq!(found, [(&b"made"[..], FileKind::Regular, 9)]);
    assert!(!listed.truncated);

    let seen = caller.get_session(&session.session_id, "usr_one").await.unwrap();
    assert!(seen.busy && seen.contexts.len() == 3, "{seen:?}");
    caller.run(in_context("second", in_session(&session, "touch go"))).await;
    assert_eq!(sleeper.finish().await.stdout(), "up\nover\n");
}

#[tokio::test]
async fn a_server_that_one_run_has_started_is_called_by_the_next() {
    let Some(worker) = Worker::start("python,bash", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("python")).await.unwrap();
    let serve = "
import subprocess, sys
open('page', 'w').write('served')
subprocess.Popen([sys.executable, '-m', 'http.server', '8765', '--bind', '127.0.0.1'],
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
";
    caller.run(in_session(&session, serve)).await.printed();
    let call = "
import time, urllib.request
for _ in range(500):
    try:
        print(urllib.request.urlopen('http://127.0.0.1:8765/page').read().decode())
        break
    except OSError:
        time.sleep(0.01)
";
    assert_eq!(caller.run(in_session(&session, call)).await.printed(), "served\n");
    // It outlives runs that are stopped, and an interpreter that dies.
    let short = Limits { wall_ms: Some(300), ..Limits::default() };
    let endless = "import signal; signal.signal(2, signal.SIG_IGN)\nwhile True: pass";
    let ran = caller.run(limits(short, in_session(&session, endless))).await;
    assert_eq!(ran.status(), Status::TimedOut, "{ran:?}");
    let ran = caller.run(in_session(&session, "import os; os._exit(7)")).await;
    assert_eq!(ran.outcome().exit_code, Some(7), "{ran:?}");
    assert_eq!(caller.run(in_session(&session, call)).await.printed(), "served\n");
    let shell =
        in_language("bash", in_session(&session, "exec 3<>/dev/tcp/127.0.0.1/8765; echo ok"));
    assert_eq!(caller.run(shell).await.printed(), "ok\n");
}

#[tokio::test]
async fn what_a_stopped_run_has_started_ends_and_what_others_have_lives_on() {
    let Some(worker) = Worker::start("bash,python", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let python = |code: &str| in_language("python", in_session(&session, code));
    caller.run(python("x = 41")).await.printed();
    // Births are told apart to 10 ms.
    let earlier = "sleep 600 & echo $! > earlier; sleep 0.05";
    caller.run(in_session(&session, earlier)).await.printed();
    let mut command = caller.start_process(&session, &["sh", "-c", "echo up; read x"], true).await;
    command.as_mut().unwrap().says("up").await;

    // It ignores what it is told, and so do its children: one in its group, one that has left it.
    let stubborn = "trap '' INT; (trap '' INT; sleep 601) & setsid sh -c 'sleep 602' & \
                    echo started; while :; do :; done";
    let short = Limits { wall_ms: Some(500), ..Limits::default() };
    let ran = caller.run(limits(short, in_session(&session, stubborn))).await;
    assert_eq!(ran.status(), Status::TimedOut, "{ran:?}");
    // Some may end while they are looked at.
    let alive = "import os
def command(pid):
    try:
        return open(f'/proc/{pid}/cmdline').read()
    except OSError:
        return ''
commands = [command(pid) for pid in os.listdir('/proc') if pid.isdigit()]
print([line.split('\\0')[1] for line in commands if line.startswith('sleep')], x)";
    let seen = eventually("the stopped run is gone", async || {
        let seen = caller.run(python(alive)).await.printed();
        (!seen.contains("601") && !seen.contains("602")).then_some(seen)
    })
    .await;
    assert_eq!(seen, "['600'] 41\n", "earlier leftovers and other contexts live");
    let command = command.unwrap();
    caller.write_stdin(&session, command.id, "\n", false).await.unwrap();
    assert_eq!(command.finish().await.1.exit_code, Some(0));
}

#[tokio::test]
async fn a_command_has_input_signals_and_an_end() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let wish = CreateSessionRequest {
        env: [(String::from("WHO"), String::from("me"))].into(),
        ..new_session("bash")
    };
    let session = caller.create_session(wish).await.unwrap();
    let mut echo = caller.start_process(&session, &["cat"], true).await.unwrap();
    caller.write_stdin(&session, echo.id, "one\n", false).await.unwrap();
    echo.says("one\n").await;
    assert_eq!(caller.list_processes(&session).await, [echo.id]);
    caller.write_stdin(&session, echo.id, "two\n", true).await.unwrap();
    let id = echo.id;
    let (said, ended) = echo.finish().await;
    assert_eq!((said.as_str(), ended.exit_code), ("one\ntwo\n", Some(0)));
    let gone = caller.write_stdin(&session, id, "three\n", false).await.unwrap_err();
    assert_eq!(gone.reason, reason::STDIN_CLOSED, "{gone:?}");

    let sleeper = caller.start_process(&session, &["sleep", "600"], false).await.unwrap();
    let closed = caller.write_stdin(&session, sleeper.id, "x", false).await.unwrap_err();
    assert_eq!(closed.reason, reason::STDIN_CLOSED, "{closed:?}");
    caller.signal_process(&session, sleeper.id, "SIGTERM").await.unwrap();
    assert_eq!(sleeper.finish().await.1.signal.as_deref(), Some("SIGTERM"));

    let env = caller.start_process(&session, &["sh", "-c", "echo $WHO $PWD"], false).await;
    assert_eq!(env.unwrap().finish().await.0, "me /home/user\n");
    let nowhere = StartProcessRequest {
        working_directory: String::from("nowhere"),
        ..StartProcessRequest::default()
    };
    let nowhere = caller.start_process_with(&session, &["true"], nowhere).await.map(|_| ());
    assert_eq!(nowhere.unwrap_err().reason, reason::NOT_EXECUTABLE);
    let missing = caller.start_process(&session, &["no-such-program"], false).await;
    let missing = missing.map(|_| ()).unwrap_err();
    assert_eq!(missing.reason, reason::NOT_EXECUTABLE, "{missing:?}");
    let empty = caller.start_process(&session, &[], false).await.map(|_| ()).unwrap_err();
    assert_eq!((empty.code, empty.field.as_str()), (Code::InvalidArgument, "command"));
    eventually("none is left", async || {
        caller.list_processes(&session).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_command_whose_caller_goes_away_goes_on_until_the_session_ends() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let loud = "while :; do echo loud; echo x > beat; done";
    let mut loud = caller.start_process(&session, &["sh", "-c", loud], false).await.unwrap();
    loud.says("loud").await;
    let id = loud.id;
    drop(loud);
    let beats = in_session(&session, "rm -f beat; until [ -e beat ]; do sleep 0.02; done; echo on");
    assert_eq!(caller.run(beats).await.printed(), "on\n");
    assert_eq!(caller.list_processes(&session).await, [id]);
    let mut other =
        caller.start_process(&session, &["sh", "-c", "echo up; sleep 600"], false).await;
    other.as_mut().unwrap().says("up").await;
    // Somebody waits when the session ends.
    let (waiting, watcher) = (worker.caller().await, session.session_id.clone());
    let number = other.as_ref().unwrap().id;
    let waiting = tokio::spawn(async move { waiting.read_process(&watcher, number, 2).await });
    eventually("somebody waits", async || {
        caller.end_session(&session.session_id, "usr_one").await.ok()
    })
    .await;
    // Who asks a moment too late finds no session.
    let last = match waiting.await.unwrap() {
        Ok(last) => last,
        Err(refusal) => return assert_eq!(refusal.reason, reason::SESSION_NOT_FOUND),
    };
    let Some(Event::Ended(ended)) = &last.events[0].event else { panic!("{last:?}") };
    assert!(last.over && ended.cause() == EndCause::SessionEnded, "{ended:?}");
    assert_eq!(ended.signal.as_deref(), Some("SIGKILL"));
}

#[tokio::test]
async fn a_command_ends_when_its_time_is_up_with_what_it_has_started() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    // It ignores what it is told, and so does its child, which has left its group.
    let stubborn = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 601' & echo up; wait; wait";
    let wish = StartProcessRequest { timeout_ms: Some(300), ..StartProcessRequest::default() };
    let command = caller.start_process_with(&session, &["bash", "-c", stubborn], wish).await;
    let (said, ended) = command.unwrap().finish().await;
    assert_eq!((said.as_str(), ended.signal.as_deref()), ("up\n", Some("SIGKILL")));
    assert_eq!(ended.cause(), EndCause::TimedOut);
    eventually("its child is gone, too", async || {
        let ran = caller.run(in_session(&session, "grep -l 601 /proc/[0-9]*/cmdline")).await;
        (!ran.stdout().contains("cmdline") || ran.stdout().contains("self")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_command_leaves_behind_can_go_on_writing() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let leaves = "(until [ -e go ]; do sleep 0.02; done; for i in $(seq 9999); do echo loud; done; \
                  touch done) & echo left";
    let command = caller.start_process(&session, &["bash", "-c", leaves], false).await.unwrap();
    assert_eq!(command.finish().await.0, "left\n");
    let ran = caller.run(in_session(&session, "touch go; until [ -e done ]; do sleep 0.02; done"));
    assert_eq!(ran.await.status(), Status::Succeeded, "nobody reads it, and it is written");
}

#[tokio::test]
async fn a_deadline_can_be_moved() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let short = CreateSessionRequest { ttl_seconds: 2, ..new_session("bash") };
    let session = caller.create_session(short).await.unwrap();
    let moved = caller.extend(&session, 600).await.unwrap();
    assert!(moved.expires_at_ms - session.expires_at_ms > 590_000, "{moved:?}");
    let ran = caller.run(in_session(&session, "sleep 3; echo later")).await;
    assert_eq!(ran.printed(), "later\n");
    caller.extend(&session, 1).await.unwrap();
    let refusal = eventually("the session expires", async || {
        caller.get_session(&session.session_id, "usr_one").await.err()
    })
    .await;
    assert_eq!(refusal.reason, reason::SESSION_EXPIRED);
    assert_eq!(caller.extend(&session, 600).await.unwrap_err().reason, reason::SESSION_EXPIRED);
}

#[tokio::test]
async fn a_session_without_a_language_has_no_context_until_one_is_used() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("")).await.unwrap();
    assert!(session.contexts.is_empty());
    let listed = caller.list_files(&session, "").await.unwrap();
    assert!(listed.entries.is_empty());
    let run = |code: &str| ExecuteRequest { session_id: session.session_id.clone(), ..bash(code) };
    caller.run(run("x=41")).await.printed();
    assert_eq!(caller.run(run("echo $((x + 1))")).await.printed(), "42\n");

    let taken = caller.create_context(&session, "mine", "bash").await.map(|_| ());
    taken.unwrap();
    let again = caller.create_context(&session, "mine", "bash").await.unwrap_err();
    assert_eq!((again.code, again.field.as_str()), (Code::InvalidArgument, "context_id"));
    let ours = caller.create_context(&session, "ctx_defaultbash", "bash").await.unwrap_err();
    assert_eq!(ours.field, "context_id", "{ours:?}");
    let unknown = caller.refused(in_context("no", run("echo x"))).await;
    assert_eq!(unknown.reason, reason::CONTEXT_NOT_FOUND);
    for number in 2..16 {
        caller.create_context(&session, &format!("c{number}"), "bash").await.unwrap();
    }
    let full = caller.create_context(&session, "one-too-many", "bash").await.unwrap_err();
    assert_eq!(full.reason, reason::SESSION_FULL);
}

#[tokio::test]
async fn only_directories_of_the_workspace_are_listed() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let make = "mkdir -p a/b; mkfifo a/pipe; ln -s /etc a/etc; printf 12345 > $'a/x\\ny'; \
                for n in {1..1200}; do : > a/b/$n; done";
    caller.run(in_session(&session, make)).await.printed();
    let listed = caller.list_files(&session, "a").await.unwrap();
    let seen: Vec<_> = listed.entries.iter().map(named).collect();
    assert_eq!(
        seen,
        [
            (&b"a/b"[..], FileKind::Directory),
            (&b"a/etc"[..], FileKind::Symlink),
            (&b"a/pipe"[..], FileKind::Special),
            (&b"a/x\ny"[..], FileKind::Regular),
        ]
    );
    let many = caller.list_files(&session, "a/b").await.unwrap();
    assert!(many.truncated && many.entries.len() == 1000);
    for (path, why) in [
        ("a/etc", reason::FILE_REFUSED),
        ("a/none", reason::FILE_NOT_FOUND),
        ("a/pipe", reason::FILE_NO_DIRECTORY),
    ] {
        assert_eq!(caller.list_files(&session, path).await.unwrap_err().reason, why, "{path}");
    }
    assert_eq!(caller.list_files(&session, "../etc").await.unwrap_err().field, "path");
}

fn named(entry: &proto::execution_v1::FileEntry) -> (&[u8], FileKind) {
    (&entry.path[..], entry.info.as_ref().unwrap().kind())
}
