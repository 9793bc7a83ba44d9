//! What is noted and not in the database yet.

use std::collections::HashMap;

use crate::domain::ids::ExecutionId;
use crate::storage::Change;

/// The last change of each execution, by a number that grows with every change.
#[derive(Default)]
pub(super) struct Pending {
    changes: HashMap<ExecutionId, (u64, Change)>,
    last: u64,
}

/// What is written at once.
pub(super) struct Batch {
    /// With the number that each change had when the batch was made.
    pub(super) changes: Vec<(ExecutionId, u64, Change)>,
    /// The last number in it; all before it are in it or were written earlier.
    pub(super) last: u64,
}

impl Pending {
    /// Adds a change, in place of an earlier one of the same execution, and gives its number.
    pub(super) fn put(&mut self, id: ExecutionId, change: Change) -> u64 {
        self.last += 1;
        self.changes.insert(id, (self.last, change));
        self.last
    }

    pub(super) fn get(&self, id: &ExecutionId) -> Option<Change> {
        self.changes.get(id).map(|(_, change)| change.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// The number of the last change of all, written or not.
    pub(super) fn last_number(&self) -> u64 {
        self.last
    }

    /// Everything, which stays here until it is written: whoever asks meanwhile must find it.
    pub(super) fn batch(&self) -> Batch {
        let changes = self
            .changes
            .iter()
            .map(|(id, (number, change))| (id.clone(), *number, change.clone()))
            .collect();
        Batch { changes, last: self.last }
    }

    /// Drops what was written, except where something newer has come since.
    pub(super) fn written(&mut self, batch: &Batch) {
        for (id, number, _) in &batch.changes {
            if self.changes.get(id).is_some_and(|(now, _)| now == number) {
                self.changes.remove(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pending;
    use crate::domain::ids::ExecutionId;
    use crate::storage::Change;

    #[test]
    fn what_changed_while_it_was_written_stays() {
        let (same, changed) = (ExecutionId::generate(), ExecutionId::generate());
        let mut pending = Pending::default();
        for id in [&same, &changed] {
            pending.put(id.clone(), Change::TakeBack(id.clone()));
        }
        let batch = pending.batch();
        assert!(pending.get(&same).is_some(), "it can be found while it is written");
        let newer = pending.put(changed.clone(), Change::TakeBack(changed.clone()));
        pending.written(&batch);
        assert!(pending.get(&same).is_none() && pending.get(&changed).is_some());
        assert!(batch.last < newer, "whoever waits for the newer one goes on waiting");
    }
}
