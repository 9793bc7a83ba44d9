//! Limits how often somebody may try to sign in.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::Error;
use crate::domain::credentials::Username;
use crate::domain::peer::Peer;

/// One name: ten tries at once, then one every six seconds. The same again for each address from which
/// somebody of that name has signed in.
const PER_NAME: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
/// One address: a hundred tries at once, then one every 0.6 seconds; offices share addresses.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// Most pairs of a name and an address that are remembered; the oldest make way.
const MAX_FAMILIAR: u64 = 10_000;

/// Counts sign-in attempts, by name and by address of the peer. Names and addresses are counted in
/// 65,536 places each, under a hash that nobody else can compute: so made-up names cannot fill the
/// memory, and nobody can find another name that shares a place with a victim's.
///
/// Whoever guesses at a name uses up its tries, and would lock its owner out: so tries from an address
/// that the owner has signed in from are counted apart.
pub struct Attempts {
    by_name: DefaultKeyedRateLimiter<u16>,
    by_address: DefaultKeyedRateLimiter<u16>,
    by_familiar: DefaultKeyedRateLimiter<u16>,
    /// Who signed in from where, under the hash of both.
    familiar: Cache<u64, ()>,
    hasher: RandomState,
    clock: DefaultClock,
}

impl Attempts {
    /// With nobody counted yet.
    pub fn new() -> Self {
        Self {
            by_name: RateLimiter::keyed(Quota::per_minute(PER_NAME)),
            by_address: RateLimiter::keyed(Quota::per_minute(PER_ADDRESS)),
            by_familiar: RateLimiter::keyed(Quota::per_minute(PER_NAME)),
            familiar: Cache::builder()
                .max_capacity(MAX_FAMILIAR)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
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
        let mut verdict = Ok(());
        let mut counter = (&self.by_name, self.place(name));
        if let Some(peer) = peer.map(Peer::from) {
            verdict = self.by_address.check_key(&self.place(&peer));
            if self.familiar.contains_key(&self.hasher.hash_one((name, peer))) {
                counter = (&self.by_familiar, self.place(&(name, peer)));
            }
        }
        let verdict = verdict.and_then(|()| counter.0.check_key(&counter.1));
        verdict.map_err(|not_yet| too_many(not_yet.wait_time_from(now)))
    }

    /// Remembers that somebody of that name signed in from there.
    pub fn succeeded(&self, name: &Username, peer: Option<IpAddr>) {
        if let Some(peer) = peer.map(Peer::from) {
            self.familiar.insert(self.hasher.hash_one((name, peer)), ());
        }
    }

    /// Forgets those who have not tried for long.
    pub fn forget_the_quiet(&self) {
        self.by_name.retain_recent();
        self.by_address.retain_recent();
        self.by_familiar.retain_recent();
        self.by_name.shrink_to_fit();
        self.by_address.shrink_to_fit();
        self.by_familiar.shrink_to_fit();
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
    use std::hash::BuildHasher;

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
    fn whoever_guesses_at_a_name_does_not_lock_its_owner_out() {
        let attempts = Attempts::new();
        let name = Username::parse("owner").unwrap();
        let [home, elsewhere, nowhere] =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|text| Some(text.parse().unwrap()));
        assert!(attempts.count(&name, home).is_ok());
        attempts.succeeded(&name, home);
        let guesses = (0..50).filter(|_| attempts.count(&name, elsewhere).is_ok()).count();
        assert_eq!(guesses, 9, "all of an unknown address's tries count together");
        assert!(attempts.count(&name, nowhere).is_err());
        let at_home = (0..50).filter(|_| attempts.count(&name, home).is_ok()).count();
        assert_eq!(at_home, 10, "and at home there is a limit, too");
        let other = Username::parse("other").unwrap();
        assert!((0..50).filter(|_| attempts.count(&other, home).is_ok()).count() <= 10);
    }

    #[test]
    fn the_addresses_that_are_remembered_have_an_end() {
        let attempts = Attempts::new();
        let name = Username::parse("owner").unwrap();
        for number in 0..30_000_u32 {
            attempts.succeeded(&name, Some(std::net::Ipv4Addr::from_bits(number).into()));
        }
        attempts.familiar.run_pending_tasks();
        let count = attempts.familiar.entry_count();
        assert!((1..=10_000).contains(&count), "{count}");
        let last = std::net::IpAddr::from(std::net::Ipv4Addr::from_bits(29_999));
        let last = attempts.hasher.hash_one((&name, crate::domain::peer::Peer::from(last)));
        assert!(attempts.familiar.contains_key(&last), "the newest stays");
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
