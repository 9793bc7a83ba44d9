//! A worker that may not open more files.

use crate::support::{Worker, bash, eventually, in_session, new_session};

#[tokio::test]
async fn what_finds_no_room_is_refused_and_the_rest_goes_on() {
    let few = ["bash", "-c", "ulimit -n 300; exec \"$@\"", "bash"];
    let Some(worker) = Worker::start_behind(&few, "bash", &[]).await else { return };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.expect("room");
    caller.run(in_session(&session, "x=kept")).await;
    let mut others = Vec::new();
    let refusal = loop {
        match caller.create_session(new_session("bash")).await {
            Ok(session) => others.push(session),
            Err(refusal) => break refusal,
        }
        assert!(others.len() < 100, "the limit is not in force");
    };
    assert!(!refusal.message.contains("ending"), "{refusal:?}");
    for other in others {
        caller.end_session(&other.session_id, "usr_one").await.expect("it is there");
    }
    let recalled = caller.run(in_session(&session, "echo $x")).await;
    assert_eq!(recalled.printed(), "kept\n", "after {refusal:?}");
    eventually("room for a run", async || {
        let ran = caller.execute(bash("echo new")).await.ok()?.try_finish().await.ok()?;
        (ran.printed() == "new\n").then_some(())
    })
    .await;
}
