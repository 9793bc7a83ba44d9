//! Sessions: a user's lease on one sandbox over time, with what is in it.
//!
//! ```text
//! Session ── Deadline    until when it lives, and when it was used last
//!         ├─ Activity    what goes on in it at once
//!         ├─ Contexts    interpreters with their state; each has a lock, runs take turns by it
//!         ├─ Processes   commands that were started in it
//!         └─ sandbox     which all of them share, and its limits and usage
//! ```
//! Nothing here waits for anything else here: while one context runs, others run, commands are started
//! and files are listed.

mod context;
mod deadline;
pub mod processes;
mod registry;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::execution::limits::Limits;
use crate::execution::runner::Runner;
use crate::execution::sharing::Activity;
use crate::files::Places;
use crate::language::Language;
use crate::owners::{Membership, Overcommitted, Promise};
use crate::sandbox::backend::Sandbox;

pub use context::{Context, ContextError, Contexts, DEFAULT_CONTEXT};
pub use deadline::Deadline;
pub use processes::Processes;
pub use registry::{Registry, SessionError, SessionRules};

/// How long a sandbox may take to say what it holds, while the machine is short of what some sandbox may have
/// taken: an innocent one on a busy machine does not take so long.
const SUSPICIOUS: Duration = Duration::from_millis(500);

/// One session: its sandbox, its owner, its deadline, its contexts and commands.
pub struct Session {
    /// Unique.
    pub id: String,
    /// Whose it is; to anybody else it does not exist.
    pub owner: String,
    /// Defaults for its runs; disk and open files are fixed by them.
    pub limits: Limits,
    /// Variables of everything that is started in it.
    pub env: BTreeMap<String, String>,
    /// Until when it lives.
    pub deadline: Deadline,
    /// What goes on in it.
    pub activity: Activity,
    /// Its place among the sandboxes of its owner.
    pub membership: Membership,
    /// Its interpreters.
    pub contexts: Contexts,
    /// Its commands.
    pub processes: Processes,
    /// The transfers and watchers of its files.
    pub files: Places,
    /// Shared by all of them.
    pub sandbox: Arc<dyn Sandbox>,
    /// Fires when it ends: whatever runs in it stops.
    pub ended: CancellationToken,
    /// Filled when nothing of it is left.
    over: OnceCell<()>,
}

impl Session {
    /// Begins one in `sandbox`, with a first context if there is a `runner` for it.
    pub fn begin(
        new: NewSession,
        limits: Limits,
        sandbox: Arc<dyn Sandbox>,
        first: Option<(Language, Runner)>,
        room: Promise,
    ) -> Self {
        let NewSession { id, owner, language: _, env, ttl } = new;
        let contexts = Contexts::new(&id, first);
        let activity = Activity::default();
        let membership = room.keep(&sandbox, &activity);
        Self {
            id,
            owner,
            limits,
            env,
            deadline: Deadline::after(ttl),
            activity,
            membership,
            contexts,
            processes: Processes::default(),
            files: Places::default(),
            sandbox,
            ended: CancellationToken::new(),
            over: OnceCell::new(),
        }
    }

    /// Whether something goes on in it that somebody waits for.
    pub fn is_busy(&self) -> bool {
        self.activity.is_awaited()
    }

    /// Whether its time has run out, by the clock or because nothing was done in it for `idle`.
    pub fn is_over(&self, idle: Duration) -> bool {
        self.deadline.has_passed(Instant::now(), idle, self.is_busy())
    }

    /// It is used again now, outside of a run, with its own limits.
    ///
    /// # Errors
    /// When there is no room for it at once.
    pub async fn wake(&self) -> Result<(), Overcommitted> {
        self.membership.activate(self.limits.sandbox, Some(Instant::now())).await
    }

    /// Whether what earlier runs have left running holds more than nobody watches who waits for a run.
    /// Nothing is said while a run goes on: that is watched already.
    pub async fn hoards(&self) -> bool {
        if self.activity.has_runs() {
            return false;
        }
        self.sandbox.excess(SUSPICIOUS).await.is_some()
    }

    /// Stops what runs in it and gives its sandbox back. Returns when nothing is left, also to those who come
    /// later.
    pub async fn end(&self) {
        self.ended.cancel();
        let ending = self.over.get_or_init(async || {
            self.contexts.all_idle().await;
            self.sandbox.end().await;
        });
        ending.await;
    }

    /// Whether nothing of it is left.
    fn has_ended(&self) -> bool {
        self.over.initialized()
    }
}

/// What is asked of a new session.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Chosen by the caller; unique.
    pub id: String,
    /// Whose it will be.
    pub owner: String,
    /// What its first context runs, if it is to have one from the start.
    pub language: Option<Language>,
    /// Variables of everything that is started in it.
    pub env: BTreeMap<String, String>,
    /// How long it lives, unless its deadline is moved.
    pub ttl: Duration,
}

#[cfg(test)]
mod tests;
