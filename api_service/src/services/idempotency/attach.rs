//! A request with a key goes on when its caller leaves, and a retry is attached to it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::Idempotency;
use crate::domain::idempotency::Reservation;
use crate::domain::ids::{ExecutionId, UserId};
use crate::services::Error;

type Key = (UserId, &'static str, String);

/// Requests that go on in this gateway, by their keys.
#[derive(Clone, Default)]
pub struct Ongoing(Arc<Mutex<HashMap<Key, First>>>);

#[derive(Clone)]
struct First {
    fingerprint: String,
    execution: Option<ExecutionId>,
    caller_left: Arc<AtomicBool>,
    ended: CancellationToken,
}

/// Held by the first caller: dropped, it has left, or has its answer.
struct Presence(Arc<AtomicBool>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Held by the work: dropped, it has ended in whatever way.
struct Working(Ongoing, Key, CancellationToken);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.entries().remove(&self.1);
        self.2.cancel();
    }
}

/// What to do with one more request with a key.
enum Turn {
    /// It is the first.
    First(First),
    /// The first caller still waits.
    Attended,
    /// The first caller has left; this tells when the work has ended.
    Left(CancellationToken),
}

impl Ongoing {
    fn entries(&self) -> MutexGuard<'_, HashMap<Key, First>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, key: &Key, reservation: &Reservation) -> Turn {
        let mut entries = self.entries();
        match entries.get(key) {
            None => {
                let Reservation { fingerprint, execution, .. } = reservation.clone();
                let (caller_left, ended) = (Arc::default(), CancellationToken::new());
                let first = First { fingerprint, execution, caller_left, ended };
                entries.insert(key.clone(), first.clone());
                Turn::First(first)
            }
            Some(first) if first.caller_left.load(Ordering::Relaxed) => {
                Turn::Left(first.ended.clone())
            }
            Some(_) => Turn::Attended,
        }
    }
}

impl Idempotency {
    /// The execution that an earlier request with the same key has begun, which goes on although its caller has left.
    ///
    /// # Errors
    /// [`Error::KeyReused`].
    pub fn left_behind(&self, reservation: &Reservation) -> Result<Option<ExecutionId>, Error> {
        let Reservation { user, route, key, fingerprint, execution: _ } = reservation;
        let key = (user.clone(), *route, key.as_str().to_owned());
        match self.ongoing.entries().get(&key) {
            Some(first) if first.fingerprint != *fingerprint => Err(Error::KeyReused),
            Some(first) if first.caller_left.load(Ordering::Relaxed) => Ok(first.execution.clone()),
            Some(_) | None => Ok(None),
        }
    }

    /// Does `work`, which claims the key, to its end, whatever becomes of the caller. A retry whose first
    /// caller has left waits for that end, and then finds the answer.
    ///
    /// # Errors
    /// When the work was cut off.
    pub async fn to_the_end<T: Send + 'static>(
        &self,
        reservation: &Reservation,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let Reservation { user, route, key, fingerprint: _, execution: _ } = reservation;
        let key = (user.clone(), *route, key.as_str().to_owned());
        let first = loop {
            match self.ongoing.turn(&key, reservation) {
                Turn::First(first) => break first,
                // It is told so by the key.
                Turn::Attended => return Ok(work.await),
                Turn::Left(ended) => ended.cancelled().await,
            }
        };
        let _presence = Presence(first.caller_left);
        let working = Working(self.ongoing.clone(), key, first.ended);
        let task = async move {
            let _working = working;
            work.await
        };
        let done = tokio::spawn(task.in_current_span()).await;
        done.map_err(|_| Error::Fault("a request with a key was cut off"))
    }
}
