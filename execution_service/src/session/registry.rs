//! The sessions that live, and for a while those that did.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, interval};

use super::Session;
use crate::execution::handle::Cause;
use crate::sandbox::backend::Sandbox;

/// How often expired sessions are looked for.
const SWEEP: Duration = Duration::from_millis(250);
/// How long it is remembered that a session has expired or was lost, rather than never been.
const MEMORY: Duration = Duration::from_secs(3600);

/// How many sessions there may be, and for how long they may do nothing.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    /// In all.
    pub max: usize,
    /// Of one owner.
    pub max_per_owner: usize,
    /// Without a run.
    pub idle: Duration,
}

/// Why there is no session to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Never was, was ended, or is somebody else's.
    #[error("no such session")]
    NotFound,
    /// Its time ran out.
    #[error("the session has expired")]
    Expired,
    /// What ran in it has broken its sandbox.
    #[error("the session's sandbox is gone")]
    Lost,
    /// That id is taken.
    #[error("there is a session with that id already")]
    Exists,
    /// The owner has as many as one may have.
    #[error("you have {0} sessions, which is as many as one user may have; end one first")]
    TooMany(usize),
    /// This worker has as many as it can hold.
    #[error("this worker holds as many sessions as it can")]
    Full,
}

/// All sessions of a worker, by their ids.
pub struct Registry {
    rules: SessionRules,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: HashMap<String, Arc<Session>>,
    /// Nobody can have these any more, and their sandboxes are there until they have ended.
    leaving: Vec<Weak<Session>>,
    /// Owner, why it is gone, and until when that is remembered.
    gone: HashMap<String, (String, SessionError, Instant)>,
    /// Owners of sessions that are being made, by id.
    promised: HashMap<String, String>,
}

/// A place among the sessions, kept free while the sandbox is made. Dropping it gives the place up.
pub struct Promise<'a> {
    registry: &'a Registry,
    id: String,
}

impl Registry {
    /// Without sessions.
    pub fn new(rules: SessionRules) -> Self {
        Self { rules, state: Mutex::new(State::default()) }
    }

    /// Keeps a place free for a session of `owner`.
    ///
    /// # Errors
    /// When there are too many, or when there is one with that id.
    pub fn promise(&self, id: &str, owner: &str) -> Result<Promise<'_>, SessionError> {
        let mut state = self.lock();
        if state.live.contains_key(id) || state.promised.contains_key(id) {
            return Err(SessionError::Exists);
        }
        let own = state.held().filter(|session| session.owner == owner).count()
            + state.promised.values().filter(|whose| *whose == owner).count();
        if own >= self.rules.max_per_owner {
            return Err(SessionError::TooMany(own));
        }
        let all = state.held().count() + state.promised.len();
        if all >= self.rules.max {
            return Err(SessionError::Full);
        }
        state.promised.insert(String::from(id), String::from(owner));
        drop(state);
        Ok(Promise { registry: self, id: String::from(id) })
    }

    /// The session `id`, if it is `owner`'s and alive.
    ///
    /// # Errors
    /// [`SessionError::NotFound`], [`SessionError::Expired`] or [`SessionError::Lost`].
    pub fn get(&self, id: &str, owner: &str) -> Result<Arc<Session>, SessionError> {
        let state = self.lock();
        match state.live.get(id) {
            Some(session) if session.owner != owner => Err(SessionError::NotFound),
            Some(session) => match self.end_of(session) {
                // The sweep will find it.
                Some(why) => Err(why),
                None => Ok(Arc::clone(session)),
            },
            None => match state.gone.get(id) {
                Some((whose, why, _)) if whose == owner => Err(*why),
                Some(_) | None => Err(SessionError::NotFound),
            },
        }
    }

    /// The sessions of `owner`, oldest first.
    pub fn of(&self, owner: &str) -> Vec<Arc<Session>> {
        let state = self.lock();
        let mut sessions: Vec<_> = state
            .live
            .values()
            .filter(|session| session.owner == owner && self.end_of(session).is_none())
            .cloned()
            .collect();
        sessions.sort_by_key(|session| session.deadline.created());
        sessions
    }

    /// How many there are, those that are about to end included.
    pub fn count(&self) -> u64 {
        self.lock().held().count() as u64
    }

    /// How many interpreters wait in them.
    pub fn kernels(&self) -> u64 {
        self.lock().held().map(|session| session.contexts.kernels()).sum()
    }

    /// Takes the session `id` of `owner` out, for its end. Its place is free when it has ended.
    ///
    /// # Errors
    /// As [`Registry::get`].
    pub fn remove(&self, id: &str, owner: &str) -> Result<Arc<Session>, SessionError> {
        let session = self.get(id, owner)?;
        if self.lock().take(&session) { Ok(session) } else { Err(SessionError::NotFound) }
    }

    /// The one whose sandbox this is.
    pub fn of_sandbox(&self, sandbox: &Arc<dyn Sandbox>) -> Option<Arc<Session>> {
        let state = self.lock();
        state.live.values().find(|session| Arc::ptr_eq(&session.sandbox, sandbox)).cloned()
    }

    /// Those that no run watches.
    pub fn unwatched(&self) -> Vec<Arc<Session>> {
        let state = self.lock();
        state.live.values().filter(|session| !session.activity.has_runs()).cloned().collect()
    }

    /// How many commands run in them.
    pub fn processes(&self) -> u64 {
        self.lock().held().map(|session| session.processes.count()).sum()
    }

    /// How long `session` may do nothing.
    pub fn idle_of(&self, session: &Session) -> Duration {
        session.deadline.idle(self.rules.idle)
    }

    /// Ends sessions whose time has run out or whose sandbox is gone, for ever.
    pub async fn sweep(&self) {
        // Side by side: what a session does with its last moments must not keep others from their end.
        let mut ending = FuturesUnordered::new();
        let mut tick = interval(SWEEP);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    for (session, why) in self.take_over() {
                        tracing::info!(session_id = session.id, "{why}");
                        let cause = cause_of(why);
                        ending.push(async move { session.end(cause).await });
                    }
                }
                Some(()) = ending.next() => {}
            }
        }
    }

    /// Forgets a session whose sandbox is gone; whoever is told `true` is to end it.
    pub fn lose(&self, session: &Arc<Session>) -> bool {
        self.lock().bury(session, SessionError::Lost)
    }

    /// Ends every session.
    pub async fn end_all(&self) {
        let sessions = self.take_all();
        let end = |session: &Arc<Session>| {
            let session = Arc::clone(session);
            async move { session.end(Cause::SessionLost).await }
        };
        futures::future::join_all(sessions.iter().map(end)).await;
    }

    fn take_all(&self) -> Vec<Arc<Session>> {
        let mut state = self.lock();
        let sessions: Vec<_> = state.held().collect();
        for session in &sessions {
            state.take(session);
        }
        sessions
    }

    fn take_over(&self) -> Vec<(Arc<Session>, SessionError)> {
        let now = Instant::now();
        let mut state = self.lock();
        state.gone.retain(|_, (.., until)| *until > now);
        // Runs see by themselves that their sandbox is gone: what they have to say of it must not be
        // overtaken by the end of the session.
        let why = |session: &Session| {
            let is_seen = session.activity.has_runs();
            self.end_of(session).filter(|why| *why != SessionError::Lost || !is_seen)
        };
        let over: Vec<_> = state
            .live
            .values()
            .filter_map(|session| why(session).map(|why| (Arc::clone(session), why)))
            .collect();
        for (session, why) in &over {
            state.bury(session, *why);
        }
        over
    }

    /// Why one that is still among the living cannot be had any more.
    fn end_of(&self, session: &Session) -> Option<SessionError> {
        if session.is_over(self.rules.idle) {
            Some(SessionError::Expired)
        } else {
            session.sandbox.is_gone().then_some(SessionError::Lost)
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What those are told who wait for something in a session that is over.
fn cause_of(why: SessionError) -> Cause {
    match why {
        SessionError::Expired => Cause::SessionExpired,
        SessionError::NotFound
        | SessionError::Lost
        | SessionError::Exists
        | SessionError::TooMany(_)
        | SessionError::Full => Cause::SessionLost,
    }
}

impl State {
    /// All whose sandboxes are there.
    fn held(&self) -> impl Iterator<Item = Arc<Session>> {
        let leaving = self.leaving.iter().filter_map(Weak::upgrade);
        self.live.values().cloned().chain(leaving.filter(|session| !session.has_ended()))
    }

    /// Has it leave; `false` if it does already. Another may have its id by then.
    fn take(&mut self, session: &Arc<Session>) -> bool {
        let is_here = self.live.get(&session.id).is_some_and(|live| Arc::ptr_eq(live, session));
        if is_here {
            self.live.remove(&session.id);
            self.leaving.retain(|one| one.upgrade().is_some_and(|one| !one.has_ended()));
            self.leaving.push(Arc::downgrade(session));
        }
        is_here
    }

    /// The same, and its owner will be told why.
    fn bury(&mut self, session: &Arc<Session>, why: SessionError) -> bool {
        let is_here = self.take(session);
        if is_here {
            let memory = (session.owner.clone(), why, Instant::now() + MEMORY);
            self.gone.insert(session.id.clone(), memory);
        }
        is_here
    }
}

impl Promise<'_> {
    /// Puts the session into its place.
    pub fn keep(self, session: Session) -> Arc<Session> {
        let session = Arc::new(session);
        self.registry.lock().live.insert(session.id.clone(), Arc::clone(&session));
        session
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        self.registry.lock().promised.remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
