//! Limits how often somebody may try to sign in.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::Error;
use crate::domain::credentials::Username;

/// One name: ten tries at once, then one every six seconds.
const PER_NAME: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
/// One address: a hundred tries at once, then one every 0.6 seconds; offices share addresses.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// Counts sign-in attempts, by name and by address of the peer.
pub struct Attempts {
    by_name: DefaultKeyedRateLimiter<Username>,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Attempts {
    /// With nobody counted yet.
    pub fn new() -> Self {
        Self {
            by_name: RateLimiter::keyed(Quota::per_minute(PER_NAME)),
            by_address: RateLimiter::keyed(Quota::per_minute(PER_ADDRESS)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts one attempt.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], with the time until the next is allowed.
    pub fn count(&self, name: &Username, peer: Option<IpAddr>) -> Result<(), Error> {
        let now = self.clock.now();
        if let Some(address) = peer {
            let verdict = self.by_address.check_key(&address);
            verdict.map_err(|not_yet| too_many(not_yet.wait_time_from(now)))?;
        }
        let verdict = self.by_name.check_key(name);
        verdict.map_err(|not_yet| too_many(not_yet.wait_time_from(now)))
    }

    /// Forgets those who have not tried for long, so that made-up names do not pile up.
    pub fn forget_the_quiet(&self) {
        self.by_name.retain_recent();
        self.by_address.retain_recent();
        self.by_name.shrink_to_fit();
        self.by_address.shrink_to_fit();
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
