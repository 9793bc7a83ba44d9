//! What followers see of a log, wherever they begin, and that it never holds more than it may.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::timeout;

use super::*;
use crate::sandbox::backend::ProcessId;
use crate::session::processes::drive::KILLED;
use crate::session::processes::events::EndCause;

fn end() -> End {
    End {
        exit: KILLED.exit,
        cause: EndCause::Itself,
        at: std::time::SystemTime::UNIX_EPOCH,
        cpu: Duration::ZERO,
        peak_memory_bytes: 0,
    }
}

fn begun(room: &Room, is_terminal: bool) -> Log {
    let log = Log::new(room, is_terminal);
    log.started(ProcessEvent::Started(ProcessId(7)));
    log
}

/// Bytes of standard output that say where they are.
fn pattern(offset: u64, length: usize) -> Vec<u8> {
    (offset..offset + length as u64).map(|at| (at % 125) as u8).collect()
}

#[test]
fn output_that_nobody_has_seen_is_gathered_and_what_was_seen_stays_as_it_was() {
    let log = begun(&Room::default(), false);
    log.written(Stream::Stdout, b"one ");
    log.written(Stream::Stdout, b"two ");
    log.written(Stream::Stderr, b"oh");
    log.written(Stream::Stdout, b"three ");
    let output = |stream, offset, data: &[u8]| ProcessEvent::Output {
        stream,
        offset,
        data: Vec::from(data),
    };
    let seen = log.read(1, usize::MAX);
    assert_eq!(
        seen.events,
        [
            (2, output(Stream::Stdout, 0, b"one two ")),
            (3, output(Stream::Stderr, 0, b"oh")),
            (4, output(Stream::Stdout, 8, b"three ")),
        ]
    );
    log.written(Stream::Stdout, b"four ");
    log.written(Stream::Stdout, b"five");
    assert_eq!(log.read(4, usize::MAX).events, [(5, output(Stream::Stdout, 14, b"four five"))]);
    assert_eq!(log.read(3, 6).events.len(), 1, "no more than was asked for");
    assert_eq!(log.read(3, 0).events.len(), 1, "and one at least");
    log.ended(end());
    let last = log.read(5, 0);
    assert_eq!((last.events.len(), last.over), (1, true));
    assert_eq!((log.read(0, 0).over, log.read(99, 0).over), (false, true));
    assert_eq!(log.totals(), [23, 2]);
}

#[tokio::test]
async fn who_waits_is_told_at_once_or_at_the_end() {
    let log = begun(&Room::default(), false);
    let none = timeout(Duration::from_millis(20), log.wait(1, 99, false)).await;
    assert!(none.is_err(), "nothing has happened");
    let (first, whole, ()) =
        tokio::join!(log.wait(1, 99, false), log.wait(0, usize::MAX, true), async {
            log.written(Stream::Stdout, b"x");
            tokio::task::yield_now().await;
            log.ended(end());
        });
    assert!(!first.events.is_empty() && whole.over);
    assert_eq!(whole.events.len(), 3);
    assert_eq!(log.over().await, end());
    // So many bytes are enough, too.
    let log = begun(&Room::default(), false);
    log.written(Stream::Stdout, &pattern(0, PIECE));
    assert!(!log.wait(0, PIECE, true).await.over);
}

#[test]
fn the_oldest_make_way_and_who_was_behind_sees_a_jump() {
    let room = Room::default();
    let log = begun(&room, true);
    let mut written = 0;
    for _ in 0..64 {
        log.written(Stream::Stdout, &pattern(written, PIECE));
        written += PIECE as u64;
    }
    let first = log.read(0, 0).events[0].0;
    assert!(first > 40, "{first}");
    let (offset, last) = log.output_from(0, usize::MAX);
    assert!(last.len() >= OWN - PIECE && last.len() <= OWN + PIECE, "{}", last.len());
    assert_eq!((offset + last.len() as u64, &last), (written, &pattern(offset, last.len())));
    assert_eq!(log.output_from(written - 3, 2), (written - 3, pattern(written - 3, 2)));
    assert_eq!(log.output_from(written + 9, 2), (written, Vec::new()));
}

#[test]
fn all_logs_of_a_session_have_so_much_together_and_give_it_back() {
    let room = Room::default();
    let logs: Vec<_> = (0..12).map(|_| begun(&room, false)).collect();
    for log in &logs {
        for _ in 0..512 {
            log.written(Stream::Stderr, &pattern(0, PIECE));
        }
    }
    assert!(room.is_scarce());
    let held: Vec<_> = logs.iter().map(|log| log.read(0, usize::MAX).events.len()).collect();
    assert!(held[0] * PIECE > 2 << 20, "the first has much: {held:?}");
    let least = held.iter().min().unwrap() * PIECE;
    assert!((OWN - 2 * PIECE..=OWN).contains(&least), "each has its own: {held:?}");
    logs.iter().for_each(Log::shrink);
    assert!(!room.is_scarce() && room.none().resize(16 << 20), "all of it is back");
}

proptest! {
    /// However it is written and read: nothing is there twice, and what is missing is a jump.
    #[test]
    fn numbers_and_offsets_tell_what_was_missed(
        steps in proptest::collection::vec((any::<bool>(), 1..PIECE, any::<bool>()), 1..120),
    ) {
        let log = begun(&Room::default(), true);
        let (mut written, mut after, mut next) = ([0_u64; 2], 0, [0_u64; 2]);
        let mut look = |log: &Log| {
            for (number, event) in log.read(after, usize::MAX).events {
                prop_assert!(number > after);
                after = number;
                if let ProcessEvent::Output { stream, offset, data } = event {
                    prop_assert!(offset >= next[stream as usize] && data.len() <= PIECE + 3);
                    prop_assert_eq!(&data, &pattern(offset, data.len()));
                    next[stream as usize] = offset + data.len() as u64;
                }
            }
            Ok(())
        };
        for (is_error, length, looks) in steps {
            let stream = if is_error { Stream::Stderr } else { Stream::Stdout };
            log.written(stream, &pattern(written[stream as usize], length));
            written[stream as usize] += length as u64;
            if looks {
                look(&log)?;
            }
        }
        look(&log)?;
        prop_assert_eq!((next, log.totals()), (written, written), "the last is always there");
    }
}

#[test]
fn an_event_ends_with_a_whole_character_and_a_terminal_shows_all() {
    let log = begun(&Room::default(), true);
    let text = "a\u{20ac}b\u{e9}";
    for (at, byte) in (0..).zip(text.bytes()) {
        log.written(Stream::Stdout, &[byte]);
        log.read(0, usize::MAX);
        assert_eq!(log.output_from(at, 9), (at, vec![byte]));
        assert_eq!(log.output_from(at + 1, 9), (at + 1, Vec::new()));
    }
    log.written(Stream::Stdout, &text.as_bytes()[1..3]);
    log.ended(end());
    let events = log.read(1, usize::MAX).events;
    let output = |event: &ProcessEvent| match event {
        ProcessEvent::Output { data, .. } => data.clone(),
        _ => Vec::new(),
    };
    let pieces: Vec<_> = events.iter().map(|(_, event)| output(event)).collect();
    let whole = ["a", "\u{20ac}", "b", "\u{e9}"].map(Vec::from);
    assert_eq!(pieces[..4], whole);
    assert_eq!(pieces[4..], [text.as_bytes()[1..3].to_vec(), Vec::new()], "at the end as it is");
}
