//! How much memory the bodies of requests, and those of answers, may take, of all callers together and of one. The
//! body of a request is held while it is answered, which for a run may take minutes; that of an answer until its
//! caller has read it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ids::UserId;

/// Bytes of a body that count for nothing: most requests are smaller, and are never refused.
pub(super) const FREE: usize = 64 << 10;

/// The memory that there is for bodies of one kind. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
    of_user: HashMap<UserId, usize>,
}

impl MemoryBudget {
    /// `bytes` in all, of which one user can have half.
    pub fn new(bytes: usize) -> Self {
        Self { shared: Arc::new(Shared { bytes, taken: Mutex::default() }) }
    }

    /// A permit for nothing yet, for a body of `user`. A body of nobody's is small by the rules of its route.
    pub(super) fn enter(&self, user: Option<UserId>) -> MemoryPermit {
        MemoryPermit { shared: self.shared.clone(), user, bytes: 0 }
    }
}

/// Other bodies take all the memory that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRoom;

/// The memory that one body takes. Given back when it is dropped.
#[derive(Debug)]
pub struct MemoryPermit {
    shared: Arc<Shared>,
    user: Option<UserId>,
    bytes: usize,
}

impl MemoryPermit {
    /// Takes memory for a body that is `length` bytes long by now.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub(super) fn grow_to(&mut self, length: usize) -> Result<(), NoRoom> {
        if length <= FREE {
            return Ok(());
        }
        let more = length.saturating_sub(self.bytes);
        if self.fits(more) {
            self.take(length);
            Ok(())
        } else {
            Err(NoRoom)
        }
    }

    /// Whether there is room for more than what is free.
    pub(super) fn has_room(&self) -> bool {
        self.fits(FREE)
    }

    /// Takes memory for a body that is `length` bytes long and there already, room or not.
    pub(super) fn take(&mut self, length: usize) {
        let Some(user) = self.user.as_ref().filter(|_| length > FREE) else {
            return;
        };
        let more = length.saturating_sub(self.bytes);
        let mut taken = self.shared.taken();
        taken.bytes += more;
        *taken.of_user.entry(user.clone()).or_default() += more;
        self.bytes += more;
    }

    fn fits(&self, more: usize) -> bool {
        let Some(user) = &self.user else {
            return true;
        };
        let taken = self.shared.taken();
        let of_user = taken.of_user.get(user).copied().unwrap_or_default();
        taken.bytes.saturating_add(more) <= self.shared.bytes
            && of_user.saturating_add(more) <= self.shared.bytes / 2
    }
}

impl Drop for MemoryPermit {
    fn drop(&mut self) {
        let Some(user) = self.user.as_ref().filter(|_| self.bytes > 0) else {
            return;
        };
        let mut taken = self.shared.taken();
        taken.bytes -= self.bytes;
        if let Some(of_user) = taken.of_user.get_mut(user) {
            *of_user -= self.bytes;
            if *of_user == 0 {
                taken.of_user.remove(user);
            }
        }
    }
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryBudget;
    use crate::domain::ids::UserId;

    const MIB: usize = 1 << 20;

    #[test]
    fn one_user_leaves_half_of_the_room_to_others() {
        let budget = MemoryBudget::new(4 * MIB);
        let (one, other) = (UserId::generate(), UserId::generate());
        let mut first = budget.enter(Some(one.clone()));
        assert!(first.grow_to(2 * MIB).is_ok());
        let mut second = budget.enter(Some(one));
        assert!(second.grow_to(1000).is_ok(), "small bodies are never refused");
        assert!(second.grow_to(MIB).is_err());
        let mut third = budget.enter(Some(other.clone()));
        assert!(third.grow_to(MIB).is_ok() && third.grow_to(2 * MIB).is_ok());
        drop(first);
        assert!(second.grow_to(2 * MIB).is_ok(), "it was given back");
        drop((second, third));
        let mut answer = budget.enter(Some(other));
        answer.take(3 * MIB);
        assert!(!answer.has_room(), "what is there is counted, room or not");
        drop(answer);
        let taken = budget.shared.taken();
        assert!(taken.bytes == 0 && taken.of_user.is_empty());
    }
}
