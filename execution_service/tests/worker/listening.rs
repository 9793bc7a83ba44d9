//! Whose address it is, when one worker follows another.

use rustix::process::{Signal, kill_process};

use crate::support::{Worker, bash, eventually, family_of, in_session, new_session, refusal_of};

#[tokio::test]
async fn a_worker_takes_the_place_of_one_that_is_ending_and_keeps_it() {
    for signal in [Signal::KILL, Signal::TERM] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listen = format!("unix:{}", path.display());
        let mut first = Worker::bash(&[("LISTEN", &listen)]).await;
        let caller = first.caller().await;
        let session = caller.create_session(new_session("bash")).await.unwrap();
        // It is not gone in a moment.
        let busy = caller.execute(in_session(&session, "trap '' INT; echo up; sleep 600")).await;
        let mut busy = busy.unwrap();
        busy.says("up").await;
        let family = family_of(first.pid());

        // As when a supervisor starts it again at once.
        kill_process(first.pid(), signal).unwrap();
        let second = Worker::bash(&[("LISTEN", &listen)]).await;

        let _ = busy.try_finish().await;
        first.ended().await;
        family.gone().await;
        assert!(path.exists(), "the first one's end has taken the second one's socket along");
        let caller = second.caller().await;
        assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
    }
}

#[tokio::test]
async fn a_killed_workers_socket_is_replaced_and_a_file_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listen = format!("unix:{}", path.display());
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let worker = Worker::bash(&[("LISTEN", &listen)]).await;
    worker.caller().await.run(bash("echo hello")).await.printed();
    eventually("it is told", async || {
        worker.log().contains("a killed worker's socket is replaced").then_some(())
    })
    .await;

    let precious = directory.path().join("precious");
    std::fs::write(&precious, "data").unwrap();
    let (status, log) = refusal_of(&[("LISTEN", &format!("unix:{}", precious.display()))]).await;

    assert!(!status.success() && log.contains("no socket"), "{log}");
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "data");
}
