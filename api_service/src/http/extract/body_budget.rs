//! How much memory the bodies of requests may take, of all callers together and of one: a body is held
//! while its request is answered, which for a run may take minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ids::UserId;
use crate::http::failure::Failure;

/// Bytes of a body that count for nothing: most requests are smaller, and are never refused.
const FREE: usize = 64 << 10;

/// The memory that there is for bodies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BodyBudget {
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

impl BodyBudget {
    /// `bytes` in all, of which one user can have half.
    pub fn new(bytes: usize) -> Self {
        Self { shared: Arc::new(Shared { bytes, taken: Mutex::default() }) }
    }

    /// A permit for nothing, for a body of `user` that begins to arrive. A body of nobody's is small by
    /// the rules of its route.
    pub(super) fn enter(&self, user: Option<UserId>) -> BodyPermit {
        BodyPermit { shared: self.shared.clone(), user, bytes: 0 }
    }
}

/// The memory that one body takes. Given back when it is dropped.
#[derive(Debug)]
pub struct BodyPermit {
    shared: Arc<Shared>,
    user: Option<UserId>,
    bytes: usize,
}

impl BodyPermit {
    /// Takes memory for a body that is `length` bytes long by now.
    ///
    /// # Errors
    /// [`Failure::BodiesFull`].
    pub(super) fn grow_to(&mut self, length: usize) -> Result<(), Failure> {
        if length <= FREE {
            return Ok(());
        }
        let Some(user) = &self.user else {
            return Ok(());
        };
        let more = length.saturating_sub(self.bytes);
        let mut taken = self.shared.taken();
        let of_user = taken.of_user.get(user).copied().unwrap_or_default();
        let fits = taken.bytes.saturating_add(more) <= self.shared.bytes
            && of_user.saturating_add(more) <= self.shared.bytes / 2;
        if !fits {
            return Err(Failure::BodiesFull);
        }
        taken.bytes += more;
        taken.of_user.insert(user.clone(), of_user + more);
        self.bytes += more;
        Ok(())
    }
}

impl Drop for BodyPermit {
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
    use super::BodyBudget;
    use crate::domain::ids::UserId;

    const MIB: usize = 1 << 20;

    #[test]
    fn one_user_leaves_half_of_the_room_to_others() {
        let budget = BodyBudget::new(4 * MIB);
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
        let taken = budget.shared.taken();
        assert!(taken.bytes == 0 && taken.of_user.is_empty());
    }
}
