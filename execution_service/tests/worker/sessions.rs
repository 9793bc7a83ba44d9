//! Sessions: state that stays, owners kept apart, ends that are final.

use std::time::Duration;

use proto::execution_v1::{CreateSessionRequest, ExecuteRequest, Limits, Session, Status};
use proto::wire::reason;
use tonic::Code;

use crate::support::{Refusal, Worker, bash, eventually, in_session, limits, new_session, unique};

fn assert_not_found(refusal: &Refusal) {
    assert_eq!(refusal.code, Code::NotFound, "{refusal:?}");
    assert_eq!(refusal.reason, reason::SESSION_NOT_FOUND, "{refusal:?}");
}

#[tokio::test]
async fn state_stays_in_every_language_that_has_some() {
    let Some(worker) = Worker::start("python,node,bash,c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    for (language, first, second) in [
        ("python", "x = 41", "print(x + 1)"),
        ("node", "const x = 41", "console.log(x + 1)"),
        ("bash", "x=41; cd /tmp; f() { echo $((x + 1)); }", "f"),
        (
            "c",
            "#include <stdio.h>\nint main(void) { fputs(\"42\\n\", fopen(\"kept\", \"w\")); }",
            "#include <stdio.h>\nint main(void) { char t[9]; fgets(t, 9, fopen(\"kept\", \"r\")); fputs(t, stdout); }",
        ),
    ] {
        let session = caller.create_session(new_session(language)).await.unwrap();
        let ran = caller.run(in_session(&session, first)).await;
        assert_eq!(ran.printed(), "", "{language:?}");
        let ran = caller.run(in_session(&session, second)).await;
        assert_eq!(ran.printed(), "42\n", "{language:?}");
    }
}

#[tokio::test]
async fn a_session_is_its_owners_from_beginning_to_end() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let wish = CreateSessionRequest {
        env: [(String::from("WHO"), String::from("me"))].into(),
        ..new_session("bash")
    };
    let session = caller.create_session(wish.clone()).await.unwrap();
    let id = session.session_id.as_str();
    assert_eq!(id, wish.session_id);
    assert_eq!(session.expires_at_ms - session.created_at_ms, 600_000);
    assert!(!session.busy);
    let shown = caller.get_session(id, "usr_one").await.unwrap();
    assert!(shown.usage.is_some_and(|usage| usage.memory_bytes > 0), "{shown:?}");
    assert_eq!(Session { usage: None, ..shown }, session);
    assert_eq!(caller.list_sessions("usr_one").await, [id]);

    assert!(caller.list_sessions("usr_two").await.is_empty());
    assert_not_found(&caller.get_session(id, "usr_two").await.unwrap_err());
    assert_not_found(&caller.end_session(id, "usr_two").await.unwrap_err());
    let foreign =
        ExecuteRequest { owner: String::from("usr_two"), ..in_session(&session, "echo mine") };
    assert_not_found(&caller.refused(foreign).await);
    let again = caller.create_session(wish).await.unwrap_err();
    assert_eq!(again.code, Code::InvalidArgument);
    assert_eq!(again.field, "session_id", "{again:?}");

    let ran = caller.run(in_session(&session, "echo $WHO")).await;
    assert_eq!(ran.printed(), "me\n");
    caller.end_session(id, "usr_one").await.unwrap();
    assert_not_found(&caller.end_session(id, "usr_one").await.unwrap_err());
    assert_not_found(&caller.get_session(id, "usr_one").await.unwrap_err());
    assert_not_found(&caller.refused(in_session(&session, "echo x")).await);
    assert!(caller.list_sessions("usr_one").await.is_empty());
}

#[tokio::test]
async fn runs_in_one_session_take_turns_and_sessions_do_not_wait_for_each_other() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let first = "echo up; until [ -e /tmp/go ]; do sleep 0.02; done; order=$order:first";
    let mut first = caller.execute(in_session(&session, first)).await.unwrap();
    first.says("up").await;
    assert!(caller.is_busy(&session).await);
    let second = in_session(&session, "order=$order:second; echo $order");
    let second = caller.execute(second).await.unwrap();

    let other = CreateSessionRequest { owner: String::from("usr_two"), ..new_session("bash") };
    let other = caller.create_session(other).await.unwrap();
    let elsewhere = ExecuteRequest {
        owner: String::from("usr_two"),
        ..in_session(&other, "ls /tmp; echo [$order]")
    };
    assert_eq!(caller.run(elsewhere).await.printed(), "[]\n");

    caller.cancel(&first.id, "usr_one").await.unwrap();
    assert_eq!(first.finish().await.status(), Status::Cancelled);
    assert_eq!(second.finish().await.printed(), ":second\n");
    eventually("the session is idle", async || (!caller.is_busy(&session).await).then_some(()))
        .await;
}

#[tokio::test]
async fn a_run_that_waits_for_its_turn_can_be_cancelled() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let mut first = caller.execute(in_session(&session, "echo up; sleep 600")).await.unwrap();
    first.says("up").await;
    let second = caller.execute(in_session(&session, "echo never")).await.unwrap();
    caller.cancel(&second.id, "usr_one").await.unwrap();
    let second = second.finish().await;
    assert_eq!((second.status(), second.stdout().as_str()), (Status::Cancelled, ""));
    caller.end_session(&session.session_id, "usr_one").await.unwrap();
    assert_eq!(first.finish().await.status(), Status::Cancelled, "its session was ended");
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let short = CreateSessionRequest { ttl_seconds: 1, ..new_session("bash") };
    let session = caller.create_session(short).await.unwrap();
    let id = session.session_id.as_str();
    let refusal =
        eventually("the session expires", async || caller.get_session(id, "usr_one").await.err())
            .await;
    assert_eq!(refusal.reason, reason::SESSION_EXPIRED);
    assert_eq!(refusal.code, Code::NotFound);
    let refusal = caller.refused(in_session(&session, "echo x")).await;
    assert_eq!(refusal.reason, reason::SESSION_EXPIRED);
    assert!(caller.list_sessions("usr_one").await.is_empty());
    // What has expired for its owner has never been for others.
    assert_not_found(&caller.get_session(id, "usr_two").await.unwrap_err());
}

#[tokio::test]
async fn a_run_in_an_expiring_session_gets_its_outcome() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let short = CreateSessionRequest { ttl_seconds: 1, ..new_session("bash") };
    let session = caller.create_session(short).await.unwrap();
    let ran = caller.run(in_session(&session, "echo up; sleep 600")).await;
    assert_eq!((ran.status(), ran.stdout().as_str()), (Status::Cancelled, "up\n"));
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends() {
    let worker = Worker::bash(&[("SESSION_IDLE_TIMEOUT", "1")]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    // Work is no idleness, however long it takes.
    let ran = caller.run(in_session(&session, "sleep 2.5; echo done")).await;
    assert_eq!(ran.printed(), "done\n");
    let refusal = eventually("the session expires", async || {
        caller.get_session(&session.session_id, "usr_one").await.err()
    })
    .await;
    assert_eq!(refusal.reason, reason::SESSION_EXPIRED);
}

#[tokio::test]
async fn what_does_not_suit_the_session_is_refused() {
    let worker = Worker::bash(&[("MAX_SESSIONS_PER_OWNER", "1")]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();

    let wrong =
        ExecuteRequest { language: String::from("python"), ..in_session(&session, "print(1)") };
    let refusal = caller.refused(wrong).await;
    assert_eq!(refusal.reason, reason::LANGUAGE_UNAVAILABLE, "{refusal:?}");

    let more = Limits { disk_bytes: Some(1 << 20), ..Limits::default() };
    let refusal = caller.refused(limits(more, in_session(&session, "echo x"))).await;
    assert_eq!(refusal.code, Code::InvalidArgument);
    assert_eq!(refusal.field, "limits.disk_bytes", "{refusal:?}");

    let refusal = caller.create_session(new_session("bash")).await.unwrap_err();
    assert_eq!(refusal.code, Code::ResourceExhausted);
    assert_eq!(refusal.reason, reason::TOO_MANY_SESSIONS);
    let other = CreateSessionRequest { owner: unique("usr"), ..new_session("bash") };
    caller.create_session(other).await.unwrap();

    let unknown = ExecuteRequest { session_id: unique("ses"), ..bash("echo x") };
    assert_not_found(&caller.refused(unknown).await);
}

#[tokio::test]
async fn a_context_of_another_language_names_it() {
    let Some(worker) = Worker::start("bash,python", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let context = session.contexts[0].context_id.clone();
    let wrong = ExecuteRequest {
        language: String::from("python"),
        context_id: context.clone(),
        ..in_session(&session, "print(1)")
    };
    let refusal = caller.refused(wrong).await;
    assert_eq!(refusal.code, Code::FailedPrecondition);
    assert_eq!(refusal.reason, reason::LANGUAGE_MISMATCH);
    assert!(refusal.message.contains("bash"), "{refusal:?}");
}

#[tokio::test]
async fn a_run_out_of_time_leaves_the_session_usable() {
    let Some(worker) = Worker::start("python,node,bash", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let short = Limits { wall_ms: Some(300), ..Limits::default() };
    for (language, first, endless, last) in [
        ("python", "x = 1", "while True: pass", "print(x)"),
        ("node", "let x = 1", "for (;;);", "console.log(x)"),
        ("bash", "x=1", "while :; do :; done", "echo $x"),
    ] {
        let session = caller.create_session(new_session(language)).await.unwrap();
        caller.run(in_session(&session, first)).await.printed();
        let ran = caller.run(limits(short, in_session(&session, endless))).await;
        assert_eq!(ran.status(), Status::TimedOut, "{language:?}");
        let lost = ran.outcome().state_lost;
        let ran = caller.run(in_session(&session, last)).await;
        let kept = ran.stdout() == "1\n";
        assert_eq!(kept, !lost, "{language:?}: the answer says whether state was lost: {ran:?}");
    }
}

#[tokio::test]
async fn a_kernel_that_dies_is_replaced_and_the_answer_says_so() {
    let Some(worker) = Worker::start("python,node,bash", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let killed = "import os; os.kill(os.getpid(), 9)";
    for (language, first, dying, after) in [
        (
            "python",
            "x = 1; open('kept', 'w').write('2')",
            killed,
            "print(open('kept').read(), 'x' in globals())",
        ),
        (
            "node",
            "let x = 1; require('fs').writeFileSync('kept', '2')",
            "process.kill(process.pid, 'SIGKILL')",
            "console.log(require('fs').readFileSync('kept', 'utf8'), typeof x !== 'undefined')",
        ),
        ("bash", "x=1; printf 2 > kept", "kill -9 $$", "echo $(cat kept) ${x-false}"),
    ] {
        let session = caller.create_session(new_session(language)).await.unwrap();
        let ran = caller.run(in_session(&session, first)).await;
        assert!(!ran.outcome().state_lost, "{language:?}: {ran:?}");
        let ran = caller.run(in_session(&session, dying)).await;
        assert_eq!(ran.status(), Status::Killed, "{language:?}: {ran:?}");
        assert_eq!(ran.outcome().signal.as_deref(), Some("SIGKILL"));
        assert!(ran.outcome().state_lost, "{language:?}: {ran:?}");
        let ran = caller.run(in_session(&session, after)).await;
        assert_eq!(ran.printed().to_lowercase(), "2 false\n", "{language:?}: files are kept");
    }
}

#[tokio::test]
async fn many_sessions_at_once_stay_apart() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let one = async |number: usize| {
        let session = caller.create_session(new_session("bash")).await.unwrap();
        caller.run(in_session(&session, &format!("n={number}"))).await.printed();
        tokio::time::sleep(Duration::from_millis(1)).await;
        let ran = caller.run(in_session(&session, "echo $n")).await;
        assert_eq!(ran.printed(), format!("{number}\n"));
        caller.end_session(&session.session_id, "usr_one").await.unwrap();
    };
    futures::future::join_all((0..12).map(one)).await;
    assert!(caller.list_sessions("usr_one").await.is_empty());
}
