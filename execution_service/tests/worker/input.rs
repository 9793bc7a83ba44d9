//! Requests that the worker refuses, each with the field's name.

use proto::execution_v1::{CreateSessionRequest, ExecuteRequest, File, Limits, Status};
use proto::wire::reason;
use tonic::Code;

use crate::support::{Refusal, Worker, bash, c, limits, new_session, unique};

#[track_caller]
fn assert_names(refusal: &Refusal, field: &str) {
    assert_eq!(refusal.code, Code::InvalidArgument, "{field}: {refusal:?}");
    assert_eq!(refusal.reason, reason::INVALID_ARGUMENT, "{field}: {refusal:?}");
    assert!(refusal.field.starts_with(field), "{field}: {refusal:?}");
    assert!(!refusal.message.is_empty(), "{field}: {refusal:?}");
}

fn with_limits(change: impl FnOnce(&mut Limits)) -> ExecuteRequest {
    let mut wishes = Limits::default();
    change(&mut wishes);
    limits(wishes, bash("echo x"))
}

fn with_file(path: &str) -> ExecuteRequest {
    let file = File { path: String::from(path), content: Vec::new().into() };
    ExecuteRequest { files: vec![file], ..bash("echo x") }
}

#[tokio::test]
async fn limits_out_of_range_are_named() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    for (field, request) in [
        ("limits.wall_ms", with_limits(|limits| limits.wall_ms = Some(0))),
        ("limits.wall_ms", with_limits(|limits| limits.wall_ms = Some(300_001))),
        ("limits.wall_ms", with_limits(|limits| limits.wall_ms = Some(u64::MAX))),
        ("limits.cpu_ms", with_limits(|limits| limits.cpu_ms = Some(0))),
        ("limits.memory_bytes", with_limits(|limits| limits.memory_bytes = Some(1024))),
        ("limits.memory_bytes", with_limits(|limits| limits.memory_bytes = Some(u64::MAX))),
        ("limits.processes", with_limits(|limits| limits.processes = Some(0))),
        ("limits.processes", with_limits(|limits| limits.processes = Some(u32::MAX))),
        ("limits.disk_bytes", with_limits(|limits| limits.disk_bytes = Some(1))),
        ("limits.disk_bytes", with_limits(|limits| limits.disk_bytes = Some(u64::MAX))),
        ("limits.inodes", with_limits(|limits| limits.inodes = Some(0))),
        ("limits.output_bytes", with_limits(|limits| limits.output_bytes = Some(1 << 40))),
        ("limits.open_files", with_limits(|limits| limits.open_files = Some(3))),
    ] {
        assert_names(&caller.refused(request).await, field);
    }
    let least = with_limits(|limits| limits.processes = Some(1));
    assert_eq!(caller.run(least).await.printed(), "x\n");
}

#[tokio::test]
async fn fields_that_make_no_sense_are_named() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let text = String::from;
    for (field, request) in [
        ("execution_id", ExecuteRequest { execution_id: text(""), ..bash("") }),
        ("execution_id", ExecuteRequest { execution_id: text("a b"), ..bash("") }),
        ("owner", ExecuteRequest { owner: text(""), ..bash("") }),
        ("session_id", ExecuteRequest { session_id: "s".repeat(200), ..bash("") }),
        ("language", ExecuteRequest { language: String::new(), ..bash("") }),
        ("language", ExecuteRequest { language: String::from("cobol"), ..bash("") }),
        ("code", bash("echo \0")),
        ("code", bash(&"#".repeat(5 << 20))),
        ("args", ExecuteRequest { args: vec![text("a\0b")], ..bash("") }),
        ("env", ExecuteRequest { env: [(text("A=B"), text(""))].into(), ..bash("") }),
        ("env", ExecuteRequest { env: [(text(""), text(""))].into(), ..bash("") }),
        ("env.A", ExecuteRequest { env: [(text("A"), text("\0"))].into(), ..bash("") }),
        ("files", with_file("")),
        ("files", with_file("/etc/passwd")),
        ("files", with_file("../up")),
        ("files", with_file("a/../../up")),
        ("files", with_file("a/./b")),
        ("files", with_file("a//b")),
        ("files", with_file("a\0b")),
        ("files", with_file("ä/../b")),
        ("files", with_file("a: b/../c")),
        ("files", with_file(&"n".repeat(256))),
    ] {
        assert_names(&caller.refused(request).await, field);
    }
}

#[tokio::test]
async fn one_name_for_a_file_and_a_folder_is_no_fault_of_the_worker() {
    let worker = Worker::bash(&[]).await;
    let file = |path: &str| File { path: String::from(path), content: Vec::new().into() };
    let request = ExecuteRequest { files: vec![file("a"), file("a/b")], ..bash("echo x") };
    let ran = worker.caller().await.run(request).await;
    assert_eq!((ran.status(), ran.stdout().as_str()), (Status::Failed, ""), "{ran:?}");
    let diagnostic = ran.outcome().diagnostic.as_ref().unwrap();
    assert!(format!("{diagnostic:?}").contains("a/b"), "it names the file: {diagnostic:?}");
}

#[tokio::test]
async fn files_that_do_not_fit_fill_the_disk() {
    let worker = Worker::bash(&[]).await;
    let small = Limits { disk_bytes: Some(1 << 20), ..Limits::default() };
    let big = File { path: String::from("big"), content: vec![7; 4 << 20].into() };
    let request = ExecuteRequest { files: vec![big], ..limits(small, bash("echo x")) };
    let ran = worker.caller().await.run(request).await;
    assert_eq!((ran.status(), ran.limit()), (Status::DiskLimitExceeded, "disk"), "{ran:?}");
    assert_eq!(ran.stdout(), "", "it was not run on half of its files");
}

#[tokio::test]
async fn an_execution_id_that_runs_already_is_refused() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let mut first = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    first.says("up").await;
    let second = ExecuteRequest { execution_id: first.id.clone(), ..bash("echo x") };
    assert_names(&caller.refused(second).await, "execution_id");
    caller.cancel(&first.id, "usr_one").await.unwrap();
    first.finish().await;
}

#[tokio::test]
async fn compiler_flags_outside_of_the_list_are_refused() {
    let Some(worker) = Worker::start("c", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let program = "#include <stdio.h>\nint main(void) { printf(\"%d\\n\", N); }";
    let with = |flags: &[&str]| ExecuteRequest {
        compiler_flags: flags.iter().copied().map(String::from).collect(),
        ..c(program)
    };
    for flag in
        ["-fplugin=x.so", "-B/tmp", "@file", "-o", "/etc/passwd", "-Wl,-rpath,/tmp", "-DN=1;x", ""]
    {
        assert_names(&caller.refused(with(&["-DN=1", flag])).await, "compiler_flags");
    }
    let ran = caller.run(with(&["-O2", "-std=c17", "-Wall", "-DN=7", "-lm"])).await;
    assert_eq!(ran.printed(), "7\n");
}

#[tokio::test]
async fn a_session_that_cannot_be_is_refused() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let wish = || new_session("bash");
    let tiny = Limits { memory_bytes: Some(1), ..Limits::default() };
    for (field, request) in [
        ("ttl", CreateSessionRequest { ttl_seconds: 0, ..wish() }),
        ("ttl", CreateSessionRequest { ttl_seconds: u32::MAX, ..wish() }),
        ("session_id", CreateSessionRequest { session_id: String::new(), ..wish() }),
        ("owner", CreateSessionRequest { owner: String::new(), ..wish() }),
        ("language", CreateSessionRequest { language: String::from("cobol"), ..wish() }),
        ("limits.memory_bytes", CreateSessionRequest { limits: Some(tiny), ..wish() }),
    ] {
        assert_names(&caller.create_session(request).await.unwrap_err(), field);
    }
    assert!(caller.list_sessions("usr_one").await.is_empty(), "nothing was begun");
}

#[tokio::test]
async fn a_language_that_is_not_offered_is_a_plain_answer() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let refusal = caller.refused(c("int main(void) { return 0; }")).await;
    assert_eq!(refusal.code, Code::FailedPrecondition);
    assert_eq!(refusal.reason, reason::LANGUAGE_UNAVAILABLE);
    let wish = CreateSessionRequest { session_id: unique("ses"), ..new_session("node") };
    let refusal = caller.create_session(wish).await.unwrap_err();
    assert_eq!(refusal.reason, reason::LANGUAGE_UNAVAILABLE);
}

#[tokio::test]
async fn long_arguments_and_variables_arrive_whole() {
    let Some(worker) = Worker::start("bash,c", &[]).await else { return };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("c")).await.expect("room");
    let measure = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\
        int main(int count, char **args) { size_t sum = strlen(getenv(\"LONG\")); \
        while (--count) sum += strlen(args[count]); printf(\"%zu\\n\", sum); }";
    let long = "x".repeat(120_000);
    for session_id in [session.session_id, String::new()] {
        let request = ExecuteRequest {
            session_id,
            args: vec![long.clone(); 8],
            env: [(String::from("LONG"), long.clone())].into(),
            ..c(measure)
        };
        let ran = caller.run(request).await;
        assert_eq!(ran.printed(), "1080000\n", "{ran:?}");
    }
}
