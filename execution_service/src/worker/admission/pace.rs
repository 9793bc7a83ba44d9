//! How fast slots come free, learned from the runs that ended lately.

use std::time::Duration;

/// What is told before anything has ended: about the time of a short program.
const AT_FIRST: Duration = Duration::from_secs(1);
/// A caller is never told to come back sooner, because HTTP counts in seconds.
const SOONEST: Duration = Duration::from_secs(1);
/// Nor later: the estimate is rough, and one who is told "in an hour" does not come back.
const LATEST: Duration = Duration::from_secs(60);
/// Each run changes the average by this part of the difference; so about the last ten count.
const WEIGHT: u32 = 8;

/// The time that a run holds its slot, on the average of the last ones.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    held: Duration,
}

impl Pace {
    /// Without experience.
    pub fn new() -> Self {
        Self { held: AT_FIRST }
    }

    /// Takes in one run, which held its slot so long.
    pub fn learn(&mut self, held: Duration) {
        self.held = (self.held * (WEIGHT - 1) + held) / WEIGHT;
    }

    /// When the one at `position` (1 is next) may expect its turn if `slots` work for it: between a second
    /// and a minute.
    pub fn wait(&self, position: usize, slots: usize) -> Duration {
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let slots = u32::try_from(slots).unwrap_or(u32::MAX).max(1);
        (self.held.saturating_mul(position) / slots).clamp(SOONEST, LATEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_rate_and_position_within_bounds() {
        let mut pace = Pace::new();
        assert_eq!(pace.wait(6, 2), Duration::from_secs(3));
        for _ in 0..200 {
            pace.learn(Duration::from_secs(4));
        }
        let wait = pace.wait(6, 2);
        assert!(
            wait > Duration::from_millis(11_900) && wait <= Duration::from_secs(12),
            "{wait:?}"
        );
        assert_eq!(pace.wait(1_000_000, 1), LATEST);
        assert_eq!(pace.wait(usize::MAX, 0), LATEST);
        for _ in 0..200 {
            pace.learn(Duration::from_micros(300));
        }
        assert_eq!(pace.wait(1, 32), SOONEST);
    }
}
