//! Who may call, and with which token a worker serves at all.

use proto::execution_v1 as wire;
use proto::wire::reason;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tonic::Code;

use crate::support::{OWNER, Refusal, Worker, bash, refusal, token, within};

fn assert_unauthenticated(refusal: &Refusal) {
    assert_eq!(refusal.code, Code::Unauthenticated, "{refusal:?}");
    assert_eq!(refusal.reason, reason::UNAUTHENTICATED, "{refusal:?}");
}

#[tokio::test]
async fn a_worker_with_no_good_token_does_not_start_and_says_why() {
    let example = "change-me-change-me-change-me-change-me";
    for weak in [None, Some(""), Some("5f3a9c"), Some(example)] {
        let (status, said) = refusal(weak).await;
        assert_eq!(status.code(), Some(1), "{weak:?}: {said}");
        assert!(said.contains("INTERNAL_AUTH_TOKEN"), "{weak:?}: {said}");
        if let Some(secret) = weak.filter(|text| !text.is_empty()) {
            assert!(!said.contains(secret), "it is printed: {said}");
        }
    }
}

#[tokio::test]
async fn without_the_token_nothing_is_answered() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let anonymous = caller.anonymous();
    let other = worker.caller_with(&token()).await;
    for stranger in [anonymous, other] {
        assert_unauthenticated(&stranger.refused(bash("echo hello")).await);
        assert_unauthenticated(&stranger.try_capabilities().await.unwrap_err());
        assert_unauthenticated(&stranger.cancel("exe_1", "usr_one").await.unwrap_err());
        assert_unauthenticated(&stranger.get_session("ses_1", "usr_one").await.unwrap_err());
        assert_unauthenticated(&stranger.end_session("ses_1", "usr_one").await.unwrap_err());
    }
    assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
}

#[tokio::test]
async fn connections_without_the_token_make_way_for_each_other_and_for_nobody_else() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let mut running = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    running.says("up").await;
    let mut silent = Vec::new();
    for _ in 0..65 {
        silent.push(TcpStream::connect(worker.address()).await.unwrap());
    }
    let ended = within("the oldest is hung up on", silent[0].read(&mut [0; 64])).await;
    // What our side of a connection says first is its settings.
    if matches!(ended, Ok(1..)) {
        let mut rest = Vec::new();
        let rest = silent[0].read_to_end(&mut rest);
        let _ = within("the oldest is hung up on", rest).await;
    }
    // The gateway's connection is older than all of them, and its run goes on.
    caller.cancel(&running.id, OWNER).await.unwrap();
    assert_eq!(running.finish().await.status(), wire::Status::Cancelled);
}
