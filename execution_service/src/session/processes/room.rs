//! The memory that the commands of one session may take in the worker, beside what each has for itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes for all commands of a session together.
const ALL: usize = 16 << 20;

/// What is taken of it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Room(Arc<AtomicUsize>);

/// Bytes that are taken; given back when this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    room: Room,
    bytes: usize,
}

impl Room {
    /// Nothing yet.
    pub(super) fn none(&self) -> Taken {
        Taken { room: self.clone(), bytes: 0 }
    }

    /// Whether more than half of it is taken.
    pub(super) fn is_scarce(&self) -> bool {
        self.0.load(Ordering::Relaxed) > ALL / 2
    }
}

impl Taken {
    /// Takes as many bytes as this, rather than those that were taken; `false`, and nothing changes, when there
    /// are not as many. There is always room for fewer.
    pub(super) fn resize(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let take = |taken: usize| taken.checked_add(more).filter(|sum| *sum <= ALL);
        let is_there = more == 0
            || self.room.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        if is_there {
            self.room.0.fetch_sub(self.bytes.saturating_sub(bytes), Ordering::Relaxed);
            self.bytes = bytes;
        }
        is_there
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_taken_is_given_back() {
        let room = Room::default();
        let (mut one, mut other) = (room.none(), room.none());
        assert!(one.resize(ALL - 10) && !other.resize(11) && other.resize(10));
        assert!(room.is_scarce() && !one.resize(ALL));
        assert!(one.resize(5) && other.resize(ALL - 5));
        drop(other);
        assert!(!room.is_scarce() && one.resize(ALL));
        drop(one);
        assert_eq!(room.0.load(Ordering::Relaxed), 0);
    }
}
