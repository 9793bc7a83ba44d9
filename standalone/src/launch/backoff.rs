//! How long to wait before a service that died is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);
/// So long a life takes one doubling back: what dies of its start does so sooner, and a service that is killed
/// now and then by something else is never away for long. It is started about once a second at most.
const FORGIVES: Duration = Duration::from_secs(1);
/// `FIRST` doubled so often is more than `LONGEST`.
const MOST_DOUBLINGS: u32 = 8;

/// Pauses that double while the service keeps dying of its start, from 0.2 s to 30 s.
#[derive(Debug)]
pub(super) struct Backoff {
    doublings: u32,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { doublings: 0 }
    }

    /// The pause after a life of `lived`.
    pub(super) fn after(&mut self, lived: Duration) -> Duration {
        let forgiven = lived.as_secs() / FORGIVES.as_secs();
        let forgiven = u32::try_from(forgiven).unwrap_or(u32::MAX);
        self.doublings = self.doublings.saturating_sub(forgiven);
        let pause = LONGEST.min(FIRST * 2_u32.pow(self.doublings));
        self.doublings = MOST_DOUBLINGS.min(self.doublings + 1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::from_millis(5);

    #[test]
    fn pauses_double_up_to_thirty_seconds() {
        let mut backoff = Backoff::new();
        let pauses: Vec<u128> = (0..10).map(|_| backoff.after(AT_ONCE).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
    }

    #[test]
    fn a_life_is_worth_a_shorter_pause() {
        let mut backoff = Backoff::new();
        (0..10).for_each(|_| {
            backoff.after(AT_ONCE);
        });
        assert_eq!(backoff.after(FORGIVES * 2).as_millis(), 12800);
        assert_eq!(backoff.after(FORGIVES * 8).as_millis(), 200);
        assert_eq!(backoff.after(AT_ONCE).as_millis(), 400);
        // Killed now and then by something else, it is never away for long.
        assert!((0..20).all(|_| backoff.after(FORGIVES).as_millis() <= 400));
    }
}
