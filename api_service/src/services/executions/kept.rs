//! Logs of executions that have ended, for a while: whoever lost its connection just before the end gets the rest.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::log::Log;
use crate::domain::ids::{ExecutionId, UserId};

/// How long one is kept at most.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(120);
/// Most bytes of all of them.
const MOST_BYTES: usize = 64 << 20;
/// Most bytes of one user's, of whom others are not to notice.
const MOST_OF_USER: usize = 16 << 20;

/// The logs; each is a few hundred bytes at least, which bounds their number.
#[derive(Default)]
pub(super) struct Kept {
    logs: HashMap<ExecutionId, One>,
    /// In the order of their ends.
    order: VecDeque<(Instant, ExecutionId)>,
    bytes: usize,
    of_user: HashMap<UserId, usize>,
}

struct One {
    user: UserId,
    log: Arc<Log>,
    bytes: usize,
}

impl Kept {
    /// Keeps a log that ended at `now`. The oldest make way: of its own user first.
    pub(super) fn keep(&mut self, id: ExecutionId, user: UserId, log: Arc<Log>, now: Instant) {
        let bytes = log.size();
        self.expire(now);
        if bytes > MOST_OF_USER {
            return log.forget();
        }
        while self.of_user.get(&user).is_some_and(|own| own + bytes > MOST_OF_USER) {
            let own = |(_, id): &&(Instant, ExecutionId)| {
                self.logs.get(id).is_some_and(|one| one.user == user)
            };
            let Some(oldest) = self.order.iter().find(own).map(|(_, id)| id.clone()) else { break };
            self.remove(&oldest);
        }
        while self.bytes + bytes > MOST_BYTES
            && let Some(oldest) = self.order.front().map(|(_, id)| id.clone())
        {
            self.remove(&oldest);
        }
        self.bytes += bytes;
        *self.of_user.entry(user.clone()).or_default() += bytes;
        self.order.push_back((now, id.clone()));
        self.logs.insert(id, One { user, log, bytes });
    }

    /// The log of a user's execution, if it is still here at `now`.
    pub(super) fn find(
        &mut self,
        user: &UserId,
        id: &ExecutionId,
        now: Instant,
    ) -> Option<Arc<Log>> {
        self.expire(now);
        let one = self.logs.get(id).filter(|one| one.user == *user)?;
        Some(one.log.clone())
    }

    /// Lets go of those whose time is up at `now`.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some((ended, id)) = self.order.front()
            && now.saturating_duration_since(*ended) >= KEPT_FOR
        {
            let id = id.clone();
            self.remove(&id);
        }
    }

    fn remove(&mut self, id: &ExecutionId) {
        self.order.retain(|(_, other)| other != id);
        let Some(One { user, log, bytes }) = self.logs.remove(id) else {
            return;
        };
        // Also for those who still read it, however slowly.
        log.forget();
        self.bytes -= bytes;
        if let Some(own) = self.of_user.get_mut(&user) {
            *own -= bytes;
            if *own == 0 {
                self.of_user.remove(&user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::event::{Event, OutputStream};

    fn log(megabytes: usize) -> Arc<Log> {
        let log = Log::new();
        // Two at most stay in a log: what counts is what it holds.
        for _ in 0..megabytes.max(1) {
            let data = Bytes::from(vec![b'x'; 1 << 20]);
            log.append(Event::Output { stream: OutputStream::Stdout, offset: 0, data });
        }
        log
    }

    #[test]
    fn one_is_found_by_its_user_until_its_time_is_up() {
        let (mut kept, now) = (Kept::default(), Instant::now());
        let (id, user) = (ExecutionId::generate(), UserId::generate());
        kept.keep(id.clone(), user.clone(), log(1), now);
        assert!(kept.find(&user, &id, now).is_some());
        assert!(kept.find(&UserId::generate(), &id, now).is_none());
        assert!(kept.find(&user, &id, now + KEPT_FOR).is_none());
        assert!(kept.bytes == 0 && kept.of_user.is_empty() && kept.order.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        /// Whoever runs how much: nobody has more than a share, nor all together more than there is.
        #[test]
        fn bytes_are_bounded_by_user_and_in_all(users in prop::collection::vec(0..8_usize, 0..120)) {
            let all: Vec<UserId> = (0..8).map(|_| UserId::generate()).collect();
            let (mut kept, now) = (Kept::default(), Instant::now());
            let one = log(1);
            for user in users {
                let id = ExecutionId::generate();
                kept.keep(id.clone(), all[user].clone(), one.clone(), now);
                prop_assert!(kept.find(&all[user], &id, now).is_some(), "the newest is there");
                prop_assert!(kept.bytes <= MOST_BYTES);
                prop_assert!(kept.of_user.values().all(|own| *own <= MOST_OF_USER));
                prop_assert_eq!(kept.logs.len(), kept.order.len());
            }
        }
    }
}
