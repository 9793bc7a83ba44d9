//! Sessions: a user's lease on one sandbox over many executions.

mod registry;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::execution::limits::Limits;
use crate::execution::workplace::Workplace;
use crate::language::Language;

pub use registry::{Registry, SessionError, SessionRules};

/// Whoever wants to run something waits for as long, at most, while the machine is short of what some sandbox may
/// have taken: an innocent one on a busy machine does not take so long to answer.
const SUSPICIOUS: Duration = Duration::from_millis(500);

/// One session. Its runs take turns by the lock on its workplace.
pub struct Session {
    /// Unique.
    pub id: String,
    /// Whose it is; to anybody else it does not exist.
    pub owner: String,
    /// What it runs.
    pub language: Language,
    /// Defaults for its runs; disk and open files are fixed by them.
    pub limits: Limits,
    /// Variables of every run.
    pub env: BTreeMap<String, String>,
    /// When it began.
    pub created: SystemTime,
    /// When it ends, at the latest.
    pub expires: SystemTime,
    /// Its sandbox; empty once it has ended.
    pub place: tokio::sync::Mutex<Option<Workplace>>,
    /// Fires when it ends: whatever runs in it stops.
    pub ended: CancellationToken,
    deadline: Instant,
    last_use: Mutex<Instant>,
}

impl Session {
    /// Begins one in `place`, for `ttl`.
    pub fn begin(new: NewSession, limits: Limits, place: Workplace) -> Self {
        let NewSession { id, owner, language, env, ttl } = new;
        let (created, now) = (SystemTime::now(), Instant::now());
        Self {
            id,
            owner,
            language,
            limits,
            env,
            created,
            expires: created + ttl,
            place: tokio::sync::Mutex::new(Some(place)),
            ended: CancellationToken::new(),
            deadline: now + ttl,
            last_use: Mutex::new(now),
        }
    }

    /// Whether something runs in it now.
    pub fn is_busy(&self) -> bool {
        self.place.try_lock().is_err()
    }

    /// Whether what its last run has left running holds more than nobody watches who waits for a run. Nothing is
    /// said while something runs in it: that is watched already.
    pub async fn hoards(&self) -> bool {
        let Ok(place) = self.place.try_lock() else {
            return false;
        };
        let Some(place) = place.as_ref() else {
            return false;
        };
        place.sandbox.excess(SUSPICIOUS).await.is_some()
    }

    /// Whether an interpreter waits in it; taken for granted while something runs.
    pub fn has_kernel(&self) -> bool {
        let place = self.place.try_lock();
        place.map_or(true, |place| place.as_ref().is_some_and(|place| place.kernel.is_some()))
    }

    /// Starts its idle time anew.
    pub fn touch(&self) {
        *self.last_use.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn is_over(&self, idle: Duration) -> bool {
        let last_use = *self.last_use.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        now >= self.deadline || (now >= last_use + idle && !self.is_busy())
    }

    /// Stops what runs in it and gives its sandbox back.
    pub async fn end(&self) {
        self.ended.cancel();
        let place = self.place.lock().await.take();
        if let Some(place) = place {
            place.sandbox.end().await;
        }
    }
}

/// What is asked of a new session.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Chosen by the caller; unique.
    pub id: String,
    /// Whose it will be.
    pub owner: String,
    /// What it will run.
    pub language: Language,
    /// Variables of every run.
    pub env: BTreeMap<String, String>,
    /// How long it lives, whatever happens in it.
    pub ttl: Duration,
}
