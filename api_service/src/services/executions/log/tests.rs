use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use tokio::time::timeout;

use super::*;
use crate::domain::event::OutputStream;

fn output(offset: u64, length: usize) -> Event {
    let data = Bytes::from(vec![b'x'; length]);
    Event::Output { stream: OutputStream::Stdout, offset, data }
}

fn failed() -> End {
    End::Failed(Error::GatewayStopping)
}

#[derive(Debug, Clone)]
enum Step {
    Append(usize),
    Follow(u64),
    Read(usize, usize),
    Leave(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..200_usize).prop_map(Step::Append),
        1 => (0..12_u64).prop_map(Step::Follow),
        3 => (any::<usize>(), 0..6_usize).prop_map(|(which, many)| Step::Read(which, many)),
        1 => any::<usize>().prop_map(Step::Leave),
    ]
}

/// A follower and the next number that it must be told of.
struct Reader(Follower, u64);

impl Reader {
    /// Takes what is there; true at the end.
    fn take(&mut self) -> Option<bool> {
        match self.0.look()? {
            Followed::Event(number, event) => {
                assert_eq!(number, self.1);
                let Event::Output { offset, .. } = event else { panic!("{event:?}") };
                assert_eq!(offset, number, "each event keeps its number");
                self.1 += 1;
                Some(false)
            }
            Followed::Gap { first, last } => {
                assert!(first == self.1 && last >= first, "{first}..={last}, not {}", self.1);
                self.1 = last + 1;
                Some(false)
            }
            Followed::End(number, _) => {
                assert_eq!(number, self.1);
                Some(true)
            }
        }
    }
}

proptest! {
    /// Whoever comes and goes when, and whatever makes way: each follower is told of each number once,
    /// in order, as an event or in a gap, and of one end.
    #[test]
    fn each_number_is_told_once_and_in_order(steps in prop::collection::vec(step(), 0..60)) {
        let log = Log::bounded(7, 900);
        let (mut readers, mut appended) = (Vec::<Reader>::new(), 0);
        for step in steps {
            match step {
                Step::Append(length) => {
                    appended += 1;
                    log.append(output(appended, length));
                    let state = log.state();
                    prop_assert!(state.events.len() <= 7 && state.bytes <= 900);
                }
                // Whoever has read further than there is, has not: it stays with what there is.
                Step::Follow(after) => {
                    let after = after.min(appended);
                    readers.push(Reader(Follower::new(log.clone(), after), after + 1));
                }
                Step::Read(which, many) if !readers.is_empty() => {
                    let which = which % readers.len();
                    for _ in 0..many {
                        readers[which].take();
                    }
                }
                Step::Leave(which) if !readers.is_empty() => {
                    readers.swap_remove(which % readers.len());
                }
                Step::Read(..) | Step::Leave(_) => {}
            }
        }
        log.close(failed());
        log.append(output(0, 1));
        for mut reader in readers {
            while reader.take() == Some(false) {}
            prop_assert_eq!(reader.1, appended + 1);
            prop_assert!(reader.0.ended);
        }
    }
}

#[tokio::test]
async fn closing_wakes_all_and_only_the_first_end_counts() {
    let log = Log::new();
    let mut waiting = Follower::new(log.clone(), 0);
    // There is nothing yet that it could have read.
    let mut from_later = Follower::new(log.clone(), 1);
    let for_the_end = Follower::new(log.clone(), 0);
    let early = timeout(Duration::from_millis(20), waiting.next()).await;
    assert!(early.is_err(), "nothing has happened");
    let closing = async {
        tokio::task::yield_now().await;
        log.append(output(1, 3));
        log.close(failed());
        log.close(End::Failed(Error::ExecutionNotFound));
    };
    let all = async {
        let first = waiting.next().await;
        assert!(matches!(first, Some(Followed::Event(1, _))), "{first:?}");
        assert!(matches!(from_later.next().await, Some(Followed::Event(1, _))));
        (waiting.next().await, from_later.next().await)
    };
    let ((one, other), end, ()) = tokio::join!(all, for_the_end.end(), closing);
    for end in [one, other] {
        let stopped = matches!(end, Some(Followed::End(2, End::Failed(Error::GatewayStopping))));
        assert!(stopped, "{end:?}");
    }
    assert!(matches!(end, End::Failed(Error::GatewayStopping)));
    assert!(waiting.next().await.is_none() && from_later.next().await.is_none());
}
