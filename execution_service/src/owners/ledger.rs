//! What is promised to the sandboxes of each owner and of all: pure sums.

use std::collections::HashMap;

use crate::sandbox::spec::Footprint;

/// Whose bound was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// That of one owner.
    Owner,
    /// That of all.
    Worker,
}

/// What may be promised.
#[derive(Clone, Copy, Debug)]
pub struct Promisable {
    /// To all together.
    pub all: Footprint,
    /// To one owner.
    pub one: Footprint,
}

/// No room for another promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", match (.bound, .what) {
    (Bound::Owner, What::Memory) => "your sandboxes have been promised as much memory as those of one user may",
    (Bound::Owner, What::Processes) => "your sandboxes have been promised as many processes as those of one user may",
    (Bound::Worker, What::Memory) => "this worker has promised its sandboxes as much memory as it can",
    (Bound::Worker, What::Processes) => "this worker has promised its sandboxes as many processes as it can",
})]
pub struct Overcommitted {
    /// Whose sum it is.
    pub bound: Bound,
    /// Of what.
    pub what: What,
}

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Bytes.
    Memory,
    /// Processes and threads.
    Processes,
}

/// All promises.
#[derive(Debug)]
pub(super) struct Ledger {
    promisable: Promisable,
    all: Footprint,
    owners: HashMap<String, Sum>,
}

/// What one sandbox was promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Promised {
    pub(super) footprint: Footprint,
    /// Something in it is waited for.
    pub(super) active: bool,
}

/// What all sandboxes of one owner were promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    footprint: Footprint,
    active: usize,
}

impl Sum {
    fn without(self, one: Promised) -> Self {
        let active = self.active.saturating_sub(usize::from(one.active));
        Self { footprint: self.footprint.less(one.footprint), active }
    }

    fn with(self, one: Promised) -> Self {
        let active = self.active + usize::from(one.active);
        Self { footprint: self.footprint.and(one.footprint), active }
    }
}

impl Ledger {
    /// Without a promise.
    pub(super) fn new(promisable: Promisable) -> Self {
        Self { promisable, all: Footprint::default(), owners: HashMap::new() }
    }

    /// Replaces the promise `old` to `owner` by `new`. Who has nothing else in use gets what is asked for: on a small
    /// machine nobody would get anything otherwise.
    ///
    /// # Errors
    /// [`Overcommitted`]; less than before is always granted.
    pub(super) fn promise(
        &mut self,
        owner: &str,
        old: Promised,
        new: Promised,
    ) -> Result<(), Overcommitted> {
        let own = self.owners.get(owner).copied().unwrap_or_default().without(old);
        if own.active > 0 && !new.footprint.is_within(old.footprint) {
            let all = self.all.less(old.footprint);
            let of_owner = (Bound::Owner, own.footprint, self.promisable.one);
            for (bound, sum, most) in [of_owner, (Bound::Worker, all, self.promisable.all)] {
                let sum = sum.and(new.footprint);
                if sum.memory_bytes > most.memory_bytes {
                    return Err(Overcommitted { bound, what: What::Memory });
                }
                if sum.processes > most.processes {
                    return Err(Overcommitted { bound, what: What::Processes });
                }
            }
        }
        self.note(owner, old, new);
        Ok(())
    }

    /// The same where it is no question whether it is granted.
    pub(super) fn note(&mut self, owner: &str, old: Promised, new: Promised) {
        self.all = self.all.less(old.footprint).and(new.footprint);
        let own = self.owners.get(owner).copied().unwrap_or_default().without(old).with(new);
        if own == Sum::default() {
            self.owners.remove(owner);
        } else {
            self.owners.insert(String::from(owner), own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Promised =
        Promised { footprint: Footprint { memory_bytes: 0, processes: 0 }, active: false };

    fn sum(memory_bytes: u64, processes: u64) -> Footprint {
        Footprint { memory_bytes, processes }
    }

    fn of(memory_bytes: u64, processes: u64) -> Promised {
        Promised { footprint: sum(memory_bytes, processes), active: true }
    }

    fn refused(bound: Bound, what: What) -> Result<(), Overcommitted> {
        Err(Overcommitted { bound, what })
    }

    #[test]
    fn no_owner_is_promised_what_others_were() {
        let mut ledger = Ledger::new(Promisable { all: sum(100, 100), one: sum(60, 60) });
        assert_eq!(ledger.promise("ann", NOTHING, of(40, 10)), Ok(()));
        assert_eq!(ledger.promise("ann", NOTHING, of(21, 10)), refused(Bound::Owner, What::Memory));
        assert_eq!(
            ledger.promise("ann", NOTHING, of(10, 51)),
            refused(Bound::Owner, What::Processes)
        );
        assert_eq!(ledger.promise("bob", NOTHING, of(50, 10)), Ok(()));
        assert_eq!(
            ledger.promise("bob", NOTHING, of(10, 81)),
            refused(Bound::Owner, What::Processes)
        );
        assert_eq!(
            ledger.promise("ann", NOTHING, of(11, 10)),
            refused(Bound::Worker, What::Memory)
        );
        // Who has nothing is served, whatever others have; and what is given back can be promised again.
        assert_eq!(ledger.promise("eve", NOTHING, of(512, 1)), Ok(()));
        assert_eq!(ledger.promise("eve", of(512, 1), NOTHING), Ok(()));
        assert_eq!(ledger.promise("ann", of(40, 10), of(5, 1)), Ok(()));
        assert_eq!(ledger.promise("ann", NOTHING, of(45, 9)), Ok(()));
        for (owner, held) in [("ann", of(5, 1)), ("ann", of(45, 9)), ("bob", of(50, 10))] {
            assert_eq!(ledger.promise(owner, held, NOTHING), Ok(()));
        }
        assert!(ledger.owners.is_empty() && ledger.all == NOTHING.footprint);
    }

    #[test]
    fn who_only_idles_beside_gets_what_is_asked_for() {
        let mut ledger = Ledger::new(Promisable { all: sum(100, 100), one: sum(60, 60) });
        let idle = Promised { active: false, ..of(50, 1) };
        assert_eq!(ledger.promise("ann", NOTHING, of(50, 1)), Ok(()));
        assert_eq!(ledger.promise("ann", NOTHING, of(50, 1)), refused(Bound::Owner, What::Memory));
        ledger.note("ann", of(50, 1), idle);
        assert_eq!(ledger.promise("ann", NOTHING, of(50, 1)), Ok(()));
        assert_eq!(ledger.promise("ann", idle, of(55, 1)), refused(Bound::Owner, What::Memory));
    }
}
