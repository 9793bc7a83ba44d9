//! Who has to make way for whom.

use std::time::Duration;

use super::*;
use crate::execution::outputs::Kept;
use crate::execution::stream::Stream;

const UNIT: u64 = 4 * BLOCK;

fn catalogue(units: u64) -> Catalogue {
    Catalogue::new(Bounds {
        stream: u64::MAX,
        total: units * UNIT,
        retention: Duration::ZERO,
        known_to_caller: 0,
    })
}

fn name(execution: &str) -> Name {
    Name { execution: String::from(execution), kept: Kept::Stream(Stream::Stdout) }
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// All of it is written, and its run is over.
fn finish(catalogue: &mut Catalogue, number: Number, bytes: u64, total: u64) -> Vec<Number> {
    catalogue.complete(number, bytes);
    catalogue.publish(number, total, later())
}

/// Adds a file of one unit; gives its number and who had to go.
fn put(catalogue: &mut Catalogue, execution: &str, owner: &str) -> (Number, Vec<Number>) {
    let number = catalogue.begin(name(execution), owner);
    let (evicted, granted) = catalogue.grow(number, UNIT);
    assert_eq!(granted, UNIT);
    finish(catalogue, number, UNIT, UNIT);
    (number, evicted)
}

#[test]
fn an_owner_at_half_makes_room_for_itself() {
    let mut catalogue = catalogue(4);
    let (theirs, _) = put(&mut catalogue, "0", "other");
    let (first, _) = put(&mut catalogue, "1", "greedy");
    put(&mut catalogue, "2", "greedy");
    let (_, evicted) = put(&mut catalogue, "3", "greedy");
    assert_eq!(evicted, [first]);
    assert!(
        catalogue.find(&name("0"), "other", Instant::now()).is_some_and(|it| it.number == theirs)
    );
}

#[test]
fn the_oldest_of_all_goes_when_all_is_full() {
    let mut catalogue = catalogue(4);
    let (first, _) = put(&mut catalogue, "1", "a");
    for (execution, owner) in [("2", "b"), ("3", "b"), ("4", "c")] {
        put(&mut catalogue, execution, owner);
    }
    let (_, evicted) = put(&mut catalogue, "5", "d");
    assert_eq!(evicted, [first]);
    assert_eq!(catalogue.find(&name("1"), "a", Instant::now()), None);
}

#[test]
fn what_is_being_written_does_not_make_way() {
    let mut catalogue = catalogue(2);
    let writing = catalogue.begin(name("1"), "a");
    assert_eq!(catalogue.grow(writing, UNIT - 1), (Vec::new(), UNIT - 1));
    let second = catalogue.begin(name("2"), "a");
    assert_eq!(catalogue.grow(second, 1), (Vec::new(), 0), "half of all is taken");
    assert_eq!(catalogue.grow(writing, UNIT), (Vec::new(), 1), "of a block that it has");
}

#[test]
fn what_is_written_behind_its_answer_is_found_and_does_not_make_way() {
    let mut catalogue = catalogue(2);
    let writing = catalogue.begin(name("1"), "a");
    assert_eq!(catalogue.grow(writing, UNIT).1, UNIT);
    catalogue.publish(writing, UNIT, later());
    let found = catalogue.find(&name("1"), "a", Instant::now());
    assert!(found.is_some_and(|found| !found.complete));
    let second = catalogue.begin(name("2"), "a");
    assert_eq!(catalogue.grow(second, 1), (Vec::new(), 0), "half of all is in use");
    catalogue.complete(writing, UNIT - BLOCK);
    let found = catalogue.find(&name("1"), "a", Instant::now()).unwrap();
    assert_eq!((found.bytes, found.total, found.complete), (UNIT - BLOCK, UNIT, true));
    assert_eq!(catalogue.grow(writing, 1), (Vec::new(), 0), "it is complete");
    assert!(!catalogue.abandon(writing), "it is kept");
    assert_eq!(catalogue.grow(second, UNIT), (vec![writing], UNIT));
    assert!(catalogue.abandon(writing), "it had to make way");
    assert!(catalogue.abandon(second), "it was never finished");
    assert!(catalogue.owners.is_empty() && catalogue.bytes == 0);
}

#[test]
fn a_tiny_file_counts_as_a_block() {
    let mut catalogue = catalogue(2);
    for number in 0..100 {
        let number = catalogue.begin(name(&number.to_string()), "a");
        assert_eq!(catalogue.grow(number, 1).1, 1);
        finish(&mut catalogue, number, 1, 1);
    }
    assert_eq!(u64::try_from(catalogue.files.len()), Ok(UNIT / BLOCK));
}

#[test]
fn only_its_owner_finds_it_and_only_until_it_expires() {
    let mut catalogue = catalogue(4);
    let (number, _) = put(&mut catalogue, "1", "a");
    let found = Found { number, bytes: UNIT, total: UNIT, complete: true };
    let find = |catalogue: &Catalogue, owner, now| catalogue.find(&name("1"), owner, now);
    assert_eq!(find(&catalogue, "a", Instant::now()), Some(found));
    assert_eq!(find(&catalogue, "b", Instant::now()), None);
    assert_eq!(find(&catalogue, "a", later() + Duration::from_secs(1)), None);
    assert_eq!(catalogue.expire(later() + Duration::from_secs(1)), [number]);
    assert!(catalogue.owners.is_empty() && catalogue.names.is_empty() && catalogue.bytes == 0);
}

#[test]
fn an_id_that_comes_twice_names_the_later_one() {
    let mut catalogue = catalogue(4);
    let (first, _) = put(&mut catalogue, "1", "a");
    let second = catalogue.begin(name("1"), "a");
    assert_eq!(catalogue.grow(second, 7).1, 7);
    assert_eq!(finish(&mut catalogue, second, 7, 9), [first]);
    let found = catalogue.find(&name("1"), "a", Instant::now());
    assert_eq!(found, Some(Found { number: second, bytes: 7, total: 9, complete: true }));
}

proptest::proptest! {
    /// Whatever happens in whatever order, the account is that of the files, and no bound is passed.
    #[test]
    fn the_account_is_right_and_no_bound_is_passed(
        steps in proptest::collection::vec((0_u8..5, 0_u64..9, 0_u64..3 * UNIT), 0..120),
    ) {
        let mut catalogue = catalogue(6);
        let mut writing = Vec::new();
        for (what, which, bytes) in steps {
            let owner = format!("owner {}", which % 3);
            match what {
                0 => writing.push(catalogue.begin(name(&which.to_string()), &owner)),
                1 | 2 => {
                    if let Some(number) = writing.get(which as usize % writing.len().max(1)) {
                        let (_, granted) = catalogue.grow(*number, bytes);
                        proptest::prop_assert!(granted <= bytes);
                    }
                }
                3 if !writing.is_empty() => {
                    let number = writing.swap_remove(which as usize % writing.len());
                    let held = catalogue.files[&number].bytes;
                    finish(&mut catalogue, number, held.saturating_sub(bytes), held);
                }
                _ => {
                    if let Some(number) = writing.pop() {
                        catalogue.drop_file(number);
                    }
                }
            }
            let of = |owner: Option<&str>| -> u64 {
                let all = catalogue.files.values();
                let its = all.filter(|held| owner.is_none_or(|owner| held.owner == owner));
                its.map(|held| on_disk(held.bytes)).sum()
            };
            proptest::prop_assert_eq!(of(None), catalogue.bytes);
            proptest::prop_assert!(catalogue.bytes <= catalogue.bounds.total);
            for (owner, share) in &catalogue.owners {
                proptest::prop_assert_eq!(of(Some(owner)), share.bytes);
                proptest::prop_assert!(share.bytes <= catalogue.bounds.total / 2);
            }
        }
        catalogue.clear();
        proptest::prop_assert!(catalogue.bytes == 0 && catalogue.owners.is_empty());
        proptest::prop_assert!(catalogue.names.is_empty() && catalogue.finished.is_empty());
    }
}
