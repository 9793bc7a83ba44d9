//! What a sandbox that idles may come to: what it holds, and a part of what is left of its owner's bound and of the
//! machine's. It is promised no more than it holds, and a hundred of them that all fork at once would otherwise have
//! a hundred times their limits before anybody looks.
//!
//! Where there is room for all of them, their limits stay as they are, and nothing is written. Otherwise limits are
//! lowered while it idles, and are what they were before anything in it is waited for again.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::balance::MEASURE;
use super::{Member, OwnerRules, Owners, Stage, State};
use crate::sandbox::spec::Footprint;

/// What each may come to beyond what it holds, however little is left: an interpreter that collects its garbage.
const LEAST: Footprint = Footprint { memory_bytes: 16 << 20, processes: 8 };
/// Memory that is promised may be more than there is: what is left of it for those that idle is this part of what is
/// not held, at least.
const PART: u64 = 25;
/// Hundredths of a bound that are divided: nobody has to go who keeps to that.
const DIVIDED: u64 = 85;
/// Limits are written anew when they change by more than this part.
const MATTERS: u64 = 8;

/// Limits that hold while a sandbox idles.
#[derive(Clone, Debug, Default)]
pub(super) struct IdleLimits {
    /// What it may come to; nothing where that is its own limits.
    wanted: Option<Footprint>,
    /// What may be in force: what was told the sandbox last, or is being told.
    in_force: Option<Footprint>,
    /// Held by whoever tells it.
    telling: Arc<tokio::sync::Mutex<()>>,
}

impl IdleLimits {
    /// It is used again. Gives whether others than its own limits may be in force.
    pub(super) fn lift(&mut self) -> bool {
        self.wanted = None;
        self.in_force.is_some()
    }

    /// Whether it has to be told.
    fn changes_to(&mut self, wanted: Option<Footprint>) -> bool {
        let is_close = |one: u64, other: u64| one.abs_diff(other) <= other / MATTERS;
        let is_same = match (self.wanted, wanted) {
            (Some(now), Some(wanted)) => {
                is_close(now.memory_bytes, wanted.memory_bytes)
                    && is_close(now.processes, wanted.processes)
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_same {
            self.wanted = wanted;
        }
        !is_same
    }
}

impl State {
    /// Decides what those that idle may come to. Gives those that have to be told.
    pub(super) fn divide_room(&mut self, rules: OwnerRules) -> Vec<u64> {
        let idles = |member: &Member| member.stage == Stage::Idle && !member.promised.active;
        let mut owners = HashMap::<String, Sums>::new();
        let mut all = Sums::default();
        for member in self.members.values() {
            let own = owners.entry(member.owner.clone()).or_default();
            for sums in [own, &mut all] {
                sums.add(member.promised.footprint, idles(member));
            }
        }
        let of_all = all.room(rules.capacity.hundredths(DIVIDED));
        let mut told = Vec::new();
        for (number, member) in &mut self.members {
            if !idles(member) {
                continue;
            }
            let own = owners.get(&member.owner).copied().unwrap_or_default();
            let room =
                own.room(rules.most_of_one.hundredths(DIVIDED)).smaller_of(of_all).larger_of(LEAST);
            let most = member.promised.footprint.and(room);
            // Init is among what it holds, and not in its limits.
            let is_free = member.most.is_within(most);
            if member.idle_limits.changes_to((!is_free).then_some(most)) {
                told.push(*number);
            }
        }
        told
    }
}

/// What sandboxes have been promised, and how many of them idle.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    active: Footprint,
    held: Footprint,
    idle: u64,
}

impl Sums {
    fn add(&mut self, promised: Footprint, idles: bool) {
        if idles {
            self.held = self.held.and(promised);
            self.idle += 1;
        } else {
            self.active = self.active.and(promised);
        }
    }

    /// What each of those that idle may have more, of `most` in all.
    fn room(self, most: Footprint) -> Footprint {
        let left = most.less(self.held);
        let free = left.less(self.active);
        let memory_bytes = free.memory_bytes.max(left.hundredths(PART).memory_bytes);
        Footprint { memory_bytes, ..free }.divided_by(self.idle)
    }
}

impl Owners {
    /// Tells a sandbox what it may come to now, one after the other.
    pub(super) async fn tell_limits(&self, number: u64) {
        let told = |state: &mut State| {
            let member = state.members.get_mut(&number)?;
            Some((Arc::clone(&member.idle_limits.telling), Arc::clone(&member.sandbox)))
        };
        let Some((telling, sandbox)) = told(&mut self.lock()) else {
            return;
        };
        let _telling = telling.lock().await;
        // Not before: it may have begun to be used meanwhile, and then its own limits hold.
        let wanted = {
            let mut state = self.lock();
            let Some(member) = state.members.get_mut(&number) else {
                return;
            };
            let limits = &mut member.idle_limits;
            if limits.wanted == limits.in_force {
                return;
            }
            limits.in_force = limits.wanted.or(limits.in_force);
            limits.wanted
        };
        let told = sandbox.hold_to(wanted).await;
        let mut state = self.lock();
        let Some(member) = state.members.get_mut(&number) else {
            return;
        };
        match told {
            Ok(()) => member.idle_limits.in_force = wanted,
            Err(error) => {
                // It is gone, or holds more than it did when it was measured: it is measured and told again.
                tracing::debug!(%error, "the limits of an idle sandbox could not be changed");
                if member.stage == Stage::Idle {
                    member.idle_limits.wanted = None;
                    member.seen = Instant::now().checked_sub(MEASURE).unwrap_or(member.seen);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(memory_bytes: u64, processes: u64) -> Footprint {
        Footprint { memory_bytes, processes }
    }

    #[test]
    fn what_is_left_is_divided_among_those_that_idle() {
        let mut sums = Sums::default();
        assert_eq!(sums.room(of(1000, 100)), of(1000, 100), "nobody idles");
        sums.add(of(100, 10), true);
        sums.add(of(100, 10), true);
        assert_eq!(sums.room(of(1000, 100)), of(400, 40));
        sums.add(of(900, 50), false);
        assert_eq!(sums.room(of(1000, 100)), of(100, 15), "more was promised than there is");
        sums.add(of(0, 100), false);
        assert_eq!(sums.room(of(1000, 100)).processes, 0);
    }

    #[test]
    fn small_changes_are_not_told() {
        let mut limits = IdleLimits::default();
        assert!(!limits.changes_to(None));
        assert!(limits.changes_to(Some(of(800, 80))) && !limits.changes_to(Some(of(750, 85))));
        assert!(limits.changes_to(Some(of(800, 60))) && limits.changes_to(None));
    }
}
