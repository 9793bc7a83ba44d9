//! The processes of this sandbox, by its own `/proc`.

use std::fs;

/// Every process but init; of a sandbox without a `/proc`, none.
pub fn others() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    entries.flatten().filter_map(number).filter(|pid| *pid != 1).collect()
}

/// One process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessEntry {
    /// Its number.
    pub pid: i32,
    /// That of its parent; 0 where that is outside.
    pub parent: i32,
    /// That of the leader of its process session, which may be gone.
    pub session: i32,
    /// When it was born, in ticks since the machine was.
    pub born: u64,
}

impl ProcessEntry {
    /// That of `pid`; `None` if it has just ended.
    pub fn read(pid: i32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        Self::of(pid, &stat)
    }

    fn of(pid: i32, stat: &Stat) -> Option<Self> {
        Some(Self {
            pid,
            parent: stat.field(4)?.parse().ok()?,
            session: stat.field(6)?.parse().ok()?,
            born: stat.field(22)?.parse().ok()?,
        })
    }
}

/// User and system time of `pid`, with that of the children it has waited for, in ticks.
pub fn cpu_ticks(pid: i32) -> Option<u64> {
    let stat = Stat::read(pid)?;
    // 14 utime, 15 stime, 16 cutime, 17 cstime.
    Some((14..=17).filter_map(|number| stat.field(number)?.parse::<u64>().ok()).sum())
}

/// The fields of proc_pid_stat(5).
struct Stat(String);

impl Stat {
    fn read(pid: i32) -> Option<Self> {
        fs::read(format!("/proc/{pid}/stat"))
            .ok()
            .map(|text| Self(String::from_utf8_lossy(&text).into_owned()))
    }

    /// Counted from 1, as there; one of those behind the name, which may hold anything.
    fn field(&self, number: usize) -> Option<&str> {
        let (_, rest) = self.0.rsplit_once(')')?;
        rest.split_ascii_whitespace().nth(number.checked_sub(3)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = Stat(String::from(
            "7 (a) S 1 2 3 (b) R 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 220 0",
        ));
        let entry = ProcessEntry { pid: 7, parent: 4, session: 6, born: 220 };
        assert_eq!(ProcessEntry::of(7, &stat), Some(entry));
        assert_eq!(ProcessEntry::of(7, &Stat(String::from("7 (a) S 1 2"))), None);
    }

    #[test]
    fn this_process_is_found() {
        let pid = i32::try_from(std::process::id()).expect("small");
        let entry = ProcessEntry::read(pid).expect("we live");
        assert!(entry.born > 0 && entry.session >= 0, "{entry:?}");
        assert!(others().contains(&pid) && cpu_ticks(pid).is_some());
    }
}
