//! How many locks on files there are, and whose. Linux has no limit for them, and counts the memory that they take
//! (200 bytes each) for nobody: a program that takes one after the other would have all of the host's.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use crate::sandbox::spec::MOST_LOCKS;

/// As much of the list as is read, in bytes: 20,000 locks. The kernel begins at the first for each piece of it, with
/// all locking on the host stopped: half a million would take seconds.
const ENOUGH: u64 = 1 << 20;

/// Locks by process, in our pid namespace.
type Held = HashMap<i32, u64>;

/// What was seen at the last look.
struct Seen {
    held: Held,
    /// More than this one sandbox may not have held; nothing while there are few.
    most_of_one: Option<u64>,
}

/// What was last seen: the list is that of the whole host, for all sandboxes.
static SEEN: Mutex<Option<Seen>> = Mutex::new(None);

/// Looks at the list, for [`most_of_one`] and [`held_by`]. The kernel may have to wait for all processors first, and
/// stops all locking on the host meanwhile: not a thing to do often.
pub fn look() {
    let (held, is_whole) = list(ENOUGH);
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = seen.as_ref().and_then(|seen| seen.most_of_one);
    *seen = Some(Seen { most_of_one: bound(&held, is_whole, before), held });
}

/// What one sandbox may hold after a look at which these were seen, when it was `before`.
fn bound(held: &Held, is_whole: bool, before: Option<u64>) -> Option<u64> {
    /// As many as an ordinary program may hold while others flood the list.
    const FEW: u64 = 64;
    if is_whole {
        return (held.values().sum::<u64>() > MOST_LOCKS).then_some(MOST_LOCKS);
    }
    // The list is that of one processor after the other: those who are in it hide those who are not, and have to go
    // first. If nobody does, less is allowed at the next look.
    Some((before.unwrap_or(MOST_LOCKS) / 4).max(FEW))
}

/// How many locks one sandbox may have held at the last look; nothing when all held so few that nobody need be asked.
pub fn most_of_one() -> Option<u64> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|seen| seen.most_of_one)
}

/// How many locks these processes held at the last look.
pub fn held_by(processes: &[i32]) -> u64 {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let held = seen.as_ref().map(|seen| &seen.held);
    held.map_or(0, |held| processes.iter().filter_map(|process| held.get(process)).sum())
}

/// How many locks all processes in sight hold.
pub fn in_sight() -> u64 {
    list(ENOUGH).0.values().sum()
}

/// The list, and whether that is all of it.
fn list(enough: u64) -> (Held, bool) {
    let mut text = String::new();
    // The last line may be cut; where there is no list, nothing is known.
    let _ = File::open("/proc/locks").and_then(|list| list.take(enough).read_to_string(&mut text));
    let mut held = Held::new();
    for holder in text.lines().filter_map(holder) {
        *held.entry(holder).or_default() += 1;
    }
    (held, (text.len() as u64) < enough)
}

/// The process of a line of `/proc/locks`; none where it only waits for the lock, or where it belongs to an open
/// file and not to a process.
fn holder(line: &str) -> Option<i32> {
    // 1: POSIX  ADVISORY  WRITE 4711 fe:00:1048 0 EOF
    let mut fields = line.split_ascii_whitespace().skip(1);
    let waits = fields.next()? == "->";
    let holder = fields.nth(2)?.parse().ok()?;
    (!waits && holder > 0).then_some(holder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hides_others_in_a_list_that_is_cut_has_to_go() {
        let few = Held::from([(1, 9000)]);
        let many = Held::from([(1, 9000), (2, 9000)]);
        assert_eq!(bound(&few, true, None), None);
        assert_eq!(bound(&many, true, None), Some(MOST_LOCKS));
        let first = bound(&many, false, None);
        assert_eq!(first, Some(MOST_LOCKS / 4), "both of them");
        let later = (0..9).fold(first, |before, _| bound(&many, false, before));
        assert_eq!(later, Some(64), "a database still has its own");
        assert_eq!(bound(&few, true, later), None);
    }

    #[test]
    fn a_line_names_who_holds_a_lock() {
        assert_eq!(holder("1: POSIX  ADVISORY  WRITE 4711 fe:00:1048 0 EOF"), Some(4711));
        assert_eq!(holder("2: FLOCK  ADVISORY  READ 12 00:2f:3 0 EOF"), Some(12));
        assert_eq!(holder("2: -> POSIX  ADVISORY  WRITE 13 fe:00:1048 0 EOF"), None);
        assert_eq!(holder("3: OFDLCK ADVISORY  READ -1 fe:00:999426 201 201"), None);
        assert_eq!(holder("3: POSIX  ADVI"), None);
        assert_eq!(holder(""), None);
    }
}
