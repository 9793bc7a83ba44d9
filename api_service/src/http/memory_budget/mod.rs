//! How much memory the bodies of requests, and those of answers, may take, of all callers together and of one. The
//! body of a request is held while it is answered, which for a run may take minutes; that of an answer until its
//! caller has read it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

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
    given_back: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
    of_user: HashMap<UserId, usize>,
}

impl MemoryBudget {
    /// `bytes` in all, of which one user can have half.
    pub fn new(bytes: usize) -> Self {
        Self {
            shared: Arc::new(Shared { bytes, taken: Mutex::default(), given_back: Arc::default() }),
        }
    }

    /// A permit for nothing yet, for a body of `user`. A body of nobody's is small by the rules of its route.
    pub(super) fn enter(&self, user: Option<UserId>) -> MemoryPermit {
        MemoryPermit { shared: self.shared.clone(), user, bytes: 0, beyond: 0 }
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
    /// Taken although there was no room.
    beyond: usize,
}

impl MemoryPermit {
    /// Takes memory for a body that is `length` bytes long by now.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub(super) fn grow_to(&mut self, length: usize) -> Result<(), NoRoom> {
        let Some(user) = self.user.as_ref().filter(|_| length > FREE) else {
            return Ok(());
        };
        let more = length.saturating_sub(self.bytes);
        let mut taken = self.shared.taken();
        if !taken.has_room(user, more, self.shared.bytes) {
            return Err(NoRoom);
        }
        taken.add(user, more);
        self.bytes += more;
        Ok(())
    }

    /// The same, waiting for room for as long as `patience`. Whoever has waited so long gets it, room or not: what was
    /// done is not thrown away.
    pub(super) async fn grow_in_time(&mut self, length: usize, patience: Duration) {
        let waiting = async {
            loop {
                let given_back = self.shared.given_back.clone();
                // Before the try: what is given back in between must not be missed.
                let room = given_back.notified();
                if self.grow_to(length).is_ok() {
                    return;
                }
                room.await;
            }
        };
        if tokio::time::timeout(patience, waiting).await.is_ok() {
            return;
        }
        if let Some(user) = &self.user {
            // Not of all: nobody else is to be refused for it.
            *self.shared.taken().of_user.entry(user.clone()).or_default() += length;
            self.beyond += length;
        }
    }

    /// Whether there is room for more than what is free.
    pub(super) fn has_room(&self) -> bool {
        let room = |user| self.shared.taken().has_room(user, FREE, self.shared.bytes);
        self.user.as_ref().is_none_or(room)
    }
}

impl Taken {
    /// Whether `user` may have so many more `bytes`, of `all`. Who has none may have any one body.
    fn has_room(&self, user: &UserId, bytes: usize, all: usize) -> bool {
        let of_user = self.of_user.get(user).copied().unwrap_or_default();
        let fits = of_user.saturating_add(bytes) <= all / 2;
        of_user == 0 || fits && self.bytes.saturating_add(bytes) <= all
    }

    fn add(&mut self, user: &UserId, bytes: usize) {
        self.bytes += bytes;
        *self.of_user.entry(user.clone()).or_default() += bytes;
    }
}

impl Drop for MemoryPermit {
    fn drop(&mut self) {
        let Some(user) = self.user.as_ref().filter(|_| self.bytes + self.beyond > 0) else {
            return;
        };
        let mut taken = self.shared.taken();
        taken.bytes -= self.bytes;
        if let Some(of_user) = taken.of_user.get_mut(user) {
            *of_user -= self.bytes + self.beyond;
            if *of_user == 0 {
                taken.of_user.remove(user);
            }
        }
        drop(taken);
        self.shared.given_back.notify_waiters();
    }
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        let taken = budget.shared.taken();
        assert!(taken.bytes == 0 && taken.of_user.is_empty());
    }

    #[tokio::test]
    async fn who_waits_gets_what_another_gives_back_and_at_last_more_than_there_is() {
        let budget = MemoryBudget::new(4 * MIB);
        let user = UserId::generate();
        let enter = || budget.enter(Some(user.clone()));
        let mut first = enter();
        first.grow_in_time(3 * MIB, Duration::ZERO).await;
        assert!(!enter().has_room(), "one body is let in whatever its length");
        let mut second = enter();
        let long = Duration::from_secs(60);
        tokio::join!(second.grow_in_time(MIB, long), async {
            tokio::task::yield_now().await;
            drop(first);
        });
        assert_eq!(budget.shared.taken().bytes, MIB);
        let mut third = enter();
        third.grow_in_time(3 * MIB, Duration::from_millis(20)).await;
        assert_eq!(budget.shared.taken().bytes, MIB, "nobody else is refused for it");
        assert_eq!(budget.shared.taken().of_user[&user], 4 * MIB);
        drop((second, third));
        assert!(budget.shared.taken().bytes == 0 && enter().has_room());
    }
}
