//! What a sandbox holds that no limit stops.

use std::sync::PoisonError;
use std::time::Duration;

use super::sandbox::LinuxSandbox;
use crate::sandbox::linux::host::{locks, open_files, tcp, unaccounted_memory};
use crate::sandbox::linux::wire::init::{InitReply, InitRequest};
use crate::sandbox::spec::MOST_OPEN_FILES;

impl LinuxSandbox {
    /// See [`Excess::Memory`](crate::sandbox::backend::Excess::Memory).
    pub(super) async fn holds_unaccounted_memory(&self, patience: Duration) -> bool {
        /// At most a byte of each of 17 pages of 32 KiB counts for the 576 bytes or more of what holds them
        /// together (`MAX_SKB_FRAGS`, `SKB_TRUESIZE`): 967 times as much as is counted.
        const AMPLIFICATION: u64 = 1024;
        let limit = self.in_force.lock().unwrap_or_else(PoisonError::into_inner).memory_bytes;
        let (grown, share) = (unaccounted_memory::grown(), tcp::share());
        if grown <= limit && share.is_none() {
            return false;
        }
        match self.ask(InitRequest::Sockets, patience).await {
            Ok(InitReply::Sockets { bytes, of_tcp }) => {
                grown.min(bytes.saturating_mul(AMPLIFICATION)) > limit
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
