//! How long to wait before a service that died is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);
/// A service that lived this long did not die of its start.
const STABLE: Duration = Duration::from_secs(60);

/// Pauses that double while the service keeps dying, from 0.2 s to 30 s.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// The pause after a life of `lived`.
    pub(super) fn after(&mut self, lived: Duration) -> Duration {
        if lived >= STABLE {
            self.next = FIRST;
        }
        let pause = self.next;
        self.next = LONGEST.min(pause * 2);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_thirty_seconds_and_start_over_after_a_stable_minute() {
        let mut backoff = Backoff::new();
        let at_once = Duration::from_millis(5);
        let pauses: Vec<u128> = (0..10).map(|_| backoff.after(at_once).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
        assert_eq!(backoff.after(STABLE).as_millis(), 200);
        assert_eq!(backoff.after(at_once).as_millis(), 400);
    }
}
