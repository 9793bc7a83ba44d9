//! Shares, order and bounds of the queue; what becomes of tickets that are dropped.

use std::time::Duration;

use super::queue::{Candidate, Entry, Queue};
use super::*;

/// A queue, and who has which number.
struct Crowd {
    queue: Queue,
    runs: Vec<(&'static str, Option<&'static str>)>,
}

impl Crowd {
    fn new(slots: usize, waiting: usize, waiting_of_one: usize) -> Self {
        Self { queue: Queue::new(Size { slots, waiting, waiting_of_one }), runs: Vec::new() }
    }

    /// One more run of `owner`: its number, and what became of it.
    fn enter(&mut self, owner: &'static str, session: Option<&'static str>) -> Entered {
        let number = self.runs.len() as u64;
        self.runs.push((owner, session));
        let (owner, session) = (String::from(owner), session.map(String::from));
        (number, self.queue.enter(Candidate { number, owner, session }))
    }

    fn starts(&mut self, owner: &'static str) -> u64 {
        let (number, entry) = self.enter(owner, None);
        assert_eq!(entry, Ok(Entry::Starts), "{owner}");
        number
    }

    fn waits(&mut self, owner: &'static str) -> u64 {
        let (number, entry) = self.enter(owner, None);
        assert_eq!(entry, Ok(Entry::Waits), "{owner}");
        number
    }

    /// How many of `many` runs of `owner` start at once.
    fn flood(&mut self, owner: &'static str, many: usize) -> usize {
        (0..many).filter(|_| self.enter(owner, None).1 == Ok(Entry::Starts)).count()
    }

    /// The end of a run, and who gets going by it.
    fn finish(&mut self, number: u64) -> Vec<u64> {
        let (owner, session) = self.runs[usize::try_from(number).unwrap()];
        self.queue.finish(owner, session);
        std::iter::from_fn(|| self.queue.next()).collect()
    }
}

type Entered = (u64, Result<Entry, Full>);

#[test]
fn one_owner_never_has_every_slot_unless_there_is_only_one() {
    for (slots, share) in [(1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (32, 22)] {
        let mut crowd = Crowd::new(slots, 1000, 1000);
        assert_eq!(crowd.flood("greedy", 100), share, "of {slots}");
        let free = slots - share;
        assert_eq!(crowd.flood("newcomer", 1), free.min(1), "of {slots}");
    }
}

#[test]
fn several_greedy_owners_still_leave_slots_free() {
    let mut crowd = Crowd::new(32, 1000, 1000);
    assert_eq!(["a", "b", "c"].map(|owner| crowd.flood(owner, 50)), [22, 7, 2]);
    crowd.starts("newcomer");
}

#[test]
fn owners_who_wait_are_served_in_turn_however_much_each_of_them_wants() {
    let mut crowd = Crowd::new(1, 100, 100);
    let mut last = crowd.starts("a");
    let waiting = ["a", "a", "a", "b", "b", "c"].map(|owner| crowd.waits(owner));
    let mut order = Vec::new();
    for _ in waiting {
        let started = crowd.finish(last);
        assert_eq!(started.len(), 1, "one slot, one start");
        last = started[0];
        order.push(crowd.runs[usize::try_from(last).unwrap()].0);
    }
    assert_eq!(order, ["a", "b", "c", "a", "b", "a"]);
    assert!(crowd.finish(last).is_empty());
    assert_eq!((crowd.queue.running(), crowd.queue.waiting()), (0, 0));
}

#[test]
fn an_owner_above_its_share_is_passed_over_and_served_when_it_is_below_again() {
    let mut crowd = Crowd::new(2, 100, 100);
    let first = crowd.starts("greedy");
    let second = crowd.waits("greedy");
    let other = crowd.starts("other");
    let third = crowd.waits("other");
    // One free slot is not for one who has a slot already.
    assert_eq!(crowd.finish(other), [third]);
    assert_eq!(crowd.finish(first), [second]);
}

#[test]
fn runs_of_a_session_go_on_one_after_the_other_and_hold_up_nobody_else() {
    let mut crowd = Crowd::new(8, 100, 100);
    let (first, entry) = crowd.enter("a", Some("ses"));
    assert_eq!(entry, Ok(Entry::Starts));
    let later: Vec<u64> = (0..3)
        .map(|_| crowd.enter("a", Some("ses")))
        .map(|(number, entry)| (entry == Ok(Entry::Waits)).then_some(number).unwrap())
        .collect();
    assert_eq!(crowd.queue.running(), 1, "who waits for a session holds no slot");
    crowd.starts("a");
    assert_eq!(crowd.finish(first), later[..1]);
    assert_eq!(crowd.finish(later[0]), later[1..2]);
    assert_eq!(crowd.finish(later[1]), later[2..]);
}

#[test]
fn both_queues_are_bounded_and_tell_the_place_one_would_have_had() {
    let mut crowd = Crowd::new(1, 5, 3);
    crowd.starts("a");
    for _ in 0..3 {
        crowd.waits("a");
    }
    let own = Full { bound: Bound::Owner, position: 4, length: 3 };
    assert_eq!(crowd.enter("a", None).1, Err(own));
    crowd.waits("b");
    crowd.waits("c");
    // In each round every owner is served once: behind the first of a, b and c.
    let all = Full { bound: Bound::Worker, position: 4, length: 5 };
    assert_eq!(crowd.enter("d", None).1, Err(all));
    // Behind a, b, c and a again.
    let all = Full { bound: Bound::Worker, position: 5, length: 5 };
    assert_eq!(crowd.enter("b", None).1, Err(all));
}

#[test]
fn without_a_queue_a_run_starts_or_is_refused() {
    let mut crowd = Crowd::new(1, 0, 64);
    crowd.starts("a");
    let refused = Full { bound: Bound::Worker, position: 1, length: 0 };
    assert_eq!(crowd.enter("b", None).1, Err(refused));
}

#[test]
fn who_leaves_is_skipped() {
    let mut crowd = Crowd::new(1, 100, 100);
    let first = crowd.starts("a");
    let (second, third) = (crowd.waits("b"), crowd.waits("b"));
    assert_eq!(crowd.queue.leave(second, "b"), Some(1));
    assert_eq!(crowd.queue.leave(second, "b"), None);
    assert_eq!(crowd.finish(first), [third]);
    assert_eq!(crowd.queue.leave(third, "b"), None, "it runs");
}

#[test]
fn in_any_order_of_events_no_slot_is_lost_and_nobody_starves() {
    const OWNERS: [&str; 5] = ["a", "b", "c", "d", "e"];
    const SESSIONS: [Option<&str>; 5] = [None, None, None, Some("one"), Some("two")];
    // Numbers that look random and are the same each time.
    let mut seed = 1u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for slots in [1, 2, 3, 7] {
        let mut crowd = Crowd::new(slots, 40, 12);
        let (mut running, mut waiting) = (Vec::new(), Vec::new());
        for _ in 0..5_000 {
            match random(5) {
                0..3 => {
                    let owner = OWNERS[random(5)];
                    // A session belongs to one owner.
                    let session = SESSIONS[random(5)].filter(|_| owner == "a");
                    match crowd.enter(owner, session) {
                        (number, Ok(Entry::Starts)) => running.push(number),
                        (number, Ok(Entry::Waits)) => waiting.push(number),
                        (_, Err(_)) => {}
                    }
                }
                3 if !waiting.is_empty() => {
                    let number = waiting.swap_remove(random(waiting.len()));
                    let owner = crowd.runs[usize::try_from(number).unwrap()].0;
                    assert!(crowd.queue.leave(number, owner).is_some());
                }
                _ if !running.is_empty() => {
                    let number = running.swap_remove(random(running.len()));
                    let started = crowd.finish(number);
                    waiting.retain(|number| !started.contains(number));
                    running.extend(started);
                }
                _ => {}
            }
            let counted = (crowd.queue.running(), crowd.queue.waiting());
            assert_eq!(counted, (running.len(), waiting.len()));
            assert!(running.len() <= slots);
            assert!(waiting.is_empty() || !running.is_empty(), "all wait and nothing runs");
        }
        while let Some(number) = running.pop() {
            running.extend(crowd.finish(number));
        }
        assert_eq!((crowd.queue.running(), crowd.queue.waiting()), (0, 0), "everybody was served");
    }
}

fn admission(slots: usize) -> Arc<Admission> {
    Admission::new(Size { slots, waiting: 100, waiting_of_one: 50 })
}

#[tokio::test]
async fn a_dropped_ticket_leaves_and_is_counted_and_a_dropped_permit_is_handed_on() {
    let admission = admission(1);
    let permit = admission.enter("a", None).unwrap().turn(None).await.unwrap();
    let leaves = admission.enter("b", None).unwrap();
    let stays = admission.enter("b", None).unwrap();
    drop(leaves);
    assert_eq!(admission.tally(), Tally { cancelled: 1, ..Tally::default() });
    drop(permit);
    stays.turn(None).await.unwrap();
}

#[tokio::test]
async fn a_slot_that_comes_to_one_who_goes_away_is_not_lost() {
    let admission = admission(1);
    let permit = admission.enter("a", None).unwrap().turn(None).await.unwrap();
    let (unheard, next) =
        (admission.enter("b", None).unwrap(), admission.enter("c", None).unwrap());
    // The bell rings while nobody listens, and then the ticket goes.
    drop(permit);
    drop(unheard);
    next.turn(None).await.unwrap();
    assert_eq!(admission.tally(), Tally::default());
}

#[tokio::test]
async fn a_panic_and_an_abort_give_the_slot_back() {
    let admission = admission(1);
    let ticket = admission.enter("a", None).unwrap();
    let broken = tokio::spawn(async move {
        let _permit = ticket.turn(None).await.unwrap();
        panic!("on purpose");
    });
    assert!(broken.await.unwrap_err().is_panic());
    let ticket = admission.enter("a", None).unwrap();
    let endless = tokio::spawn(async move {
        let _permit = ticket.turn(None).await.unwrap();
        std::future::pending::<()>().await;
    });
    let next = admission.enter("b", None).unwrap();
    endless.abort();
    next.turn(None).await.unwrap();
}

#[tokio::test]
async fn who_cannot_begin_in_time_is_refused_and_leaves_the_queue() {
    let admission = admission(1);
    let permit = admission.enter("a", None).unwrap().turn(None).await.unwrap();
    let latest = Instant::now() + Duration::from_millis(20);
    let overdue = admission.enter("b", None).unwrap().turn(Some(latest)).await;
    let overdue = overdue.err().expect("there is no slot");
    assert_eq!((overdue.bound, overdue.position, overdue.length), (Bound::Worker, 1, 1));
    assert!(Instant::now() >= latest);
    assert_eq!(admission.tally(), Tally { overdue: 1, ..Tally::default() });
    drop(permit);
    // The slot is free and no ghost has it.
    admission.enter("c", None).unwrap().turn(Some(Instant::now())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_many_threads_is_served_to_the_last() {
    let admission = Admission::new(Size { slots: 3, waiting: 2_000, waiting_of_one: 2_000 });
    let runs: Vec<_> = (0..1_000)
        .map(|number: usize| {
            let session = (number.is_multiple_of(7)).then_some("ses");
            let owner = if session.is_some() { "a" } else { ["a", "b", "c"][number % 3] };
            let ticket = admission.enter(owner, session).unwrap();
            tokio::spawn(async move {
                if number.is_multiple_of(5) {
                    return;
                }
                let _permit = ticket.turn(None).await.unwrap();
                tokio::task::yield_now().await;
            })
        })
        .collect();
    let all = futures::future::join_all(runs);
    let all = tokio::time::timeout(Duration::from_secs(30), all).await.expect("a lost wakeup");
    assert!(all.iter().all(Result::is_ok));
    let state = admission.lock();
    assert_eq!((state.queue.running(), state.queue.waiting(), state.bells.len()), (0, 0, 0));
}
