//! Who has to make way for whom.

use std::time::Duration;

use super::*;

const UNIT: u64 = 4 * BLOCK;

fn shelf(units: u64) -> Shelf {
    Shelf::new(Bounds {
        stream: u64::MAX,
        total: units * UNIT,
        retention: Duration::ZERO,
        known_to_caller: 0,
    })
}

fn name(execution: &str) -> Name {
    Name { execution: String::from(execution), stream: Stream::Stdout }
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// All of it is written, and its run is over.
fn finish(shelf: &mut Shelf, number: Number, bytes: u64, total: u64) -> Vec<Number> {
    shelf.complete(number, bytes);
    shelf.publish(number, total, later())
}

/// Adds a file of one unit; gives its number and who had to go.
fn put(shelf: &mut Shelf, execution: &str, owner: &str) -> (Number, Vec<Number>) {
    let number = shelf.begin(name(execution), owner);
    let (evicted, granted) = shelf.grow(number, UNIT);
    assert_eq!(granted, UNIT);
    finish(shelf, number, UNIT, UNIT);
    (number, evicted)
}

#[test]
fn an_owner_at_half_makes_room_for_itself() {
    let mut shelf = shelf(4);
    let (theirs, _) = put(&mut shelf, "0", "other");
    let (first, _) = put(&mut shelf, "1", "greedy");
    put(&mut shelf, "2", "greedy");
    let (_, evicted) = put(&mut shelf, "3", "greedy");
    assert_eq!(evicted, [first]);
    assert!(shelf.find(&name("0"), "other", Instant::now()).is_some_and(|it| it.number == theirs));
}

#[test]
fn the_oldest_of_all_goes_when_all_is_full() {
    let mut shelf = shelf(4);
    let (first, _) = put(&mut shelf, "1", "a");
    for (execution, owner) in [("2", "b"), ("3", "b"), ("4", "c")] {
        put(&mut shelf, execution, owner);
    }
    let (_, evicted) = put(&mut shelf, "5", "d");
    assert_eq!(evicted, [first]);
    assert_eq!(shelf.find(&name("1"), "a", Instant::now()), None);
}

#[test]
fn what_is_being_written_does_not_make_way() {
    let mut shelf = shelf(2);
    let writing = shelf.begin(name("1"), "a");
    assert_eq!(shelf.grow(writing, UNIT - 1), (Vec::new(), UNIT - 1));
    let second = shelf.begin(name("2"), "a");
    assert_eq!(shelf.grow(second, 1), (Vec::new(), 0), "half of all is taken");
    assert_eq!(shelf.grow(writing, UNIT), (Vec::new(), 1), "of a block that it has");
}

#[test]
fn what_is_written_behind_its_answer_is_found_and_does_not_make_way() {
    let mut shelf = shelf(2);
    let writing = shelf.begin(name("1"), "a");
    assert_eq!(shelf.grow(writing, UNIT).1, UNIT);
    shelf.publish(writing, UNIT, later());
    let found = shelf.find(&name("1"), "a", Instant::now());
    assert!(found.is_some_and(|found| !found.complete));
    let second = shelf.begin(name("2"), "a");
    assert_eq!(shelf.grow(second, 1), (Vec::new(), 0), "half of all is in use");
    shelf.complete(writing, UNIT - BLOCK);
    let found = shelf.find(&name("1"), "a", Instant::now()).unwrap();
    assert_eq!((found.bytes, found.total, found.complete), (UNIT - BLOCK, UNIT, true));
    assert_eq!(shelf.grow(writing, 1), (Vec::new(), 0), "it is complete");
    assert!(!shelf.abandon(writing), "it is kept");
    assert_eq!(shelf.grow(second, UNIT), (vec![writing], UNIT));
    assert!(shelf.abandon(writing), "it had to make way");
    assert!(shelf.abandon(second), "it was never finished");
    assert!(shelf.owners.is_empty() && shelf.bytes == 0);
}

#[test]
fn a_tiny_file_counts_as_a_block() {
    let mut shelf = shelf(2);
    for number in 0..100 {
        let number = shelf.begin(name(&number.to_string()), "a");
        assert_eq!(shelf.grow(number, 1).1, 1);
        finish(&mut shelf, number, 1, 1);
    }
    assert_eq!(u64::try_from(shelf.files.len()), Ok(UNIT / BLOCK));
}

#[test]
fn only_its_owner_finds_it_and_only_until_it_expires() {
    let mut shelf = shelf(4);
    let (number, _) = put(&mut shelf, "1", "a");
    let found = Found { number, bytes: UNIT, total: UNIT, complete: true };
    let find = |shelf: &Shelf, owner, now| shelf.find(&name("1"), owner, now);
    assert_eq!(find(&shelf, "a", Instant::now()), Some(found));
    assert_eq!(find(&shelf, "b", Instant::now()), None);
    assert_eq!(find(&shelf, "a", later() + Duration::from_secs(1)), None);
    assert_eq!(shelf.expire(later() + Duration::from_secs(1)), [number]);
    assert!(shelf.owners.is_empty() && shelf.names.is_empty() && shelf.bytes == 0);
}

#[test]
fn an_id_that_comes_twice_names_the_later_one() {
    let mut shelf = shelf(4);
    let (first, _) = put(&mut shelf, "1", "a");
    let second = shelf.begin(name("1"), "a");
    assert_eq!(shelf.grow(second, 7).1, 7);
    assert_eq!(finish(&mut shelf, second, 7, 9), [first]);
    let found = shelf.find(&name("1"), "a", Instant::now());
    assert_eq!(found, Some(Found { number: second, bytes: 7, total: 9, complete: true }));
}

proptest::proptest! {
    /// Whatever happens in whatever order, the account is that of the files, and no bound is passed.
    #[test]
    fn the_account_is_right_and_no_bound_is_passed(
        steps in proptest::collection::vec((0_u8..5, 0_u64..9, 0_u64..3 * UNIT), 0..120),
    ) {
        let mut shelf = shelf(6);
        let mut writing = Vec::new();
        for (what, which, bytes) in steps {
            let owner = format!("owner {}", which % 3);
            match what {
                0 => writing.push(shelf.begin(name(&which.to_string()), &owner)),
                1 | 2 => {
                    if let Some(number) = writing.get(which as usize % writing.len().max(1)) {
                        let (_, granted) = shelf.grow(*number, bytes);
                        proptest::prop_assert!(granted <= bytes);
                    }
                }
                3 if !writing.is_empty() => {
                    let number = writing.swap_remove(which as usize % writing.len());
                    let held = shelf.files[&number].bytes;
                    finish(&mut shelf, number, held.saturating_sub(bytes), held);
                }
                _ => {
                    if let Some(number) = writing.pop() {
                        shelf.drop_file(number);
                    }
                }
            }
            let of = |owner: Option<&str>| -> u64 {
                let all = shelf.files.values();
                let its = all.filter(|held| owner.is_none_or(|owner| held.owner == owner));
                its.map(|held| on_disk(held.bytes)).sum()
            };
            proptest::prop_assert_eq!(of(None), shelf.bytes);
            proptest::prop_assert!(shelf.bytes <= shelf.bounds.total);
            for (owner, share) in &shelf.owners {
                proptest::prop_assert_eq!(of(Some(owner)), share.bytes);
                proptest::prop_assert!(share.bytes <= shelf.bounds.total / 2);
            }
        }
        shelf.clear();
        proptest::prop_assert!(shelf.bytes == 0 && shelf.owners.is_empty());
        proptest::prop_assert!(shelf.names.is_empty() && shelf.finished.is_empty());
    }
}
