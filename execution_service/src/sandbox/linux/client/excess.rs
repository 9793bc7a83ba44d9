//! What a sandbox holds that no limit stops.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::sandbox::LinuxSandbox;
use crate::sandbox::linux::host::{locks, open_files, tcp, unaccounted_memory};
use crate::sandbox::linux::wire::init::{InitReply, InitRequest};
use crate::sandbox::spec::MOST_OPEN_FILES;

/// Since when a sandbox may be what the machine's memory has gone to. The few sockets of an ordinary program can hide as
/// much as somebody else holds, who will be ended for it.
#[derive(Default)]
pub struct Suspicion(Mutex<Option<Instant>>);

impl Suspicion {
    /// What up to three sockets can hold that the kernel does not show, in bytes.
    const FEW_SOCKETS: u64 = 2 << 20;
    /// Until then memory of others is back that were ended.
    const OTHERS_ARE_ENDED: Duration = Duration::from_secs(1);

    /// Whether it is to blame, by `bytes` that its sockets hold and the time for which it has been seen so.
    fn is_confirmed(&self, bytes: u64, now: Instant) -> bool {
        let since = *self.since().get_or_insert(now);
        bytes > Self::FEW_SOCKETS || now.duration_since(since) >= Self::OTHERS_ARE_ENDED
    }

    fn end(&self) {
        *self.since() = None;
    }

    fn since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LinuxSandbox {
    /// See [`Excess::Memory`](crate::sandbox::backend::Excess::Memory).
    pub(super) async fn holds_unaccounted_memory(&self, patience: Duration) -> bool {
        /// At most a byte of each of 17 pages of 32 KiB counts for the 576 bytes or more of what holds them
        /// together (`MAX_SKB_FRAGS`, `SKB_TRUESIZE`): 967 times as much as is counted.
        const AMPLIFICATION: u64 = 1024;
        let limit = self.limits_in_force().memory_bytes;
        let (grown, share) = (unaccounted_memory::grown(), tcp::share());
        if grown <= limit && share.is_none() {
            self.suspicion.end();
            return false;
        }
        match self.ask(InitRequest::Sockets, patience).await {
            Ok(InitReply::Sockets { bytes, of_tcp }) => {
                let may_hold = grown.min(bytes.saturating_mul(AMPLIFICATION)) > limit;
                if !may_hold {
                    self.suspicion.end();
                }
                may_hold && self.suspicion.is_confirmed(bytes, Instant::now())
                    || share.is_some_and(|share| of_tcp > share)
            }
            // Who cannot be asked is not taken for innocent.
            Ok(_) | Err(_) => true,
        }
    }

    /// Whether it holds more locks on files than one sandbox may. Whoever cannot be asked is found by
    /// [`Sandbox::usage`](crate::sandbox::backend::Sandbox::usage).
    pub(super) async fn holds_too_many_locks(&self, patience: Duration) -> bool {
        let Some(most) = locks::most_of_one() else {
            return false;
        };
        if let Some(meter) = &self.meter {
            return locks::held_by(&meter.members()) > most;
        }
        match self.ask(InitRequest::Locks, patience).await {
            Ok(InitReply::Locks(count)) => count > most,
            Ok(_) | Err(_) => false,
        }
    }

    /// The same of open files.
    pub(super) async fn has_too_many_files(&self, patience: Duration) -> bool {
        self.count_open_files(patience).await > MOST_OPEN_FILES
    }

    /// How many it has, when the host has many.
    pub(super) async fn count_open_files(&self, patience: Duration) -> u64 {
        if !open_files::are_many() {
            return 0;
        }
        if let Some(meter) = &self.meter {
            return open_files::held_by(&meter.members());
        }
        match self.ask(InitRequest::OpenFiles, patience).await {
            Ok(InitReply::OpenFiles(count)) => count,
            Ok(_) | Err(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_few_sockets_is_blamed_when_others_are_ended_and_the_memory_is_still_gone() {
        let (suspicion, begin) = (Suspicion::default(), Instant::now());
        let at = |millis| begin + Duration::from_millis(millis);
        let few = Suspicion::FEW_SOCKETS;
        assert!(!suspicion.is_confirmed(few, at(0)) && !suspicion.is_confirmed(few, at(999)));
        assert!(suspicion.is_confirmed(few, at(1000)));
        suspicion.end();
        assert!(!suspicion.is_confirmed(few, at(1001)), "it was not to blame in between");
        assert!(suspicion.is_confirmed(few + 1, at(1002)), "many sockets need no second look");
    }
}
