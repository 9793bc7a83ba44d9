//! Each with a disk that stands still until it is told to go on.

use std::pin::pin;
use std::sync::mpsc::Sender;
use std::time::Duration;

use futures::FutureExt;
use tempfile::TempDir;

use super::*;
use crate::execution::outputs::{BEHIND, Bounds, Kept, OutputDirectory};
use crate::execution::stream::Stream;

const CHUNK: &[u8] = &[b'x'; 100_000];

/// A store in a directory of its own.
fn store() -> (TempDir, Arc<Outputs>) {
    let directory = tempfile::tempdir().unwrap();
    let place = OutputDirectory::prepare(&directory.path().join("outputs"), None).unwrap();
    let bounds = Bounds {
        stream: u64::MAX,
        total: 100 << 20,
        retention: Duration::from_secs(60),
        known_to_caller: 1000,
    };
    (directory, Outputs::open_in(place, bounds).unwrap())
}

fn files(directory: &TempDir) -> usize {
    std::fs::read_dir(directory.path().join("outputs")).unwrap().count()
}

fn recorder(store: &Arc<Outputs>, execution: &str) -> Recorder {
    let name = Name { execution: String::from(execution), kept: Kept::Stream(Stream::Stdout) };
    Recorder::new(Some(store), name, "a")
}

/// A finished stream of one chunk, if it is finished at once.
fn finished(store: &Arc<Outputs>, execution: &str) -> Option<Option<Stored>> {
    let mut recorder = recorder(store, execution);
    recorder.push(CHUNK);
    recorder.finish(false).now_or_never()
}

/// The one thread that may touch the disk does not come back until the sender is dropped.
fn with_a_stuck_disk(test: impl AsyncFnOnce(Sender<()>)) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let stuck = tokio::task::spawn_blocking(move || held.recv());
        test(release).await;
        assert!(stuck.await.unwrap().is_err());
    });
}

#[test]
fn a_slow_disk_holds_up_the_program_and_loses_nothing() {
    let (_directory, store) = store();
    with_a_stuck_disk(async |release| {
        let mut recorder = recorder(&store, "1");
        let mut pushed = 0;
        while recorder.room().now_or_never().is_some() {
            recorder.push(CHUNK);
            pushed += length_of(CHUNK);
            assert!(pushed < 3_000_000, "it is all in memory");
            tokio::task::yield_now().await;
        }
        drop(release);
        recorder.room().await;
        recorder.push(CHUNK);
        pushed += length_of(CHUNK);
        let stored = recorder.finish(false).await.expect("it is stored");
        assert_eq!(stored.bytes, pushed);
        let reading =
            store.open("1", "a", Kept::Stream(Stream::Stdout)).await.unwrap().expect("it is there");
        assert_eq!((reading.bytes(), reading.total()), (pushed, pushed));
    });
}

#[test]
fn an_answer_does_not_wait_for_its_file_and_a_reader_does() {
    let (_directory, store) = store();
    with_a_stuck_disk(async |release| {
        let stored = finished(&store, "1").expect("it waits for nothing").expect("it is stored");
        assert_eq!(stored.bytes, length_of(CHUNK));
        assert!(
            store.open("1", "b", Kept::Stream(Stream::Stdout)).await.unwrap().is_none(),
            "somebody else's"
        );
        let mut reading = pin!(store.open("1", "a", Kept::Stream(Stream::Stdout)));
        assert!(reading.as_mut().now_or_never().is_none(), "there is no byte of it yet");
        drop(release);
        let reading = reading.await.unwrap().expect("it is there");
        assert_eq!(reading.bytes(), length_of(CHUNK));
        assert!(reading.piece(0, u64::MAX).await.unwrap() == CHUNK);
    });
}

#[test]
fn answers_wait_for_a_disk_that_is_far_behind() {
    let (_directory, store) = store();
    with_a_stuck_disk(async |release| {
        for execution in 0..BEHIND {
            assert!(finished(&store, &execution.to_string()).flatten().is_some());
        }
        let mut late = recorder(&store, "late");
        late.push(CHUNK);
        let mut late = pin!(late.finish(false));
        assert!(late.as_mut().now_or_never().is_none(), "too much is in memory");
        drop(release);
        assert_eq!(late.await.expect("it is stored").bytes, length_of(CHUNK));
        assert!(store.open("late", "a", Kept::Stream(Stream::Stdout)).await.unwrap().is_some());
    });
}

#[test]
fn a_file_that_cannot_be_written_behind_its_answer_is_not_there() {
    let (directory, store) = store();
    with_a_stuck_disk(async |release| {
        assert!(finished(&store, "1").flatten().is_some());
        std::fs::remove_dir(directory.path().join("outputs")).unwrap();
        drop(release);
        assert!(store.open("1", "a", Kept::Stream(Stream::Stdout)).await.unwrap().is_none());
    });
}

#[test]
fn the_end_waits_for_what_is_still_written_and_leaves_nothing() {
    let (directory, store) = store();
    with_a_stuck_disk(async |release| {
        assert!(finished(&store, "1").flatten().is_some());
        let mut end = pin!(store.close());
        assert!(end.as_mut().now_or_never().is_none());
        drop(release);
        end.await;
    });
    assert_eq!(files(&directory), 0);
}

#[test]
fn what_nobody_finishes_leaves_nothing() {
    let (directory, store) = store();
    with_a_stuck_disk(async |release| {
        let mut recorder = recorder(&store, "1");
        recorder.push(CHUNK);
        drop(recorder);
        drop(release);
        assert!(store.open("1", "a", Kept::Stream(Stream::Stdout)).await.unwrap().is_none());
        store.close().await;
    });
    assert_eq!(files(&directory), 0);
}
