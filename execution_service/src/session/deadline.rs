//! Until when a session lives: a deadline that can be moved, and a time without use after which it ends, too.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// When one session ends by itself.
#[derive(Debug)]
pub struct Deadline {
    created: SystemTime,
    idle: Option<Duration>,
    times: Mutex<Times>,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    expires: SystemTime,
    ends: Instant,
    last_use: Instant,
    uses: u64,
}

impl Deadline {
    /// So long from now, and after `idle` without use if that is earlier.
    pub fn after(ttl: Duration, idle: Option<Duration>) -> Self {
        let (created, now) = (SystemTime::now(), Instant::now());
        let times = Times { expires: created + ttl, ends: now + ttl, last_use: now, uses: 0 };
        Self { created, idle, times: Mutex::new(times) }
    }

    /// Moves it: so long from now, whether that is earlier or later than before.
    pub fn move_to(&self, ttl: Duration) {
        let mut times = self.lock();
        (times.expires, times.ends) = (SystemTime::now() + ttl, Instant::now() + ttl);
    }

    /// Starts the time without use anew.
    pub fn touch(&self) {
        let mut times = self.lock();
        times.last_use = Instant::now();
        times.uses += 1;
    }

    /// How often that was done.
    pub fn uses(&self) -> u64 {
        self.lock().uses
    }

    /// When the session began.
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// When it ends, at the latest.
    pub fn expires(&self) -> SystemTime {
        self.lock().expires
    }

    /// For how long its session may do nothing, which is `most` at most.
    pub fn idle(&self, most: Duration) -> Duration {
        self.idle.map_or(most, |idle| idle.min(most))
    }

    /// Whether it has passed at `now`, or nothing was done for as long as may be, `most` at most, by then in a session
    /// that is not busy.
    pub fn has_passed(&self, now: Instant, most: Duration, busy: bool) -> bool {
        let (times, idle) = (*self.lock(), self.idle(most));
        now >= times.ends || (!busy && now >= times.last_use + idle)
    }

    fn lock(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn it_can_be_moved_both_ways_and_work_is_not_idleness() {
        let deadline = Deadline::after(10 * MINUTE, None);
        let after = |minutes: u32| Instant::now() + minutes * MINUTE;
        assert!(!deadline.has_passed(after(4), 5 * MINUTE, false));
        assert!(deadline.has_passed(after(6), 5 * MINUTE, false));
        assert!(!deadline.has_passed(after(6), 5 * MINUTE, true));
        assert!(deadline.has_passed(after(11), 60 * MINUTE, true));
        deadline.move_to(30 * MINUTE);
        assert!(!deadline.has_passed(after(20), 60 * MINUTE, true), "it was moved away");
        deadline.move_to(MINUTE);
        assert!(deadline.has_passed(after(2), 60 * MINUTE, true), "it was moved near");
        let own = Deadline::after(60 * MINUTE, Some(2 * MINUTE));
        assert!(own.has_passed(after(3), 5 * MINUTE, false), "it has a time of its own");
        assert!(!own.has_passed(after(3), 5 * MINUTE, true));
        assert_eq!(own.idle(MINUTE), MINUTE, "which is no longer than any may have");
    }
}
