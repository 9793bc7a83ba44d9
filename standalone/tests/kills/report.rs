//! What the kills have cost, in figures.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::load::Fate;
use crate::round::Round;
use crate::victim::Victim;

/// Sums over all rounds.
#[derive(Default)]
pub struct Report {
    recoveries: BTreeMap<Victim, Vec<Duration>>,
    attempts: usize,
    executions: usize,
    told: BTreeMap<String, usize>,
    broken: usize,
    later: BTreeMap<String, usize>,
}

impl Report {
    /// How many were killed.
    pub fn kills(&self) -> usize {
        self.recoveries.values().map(Vec::len).sum()
    }

    /// Takes a round in.
    pub fn add(&mut self, round: Round) {
        for kill in round.kills {
            self.recoveries.entry(kill.victim).or_default().push(kill.recovery);
        }
        self.attempts += round.attempts.len();
        for attempt in round.attempts {
            match attempt.fate {
                Fate::Done(ids) => self.executions += ids.len(),
                Fate::Told(what) => *self.told.entry(what).or_default() += 1,
                Fate::Broken { later, .. } => {
                    self.broken += 1;
                    *self.later.entry(later.unwrap_or_else(|| "no key".into())).or_default() += 1;
                }
                Fate::Wrong(what) => *self.told.entry(format!("WRONG {what}")).or_default() += 1,
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "after {} kills:", self.kills())?;
        for (victim, times) in &self.recoveries {
            let mut sorted = times.clone();
            sorted.sort();
            let (middle, last) = (sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
            let count = sorted.len();
            writeln!(
                f,
                "  {victim:<9}{count:>4} times, back after {middle:>7.0?} (p50), {last:>7.0?} (most)"
            )?;
        }
        writeln!(
            f,
            "  {} runs and sessions, {} executions answered",
            self.attempts, self.executions
        )?;
        writeln!(f, "  told of a failure: {:?}", self.told)?;
        write!(f, "  broken connections: {}, and by their keys: {:?}", self.broken, self.later)
    }
}
