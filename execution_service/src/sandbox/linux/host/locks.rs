//! How many locks on files there are, and whose. Linux has no limit for them, and counts the memory that they take
//! (200 bytes each) for nobody: a program that takes one after the other would have all of the host's.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use crate::sandbox::spec::MOST_LOCKS;

/// As much of the list as is read, in bytes: 20,000 locks. It begins with the newest of a processor.
const ENOUGH: u64 = 1 << 20;

/// Locks by process, in our pid namespace.
type Held = HashMap<i32, u64>;

/// What was last seen: the list is that of the whole host, for all sandboxes.
static SEEN: Mutex<Option<Held>> = Mutex::new(None);

/// Looks at the list, for [`are_many`] and [`held_by`]. The kernel may have to wait for all processors first, and
/// stops all locking on the host meanwhile: not a thing to do often.
pub fn look() {
    *SEEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(list());
}

/// Whether all processes in sight held more at the last look than one sandbox may: then it is worth the time to
/// find out which do.
pub fn are_many() -> bool {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(many)
}

/// How many locks these processes held at the last look; 0 unless there were many.
pub fn held_by(processes: impl FnOnce() -> Vec<i32>) -> u64 {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    match seen.as_ref().filter(|held| many(held)) {
        Some(held) => processes().iter().filter_map(|process| held.get(process)).sum(),
        // Nearly always: nobody need be asked who is in the sandbox.
        None => 0,
    }
}

fn many(held: &Held) -> bool {
    held.values().sum::<u64>() > MOST_LOCKS
}

/// How many locks all processes in sight hold.
pub fn in_sight() -> u64 {
    list().values().sum()
}

fn list() -> Held {
    let mut text = String::new();
    // The last line may be cut; where there is no list, nothing is known.
    let _ = File::open("/proc/locks").and_then(|list| list.take(ENOUGH).read_to_string(&mut text));
    let mut held = Held::new();
    for holder in text.lines().filter_map(holder) {
        *held.entry(holder).or_default() += 1;
    }
    held
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
    fn a_line_names_who_holds_a_lock() {
        assert_eq!(holder("1: POSIX  ADVISORY  WRITE 4711 fe:00:1048 0 EOF"), Some(4711));
        assert_eq!(holder("2: FLOCK  ADVISORY  READ 12 00:2f:3 0 EOF"), Some(12));
        assert_eq!(holder("2: -> POSIX  ADVISORY  WRITE 13 fe:00:1048 0 EOF"), None);
        assert_eq!(holder("3: OFDLCK ADVISORY  READ -1 fe:00:999426 201 201"), None);
        assert_eq!(holder("3: POSIX  ADVI"), None);
        assert_eq!(holder(""), None);
    }
}
