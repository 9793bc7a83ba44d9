//! Limits how often somebody may try to sign in.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::Error;
use crate::domain::credentials::Username;
use crate::domain::peer::Peer;

/// One name: ten tries at once, then one every six seconds.
const PER_NAME: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
/// One address: a hundred tries at once, then one every 0.6 seconds; offices share addresses.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// Counts sign-in attempts, by name and by address of the peer. Names and addresses are counted in
/// 65,536 places each, under a hash that nobody else can compute: so made-up names cannot fill the
/// memory, and nobody can find another name that shares a place with a victim's.
pub struct Attempts {
    by_name: DefaultKeyedRateLimiter<u16>,
    by_address: DefaultKeyedRateLimiter<u16>,
    hasher: RandomState,
    clock: DefaultClock,
}

impl Attempts {
    /// With nobody counted yet.
    pub fn new() -> Self {
        Self {
            by_name: RateLimiter::keyed(Quota::per_minute(PER_NAME)),
            by_address: RateLimiter::keyed(Quota::per_minute(PER_ADDRESS)),
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
        }
    }

    /// Counts one attempt.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], with the time until the next is allowed.
    pub fn count(&self, name: &Username, peer: Option<IpAddr>) -> Result<(), Error> {
        let now = self.clock.now();
        if let Some(peer) = peer.map(Peer::from) {
            let verdict = self.by_address.check_key(&self.place(&peer));
            verdict.map_err(|not_yet| too_many(not_yet.wait_time_from(now)))?;
        }
        let verdict = self.by_name.check_key(&self.place(name));
        verdict.map_err(|not_yet| too_many(not_yet.wait_time_from(now)))
    }

    /// Forgets those who have not tried for long.
    pub fn forget_the_quiet(&self) {
        self.by_name.retain_recent();
        self.by_address.retain_recent();
        self.by_name.shrink_to_fit();
        self.by_address.shrink_to_fit();
    }

    fn place(&self, who: &impl Hash) -> u16 {
        let [high, low, ..] = self.hasher.hash_one(who).to_be_bytes();
        u16::from_be_bytes([high, low])
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new()
    }
}

fn too_many(wait: Duration) -> Error {
    Error::TooManyAttempts(wait)
}

#[cfg(test)]
mod tests {
    use super::Attempts;
    use crate::domain::credentials::Username;

    #[test]
    fn a_flood_of_made_up_names_takes_no_more_memory_than_the_places() {
        let attempts = Attempts::new();
        for number in 0..200_000 {
            let name = Username::parse(&format!("made-up-{number}")).unwrap();
            let _ = attempts.count(&name, None);
        }
        assert!(attempts.by_name.len() <= 1 << 16);
    }

    #[test]
    fn one_household_counts_once() {
        let attempts = Attempts::new();
        let tried = |number: u32| {
            let name = Username::parse(&format!("somebody-{number}")).unwrap();
            let address = format!("2001:db8::{number:x}").parse().unwrap();
            attempts.count(&name, Some(address)).is_ok()
        };
        assert_eq!((0..150).filter(|number| tried(*number)).count(), 100);
    }
}
