//! Who may call, and with which token a worker serves at all.

use proto::wire::reason;
use tonic::Code;

use crate::support::{Refusal, Worker, bash, refusal, token};

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
