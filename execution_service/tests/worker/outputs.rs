//! Output that is longer than an answer, or no text, can be had as it was written, for a while.

use std::fs;
use std::path::Path;

use proto::execution_v1::{Limits, Status, Stream};
use proto::wire::reason;
use rustix::process::{Signal, kill_process};
use tempfile::TempDir;

use crate::support::{OWNER, Ran, Worker, bash, c, children_of, eventually, limits};

/// A directory for a worker's outputs. As root, nobody but root can walk to it.
fn place() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let outputs = directory.path().join("outputs").display().to_string();
    (directory, outputs)
}

fn files(outputs: &str) -> Vec<u64> {
    let entries = fs::read_dir(outputs).unwrap();
    // One may be removed just now.
    entries.filter_map(|entry| Some(entry.unwrap().metadata().ok()?.len())).collect()
}

/// Files are written behind the answers, and removed behind what removes them.
async fn lie_there(outputs: &str, sizes: &[u64]) {
    eventually("the files are as they shall be", async || (files(outputs) == sizes).then_some(()))
        .await;
}

/// `N` of `seq 1 N`, and what that prints.
const NUMBERS: u32 = 300_000;

fn numbers() -> Vec<u8> {
    (1..=NUMBERS).flat_map(|number| format!("{number}\n").into_bytes()).collect()
}

fn stored(ran: &Ran) -> (bool, u64) {
    let totals = ran.outcome().stdout.unwrap();
    (totals.stored, totals.stored_bytes)
}

#[tokio::test]
async fn a_long_stream_is_there_as_a_whole_and_in_ranges() {
    let (_directory, outputs) = place();
    let worker = Worker::bash(&[("OUTPUT_DIR", &outputs)]).await;
    let caller = worker.caller().await;
    let running = caller.execute(bash(&format!("seq 1 {NUMBERS}"))).await.unwrap();
    let id = running.id.clone();
    let ran = running.finish().await;
    let whole = numbers();
    let totals = ran.outcome().stdout.unwrap();
    assert_eq!((totals.bytes, totals.truncated), (whole.len() as u64, true));
    assert_eq!(stored(&ran), (true, whole.len() as u64));

    let read = async |offset, length| {
        caller.read_output(&id, OWNER, Stream::Stdout, offset, length).await.unwrap()
    };
    assert!(read(0, u64::MAX).await == (whole.len() as u64, whole.len() as u64, whole.clone()));
    assert_eq!(read(1_000_000, 10).await.2, &whole[1_000_000..1_000_010]);
    assert_eq!(read(0, 0).await.2, b"", "only how much there is");
    assert_eq!(read(whole.len() as u64 - 2, u64::MAX).await.2, &whole[whole.len() - 2..]);
    assert_eq!(read(u64::MAX, u64::MAX).await.2, b"", "past the end");

    let refused = async |id: &str, owner, stream| {
        caller.read_output(id, owner, stream, 0, u64::MAX).await.unwrap_err().reason
    };
    assert_eq!(refused(&id, "usr_two", Stream::Stdout).await, reason::OUTPUT_NOT_FOUND);
    assert_eq!(refused("exe_none", OWNER, Stream::Stdout).await, reason::OUTPUT_NOT_FOUND);
    assert_eq!(refused(&id, OWNER, Stream::Stderr).await, reason::OUTPUT_NOT_FOUND, "it is empty");
    assert_eq!(refused(&id, OWNER, Stream::Unspecified).await, reason::INVALID_ARGUMENT);
}

#[tokio::test]
async fn short_text_makes_no_file_and_short_bytes_do() {
    let (_directory, outputs) = place();
    let worker = Worker::bash(&[("OUTPUT_DIR", &outputs)]).await;
    let caller = worker.caller().await;
    let text = caller.run(bash("seq 1 10000; printf 'héllo' >&2")).await;
    assert_eq!(stored(&text), (false, 0));
    assert_eq!(files(&outputs), [0; 0]);
    let bytes = caller.execute(bash(r"printf 'a\xffb'")).await.unwrap();
    let id = bytes.id.clone();
    assert_eq!(stored(&bytes.finish().await), (true, 3));
    let read = caller.read_output(&id, OWNER, Stream::Stdout, 0, u64::MAX).await.unwrap();
    assert_eq!(read, (3, 3, b"a\xffb".to_vec()));
    let little = Limits { output_bytes: Some(1024), ..Limits::default() };
    let cut = caller.run(limits(little, bash("seq 1 1000"))).await;
    assert_eq!(stored(&cut), (true, 3893), "what the answer lacks is short, and kept");
}

#[tokio::test]
async fn a_compiler_and_its_program_write_to_one_stream() {
    let (_directory, outputs) = place();
    let settings = [("OUTPUT_DIR", &*outputs)];
    let Some(worker) = Worker::start("c", &settings).await else {
        return;
    };
    let caller = worker.caller().await;
    let source = "#warning careful\n#include <stdio.h>\n\
        int main(void) { for (int i = 0; i < 100000; i++) fputs(\"x\", stderr); }";
    // The second time the program comes out of the cache, and its warnings do.
    for _ in 0..2 {
        let running = caller.execute(c(source)).await.unwrap();
        let id = running.id.clone();
        let ran = running.finish().await;
        assert_eq!(ran.status(), Status::Succeeded, "{ran:?}");
        let (bytes, total, data) =
            caller.read_output(&id, OWNER, Stream::Stderr, 0, u64::MAX).await.unwrap();
        assert_eq!((bytes, total), (data.len() as u64, data.len() as u64));
        assert_eq!(ran.outcome().stderr.unwrap().bytes, total);
        let text = String::from_utf8(data).unwrap();
        assert!(text.contains("careful") && text.ends_with(&"x".repeat(100_000)), "{total}");
    }
}

#[tokio::test]
async fn beyond_its_cap_a_stream_is_only_counted_and_a_flood_ends() {
    let (_directory, outputs) = place();
    let settings = [
        ("OUTPUT_DIR", &*outputs),
        ("MAX_STORED_OUTPUT_BYTES", "1000000"),
        ("HARD_OUTPUT_BYTES", "20000000"),
    ];
    let worker = Worker::bash(&settings).await;
    let caller = worker.caller().await;
    let ran = caller.run(bash("yes | head -c 3000000")).await;
    assert_eq!((stored(&ran), ran.outcome().stdout.unwrap().bytes), ((true, 1_000_000), 3_000_000));
    let ran = caller.run(bash("yes")).await;
    assert_eq!((ran.status(), stored(&ran)), (Status::OutputLimitExceeded, (true, 1_000_000)));
    lie_there(&outputs, &[1_000_000, 1_000_000]).await;
}

#[tokio::test]
async fn an_owner_has_half_and_the_oldest_makes_way() {
    let (_directory, outputs) = place();
    let settings = [("OUTPUT_DIR", &*outputs), ("OUTPUT_STORE_BYTES", "1000000")];
    let worker = Worker::bash(&settings).await;
    let caller = worker.caller().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let running = caller.execute(bash("yes | head -c 200000")).await.unwrap();
        ids.push(running.id.clone());
        assert_eq!(stored(&running.finish().await), (true, 200_000));
        // What is still being written does not make way, and to read it is to wait for it.
        let written = caller.read_output(&ids[ids.len() - 1], OWNER, Stream::Stdout, 0, 0).await;
        assert_eq!(written.unwrap().0, 200_000);
    }
    lie_there(&outputs, &[200_000, 200_000]).await;
    let read = async |id| caller.read_output(id, OWNER, Stream::Stdout, 0, 0).await;
    assert_eq!(read(&ids[0]).await.unwrap_err().reason, reason::OUTPUT_NOT_FOUND);
    assert_eq!(read(&ids[4]).await.unwrap().0, 200_000);
    let ran = caller.run(bash("yes | head -c 700000")).await;
    let (is_stored, bytes) = stored(&ran);
    assert!(is_stored && (490_000..=500_000).contains(&bytes), "half, and marked: {bytes}");
    assert_eq!(ran.status(), Status::Succeeded);
}

#[tokio::test]
async fn it_is_forgotten_in_time() {
    let (_directory, outputs) = place();
    let settings = [("OUTPUT_DIR", &*outputs), ("OUTPUT_RETENTION_SECONDS", "0.5")];
    let worker = Worker::bash(&settings).await;
    let caller = worker.caller().await;
    let running = caller.execute(bash("yes | head -c 200000")).await.unwrap();
    let id = running.id.clone();
    assert!(stored(&running.finish().await).0);
    let refused = eventually("it is forgotten", async || {
        caller.read_output(&id, OWNER, Stream::Stdout, 0, u64::MAX).await.err()
    });
    assert_eq!(refused.await.reason, reason::OUTPUT_NOT_FOUND);
    lie_there(&outputs, &[]).await;
}

#[tokio::test]
async fn what_a_killed_worker_leaves_the_next_removes_and_reports() {
    let (_directory, outputs) = place();
    let settings = [("OUTPUT_DIR", &*outputs)];
    let first = Worker::bash(&settings).await;
    first.caller().await.run(bash("yes | head -c 200000")).await;
    lie_there(&outputs, &[200_000]).await;
    // The first child is the worker itself; its parent, which waits for it, would end it in order.
    kill_process(children_of(first.pid())[0], Signal::KILL).unwrap();
    drop(first);
    let mut second = Worker::bash(&settings).await;
    second.caller().await.run(bash("yes | head -c 100000")).await;
    lie_there(&outputs, &[100_000]).await;
    let log = second.log();
    assert!(log.contains(r#""count":1"#) && log.contains(r#""bytes":200000"#), "{log}");
    second.terminate();
    second.ended().await;
    assert_eq!(files(&outputs), [0; 0], "an ordered end leaves nothing");
}

#[tokio::test]
async fn a_full_disk_costs_the_output_and_nothing_else() {
    let (directory, _) = place();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"])
        .arg(directory.path())
        .stderr(std::process::Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a_full_disk_costs_the_output_and_nothing_else (mount is not allowed)");
        return;
    }
    let _mounted = Mounted(directory.path());
    let outputs = directory.path().join("outputs").display().to_string();
    {
        let worker = Worker::bash(&[("OUTPUT_DIR", &outputs)]).await;
        let caller = worker.caller().await;
        let running = caller.execute(bash("yes | head -c 3000000")).await.unwrap();
        let id = running.id.clone();
        let ran = running.finish().await;
        assert_eq!(ran.status(), Status::Succeeded);
        assert_eq!(ran.outcome().stdout.unwrap().bytes, 3_000_000);
        assert!(stored(&ran).0, "as far as it goes");
        let read = caller.read_output(&id, OWNER, Stream::Stdout, 0, u64::MAX).await.unwrap();
        let (bytes, total, data) = read;
        assert_eq!((total, data.len() as u64), (3_000_000, bytes));
        assert!((300_000..=524_288).contains(&bytes), "{bytes}");
        assert!(worker.log().contains("in part only"), "{}", worker.log());
    }
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").args(["-l".as_ref(), self.0]).status();
    }
}
