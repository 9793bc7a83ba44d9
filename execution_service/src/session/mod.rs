//! Sessions: a user's lease on one sandbox over time, with what is in it.
//!
//! ```text
//! Session ── Deadline    until when it lives, when it was used last, how long it may do nothing
//!         ├─ Activity    what goes on in it at once
//!         ├─ Contexts    interpreters with their state; each has a lock, runs take turns by it
//!         ├─ Processes   commands that were started in it
//!         └─ sandbox     which all of them share, and its limits and usage
//! ```
//! Nothing here waits for anything else here: while one context runs, others run, commands are started
//! and files are listed.

mod context;
mod deadline;
mod listing;
pub mod processes;
mod registry;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::broker::WayOut;
use crate::execution::handle::Cause;
use crate::execution::limits::Limits;
use crate::execution::runner::Runner;
use crate::execution::sharing::Activity;
use crate::files::Places;
use crate::language::{Language, Toolchains};
use crate::network::{Policy, proxy_variables};
use crate::owners::{Membership, NotPaused, Overcommitted, Promise};
use crate::sandbox::backend::{ProcessId, Sandbox};
use crate::sandbox::spec::SandboxLimits;
use crate::sandbox::workspace::WorkspaceFile;

pub use context::{Context, ContextError, ContextState, Contexts, DEFAULT_CONTEXT, NewContext};
pub use deadline::Deadline;
pub use listing::Listing;
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
    /// Nothing of it was there before.
    pub begun: std::time::Instant,
    /// What goes on in it.
    pub activity: Activity,
    /// What is known of its workspace.
    pub listing: Listing,
    /// Its place among the sandboxes of its owner.
    pub membership: Membership,
    /// Its interpreters.
    pub contexts: Contexts,
    /// Its commands.
    pub processes: Processes,
    /// The transfers and watchers of its files.
    pub files: Places,
    /// Its way out, once it has one.
    pub network: OnceCell<WayOut>,
    /// Shared by all of them.
    pub sandbox: Arc<dyn Sandbox>,
    /// What all of them find in it, as long as it lives: what comes to the worker later is for others.
    pub toolchains: Arc<Toolchains>,
    /// Whether it is resumed by its use when it is paused, and not by its owner's word alone.
    pub auto_resume: bool,
    /// Fires when it ends: whatever runs in it stops.
    pub ended: CancellationToken,
    /// Why it has ended, once it has.
    why: OnceLock<Cause>,
    /// Filled when nothing of it is left.
    over: OnceCell<()>,
}

impl Session {
    /// Begins one in `sandbox`, with a first context if there is a runner for it, and with a way out if it has one.
    pub fn begin(
        new: NewSession,
        limits: Limits,
        (sandbox, toolchains): (Arc<dyn Sandbox>, Arc<Toolchains>),
        first: Option<(Language, Runner)>,
        way_out: Option<WayOut>,
        room: Promise,
    ) -> Self {
        let NewSession { id, owner, env, ttl, idle, auto_resume, .. } = new;
        let contexts = Contexts::new(&id, first, Arc::clone(&toolchains));
        let activity = Activity::default();
        let membership = room.keep(&sandbox, &activity);
        Self {
            id,
            owner,
            limits,
            env,
            deadline: Deadline::after(ttl, idle),
            begun: std::time::Instant::now(),
            activity,
            listing: Listing::default(),
            membership,
            contexts,
            processes: Processes::default(),
            files: Places::default(),
            network: OnceCell::new_with(way_out),
            sandbox,
            toolchains,
            auto_resume,
            ended: CancellationToken::new(),
            why: OnceLock::new(),
            over: OnceCell::new(),
        }
    }

    /// Whether something goes on in it that somebody waits for.
    pub fn is_busy(&self) -> bool {
        self.activity.is_awaited()
    }

    /// Whether its time has run out, by the clock or because nothing was done in it for so long as it may do nothing,
    /// which is `idle` at most. One that is paused is meant to do nothing.
    pub fn is_over(&self, idle: Duration) -> bool {
        let expects_nothing = self.is_busy() || self.membership.is_paused();
        self.deadline.has_passed(Instant::now(), idle, expects_nothing)
    }

    /// It is used again now, outside of a run, with its own limits.
    ///
    /// # Errors
    /// [`NotAwake`].
    pub async fn wake(&self) -> Result<(), NotAwake> {
        self.may_be_used()?;
        self.membership.activate(self.limits.sandbox, Some(Instant::now())).await?;
        Ok(())
    }

    /// Who was let in before its owner paused it uses it all the same, with `limits`, and waits for room until `latest`.
    ///
    /// # Errors
    /// When there was no room by then.
    pub async fn stay_awake(
        &self,
        limits: SandboxLimits,
        latest: Option<Instant>,
    ) -> Result<(), Overcommitted> {
        if self.membership.is_paused() {
            self.membership.activate(limits, latest).await?;
        }
        Ok(())
    }

    /// Whether it can be used, or only its owner's word resumes it.
    ///
    /// # Errors
    /// [`NotAwake::Paused`].
    pub fn may_be_used(&self) -> Result<(), NotAwake> {
        if !self.auto_resume && self.membership.is_paused() {
            return Err(NotAwake::Paused);
        }
        Ok(())
    }

    /// Has everything in it stand still until it is used again.
    ///
    /// # Errors
    /// [`NotPaused`].
    pub async fn pause(&self) -> Result<(), NotPaused> {
        self.membership.pause().await
    }

    /// Has everything in it go on, by its owner's word.
    ///
    /// # Errors
    /// When there is no room for it at once.
    pub async fn resume(&self) -> Result<(), Overcommitted> {
        self.deadline.touch();
        self.membership.activate(self.limits.sandbox, Some(Instant::now())).await
    }

    /// Why it has ended, once it has.
    pub fn why_ended(&self) -> Option<Cause> {
        self.why.get().copied()
    }

    /// What runs in it beside `root`: other interpreters, and commands. Not those that have ended: their numbers
    /// may be anybody's by now.
    pub fn others_than(&self, root: ProcessId) -> Vec<ProcessId> {
        let (contexts, commands) = (self.contexts.all(), self.processes.running());
        let kernels = contexts.iter().filter_map(|context| context.kernel());
        let all = kernels.chain(commands.iter().map(|command| command.id));
        all.filter(|other| *other != root).collect()
    }

    /// Whether what earlier runs have left running holds more than nobody watches who waits for a run.
    /// Nothing is said while a run goes on: that is watched already.
    pub async fn hoards(&self) -> bool {
        if self.activity.has_runs() {
            return false;
        }
        self.sandbox.excess(SUSPICIOUS).await.is_some()
    }

    /// Stops what runs in it and gives its sandbox back, because of `why`. Returns when nothing is left, also to those
    /// who come later.
    pub async fn end(&self, why: Cause) {
        let _ = self.why.set(why);
        self.ended.cancel();
        let ending = self.over.get_or_init(async || {
            self.contexts.all_idle().await;
            self.network.get().inspect(|way_out| way_out.close());
            self.sandbox.end().await;
        });
        ending.await;
    }

    /// What its programs are told of its way out.
    pub fn network_variables(&self) -> BTreeMap<String, String> {
        let way_out = self.network.get();
        way_out.map(|way_out| proxy_variables(way_out.port())).unwrap_or_default()
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
    /// How long it may do nothing; absent for as long as any session may.
    pub idle: Option<Duration>,
    /// Whether it is resumed by its use when it is paused.
    pub auto_resume: bool,
    /// What it may reach; absent for nothing.
    pub network: Option<Policy>,
    /// What is in its workspace from the start.
    pub files: Vec<WorkspaceFile>,
}

/// Why a session cannot be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAwake {
    /// It is paused, and only its owner's word resumes it.
    #[error("the session is paused")]
    Paused,
    /// There is no room for it at once.
    #[error(transparent)]
    Overcommitted(#[from] Overcommitted),
}

#[cfg(test)]
mod tests;
