//! How many locks on files there are, and whose. Linux has no limit for them, and counts the memory that they take
//! (200 bytes each) for nobody: a program that takes one after the other would have all of the host's.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Mutex, PoisonError};

use crate::sandbox::spec::MOST_LOCKS;

/// As much of the list as is read, in locks. The kernel begins at the first for each piece of it, with all locking on
/// the host stopped: half a million would take seconds.
const ENOUGH: u64 = 32 << 10;
/// Characters of the list that count like one lock. Who waits for a lock is below those who wait before, one character
/// further to the right: a thousand who wait for one another are half a million characters.
const CHARACTERS: usize = 64;

/// Locks by process, in our pid namespace; those that it waits for are among them.
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
    /// As many as an ordinary program may hold while others flood the list. A hundred sandboxes that hold no more are
    /// no flood.
    const FEW: u64 = 256;
    /// As many as all may hold before each may hold less.
    const MANY: u64 = 2 * MOST_LOCKS;
    if is_whole {
        let sum = held.values().sum::<u64>();
        let each = MOST_LOCKS * MANY / sum.max(MANY);
        return (sum > MOST_LOCKS).then_some(each.max(FEW));
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
    // Where there is no list, nothing is known.
    File::open("/proc/locks").map_or_else(|_| (Held::new(), true), |list| read(list, enough))
}

fn read(list: impl Read, enough: u64) -> (Held, bool) {
    let mut list = BufReader::with_capacity(64 << 10, list);
    let (mut held, mut line, mut sum) = (Held::new(), Vec::new(), 0);
    while sum < enough {
        line.clear();
        match list.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return (held, true),
            Ok(_) => {}
        }
        let count = (line.len() / CHARACTERS) as u64 + 1;
        sum += count;
        if let Some(holder) = std::str::from_utf8(&line).ok().and_then(holder) {
            *held.entry(holder).or_default() += count;
        }
    }
    (held, false)
}

/// The process of a line of `/proc/locks`, whether it has the lock or waits for it; none where the lock belongs to an
/// open file and not to a process.
fn holder(line: &str) -> Option<i32> {
    // 1: POSIX  ADVISORY  WRITE 4711 fe:00:1048 0 EOF
    let mut fields = line.split_ascii_whitespace().skip(1).filter(|field| *field != "->");
    let holder = fields.nth(3)?.parse().ok()?;
    (holder > 0).then_some(holder)
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
        let crowd: Held = (0..100).map(|process| (process, 1000)).collect();
        assert_eq!(
            bound(&crowd, true, None),
            Some(2000),
            "each the less, the more all of them hold"
        );
        let first = bound(&many, false, None);
        assert_eq!(first, Some(MOST_LOCKS / 4), "both of them");
        let later = (0..9).fold(first, |before, _| bound(&many, false, before));
        assert_eq!(later, Some(256), "a database still has its own");
        assert_eq!(bound(&few, true, later), None);
    }

    #[test]
    fn a_line_names_who_holds_a_lock() {
        assert_eq!(holder("1: POSIX  ADVISORY  WRITE 4711 fe:00:1048 0 EOF"), Some(4711));
        assert_eq!(holder("2: FLOCK  ADVISORY  READ 12 00:2f:3 0 EOF"), Some(12));
        assert_eq!(
            holder("2: -> POSIX  ADVISORY  WRITE 13 fe:00:1048 0 EOF"),
            Some(13),
            "it waits"
        );
        assert_eq!(holder("3: OFDLCK ADVISORY  READ -1 fe:00:999426 201 201"), None);
        assert_eq!(holder("3: POSIX  ADVI"), None);
        assert_eq!(holder(""), None);
    }

    #[test]
    fn those_who_wait_behind_one_another_count_for_as_much_as_they_fill() {
        use std::fmt::Write;

        let mut text = String::from("1: FLOCK  ADVISORY  WRITE 7 fe:00:1048 0 EOF\n");
        for depth in 1..1000 {
            writeln!(text, "1: {:>depth$} FLOCK  ADVISORY  WRITE 8 fe:00:1048 0 EOF", "->")
                .unwrap();
        }
        // After all of it, somebody who holds two.
        for start in 0..2 {
            writeln!(text, "2: POSIX  ADVISORY  WRITE 9 fe:00:1048 {start} {start}").unwrap();
        }
        let (held, is_whole) = read(text.as_bytes(), ENOUGH);
        assert!(is_whole && held[&7] == 1 && held[&9] == 2, "{held:?}");
        assert!((7000..10_000).contains(&held[&8]), "{held:?}");
        assert_eq!(bound(&held, is_whole, None), None, "nobody has to go yet");
        let (held, is_whole) = read(text.as_bytes(), 5000);
        assert!(!is_whole && held[&8] >= 4999 && !held.contains_key(&9), "{held:?}");
    }
}
