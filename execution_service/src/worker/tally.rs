//! How runs have ended and begun since the start, for whoever draws curves.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::execution::outcome::Status;

/// The counts since the worker's start.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

/// Counts that only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By the name of the outcome's status; runs that had none are `unfinished`.
    pub runs: BTreeMap<&'static str, u64>,
    /// Runs that found no warm sandbox.
    pub cold_starts: u64,
}

impl Tally {
    /// A run has ended so; `None` is a run without an outcome.
    pub fn ended(&self, status: Option<Status>) {
        let name = status.map_or("unfinished", Status::name);
        self.change(|counts| *counts.runs.entry(name).or_default() += 1);
    }

    /// A run has found no warm sandbox.
    pub fn began_cold(&self) {
        self.change(|counts| counts.cold_starts += 1);
    }

    /// What there is now.
    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
