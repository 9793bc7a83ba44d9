//! How much memory the bodies of requests may take, of all callers together and of one: a body is held
//! while its request is answered, which for a run may take minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ids::UserId;
use crate::error::ApiError;

/// Bytes of a body that count for nothing: most requests are smaller, and are never refused.
const FREE: usize = 64 << 10;

/// The room that there is for bodies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BodyRoom {
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

impl BodyRoom {
    /// With room for `bytes` in all, of which one user can have half.
    pub fn new(bytes: usize) -> Self {
        Self { shared: Arc::new(Shared { bytes, taken: Mutex::default() }) }
    }

    /// A share of nothing, for a body of `user` that begins to arrive. A body of nobody's is small by
    /// the rules of its route.
    pub(super) fn enter(&self, user: Option<UserId>) -> Share {
        Share { shared: self.shared.clone(), user, bytes: 0 }
    }
}

/// The room that one body takes. Given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    shared: Arc<Shared>,
    user: Option<UserId>,
    bytes: usize,
}

impl Share {
    /// Makes room for a body that is `length` bytes long by now.
    ///
    /// # Errors
    /// [`ApiError::NoRoomForBody`].
    pub(super) fn grow_to(&mut self, length: usize) -> Result<(), ApiError> {
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
            return Err(ApiError::NoRoomForBody);
        }
        taken.bytes += more;
        taken.of_user.insert(user.clone(), of_user + more);
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Share {
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
    use super::BodyRoom;
    use crate::domain::ids::UserId;

    const MIB: usize = 1 << 20;

    #[test]
    fn one_user_leaves_half_of_the_room_to_others() {
        let room = BodyRoom::new(4 * MIB);
        let (one, other) = (UserId::generate(), UserId::generate());
        let mut first = room.enter(Some(one.clone()));
        assert!(first.grow_to(2 * MIB).is_ok());
        let mut second = room.enter(Some(one));
        assert!(second.grow_to(1000).is_ok(), "small bodies are never refused");
        assert!(second.grow_to(MIB).is_err());
        let mut third = room.enter(Some(other.clone()));
        assert!(third.grow_to(MIB).is_ok() && third.grow_to(2 * MIB).is_ok());
        drop(first);
        assert!(second.grow_to(2 * MIB).is_ok(), "the room was given back");
        drop((second, third));
        let taken = room.shared.taken();
        assert!(taken.bytes == 0 && taken.of_user.is_empty());
    }
}
