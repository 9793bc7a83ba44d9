//! What one owner's sandboxes may have together, and what goes on in them between runs.

use std::time::Duration;

use proto::execution_v1::CreateSessionRequest;
use proto::wire::reason;
use tonic::Code;

use crate::support::{Worker, eventually, in_session, new_session};

/// Of every machine, so little that a second sandbox of an owner in use is too much.
const LITTLE: [(&str, &str); 2] =
    [("OWNER_SHARE_PERCENT", "1"), ("MEMORY_OVERCOMMIT_PERCENT", "100")];

#[tokio::test]
async fn an_owner_is_promised_a_share_and_what_idles_is_promised_what_it_holds() {
    let worker = Worker::bash(&LITTLE).await;
    let caller = worker.caller().await;
    let first = caller.create_session(new_session("bash")).await.unwrap();
    let refused = caller.create_session(new_session("bash")).await.unwrap_err();
    assert_eq!((refused.code, &*refused.reason), (Code::ResourceExhausted, reason::SHARE_FULL));
    let other = CreateSessionRequest { owner: String::from("usr_two"), ..new_session("bash") };
    caller.create_session(other).await.expect("it is not the first one's share");
    // Who idles makes room, and waits for it when it is used again.
    let second = eventually("the first idles", async || {
        caller.create_session(new_session("bash")).await.ok()
    })
    .await;
    assert_eq!(caller.run(in_session(&second, "echo two")).await.printed(), "two\n");
    let ran = caller.run(in_session(&first, "echo one")).await;
    assert_eq!(ran.printed(), "one\n", "when the second idled");
}

#[tokio::test]
async fn a_frozen_session_stands_still_until_it_is_used_again() {
    let worker = Worker::bash(&[("BACKGROUND", "frozen")]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let count = "(i=0; while :; do ((++i % 1000)) || echo $i > count; done) & x=7";
    caller.run(in_session(&session, count)).await;
    // A step keeps it awake for a second: looked at twice after that, it must not have counted on.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let read = "cat count";
    let before: u64 =
        caller.run(in_session(&session, read)).await.printed().trim().parse().unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let after: u64 = caller.run(in_session(&session, read)).await.printed().trim().parse().unwrap();
    let awake = Duration::from_millis(500);
    tokio::time::sleep(awake).await;
    let later: u64 = caller.run(in_session(&session, read)).await.printed().trim().parse().unwrap();
    let (per_second, slept) = ((later - after) * 2, after - before);
    assert!(slept < per_second * 4, "{slept} in 6 s, of which one is awake; {per_second} a second");
    assert_eq!(caller.run(in_session(&session, "echo $x")).await.printed(), "7\n");
}
