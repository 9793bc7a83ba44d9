//! The interpreters of a session: each has its own state, and a lock by which its runs take turns.

mod current;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::execution::runner::Runner;
use crate::language::{Approach, Language, RequestPlace, Toolchains};
use crate::sandbox::backend::{ProcessId, Sandbox};
use crate::sandbox::spec::WORKSPACE;
use crate::sandbox::workspace::WorkspacePath;

pub use current::Current;

/// How the ids of default contexts begin; the language follows. No id of the gateway's own making does.
pub const DEFAULT_CONTEXT: &str = "ctx_default";
/// Contexts of one session, at most: each may hold an interpreter of some 10 to 100 MB.
const MOST: usize = 16;

/// What is asked of a new context.
#[derive(Clone, Debug)]
pub struct NewContext {
    /// Chosen by the caller; unique in its session.
    pub id: String,
    /// What it runs.
    pub language: Language,
    /// Variables of its runs, beside the session's.
    pub env: BTreeMap<String, String>,
    /// Where its programs begin, below the workspace; absent for the workspace itself.
    pub directory: Option<WorkspacePath>,
}

/// How a context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextState {
    /// No interpreter has been started, or none since it was restarted; the next run starts one.
    New,
    /// The next run can begin.
    Idle,
    /// A run goes on, or is looked after.
    Busy,
    /// Its interpreter has ended, and with it what runs had defined; the next run starts another one.
    Lost,
}

/// One interpreter with its state.
pub struct Context {
    /// Unique in its session.
    pub id: String,
    /// Unique on this worker: by which its runs take turns.
    pub key: String,
    /// What it runs.
    pub language: Language,
    /// Variables of its runs, beside the session's.
    pub env: BTreeMap<String, String>,
    /// Where its programs begin, below the workspace; absent for the workspace itself.
    pub directory: Option<WorkspacePath>,
    /// What goes on in it.
    pub current: Current,
    /// Fires when it is deleted.
    pub deleted: CancellationToken,
    /// Whoever has it runs something, or looks after what was run.
    pub runner: Arc<tokio::sync::Mutex<Runner>>,
    /// The process of its kernel; 0 while it has none.
    kernel: AtomicU32,
}

/// Why there is no such context.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// None of the session has that id.
    #[error("the session has no such context")]
    NotFound,
    /// It runs something else.
    #[error("the context runs {0}")]
    LanguageMismatch(Language),
    /// That id is taken.
    #[error("the session has a context with that id already")]
    Exists,
    /// The session has as many as one may have.
    #[error("the session has {MOST} contexts, which is as many as one may have")]
    TooMany,
}

/// The id of a session's default context of `language`.
fn default_id(language: Language) -> String {
    format!("{DEFAULT_CONTEXT}{language}")
}

/// All of a session, in the order in which they were made.
pub struct Contexts {
    session: String,
    state: Mutex<State>,
    /// See [`Runner::building`].
    building: Arc<tokio::sync::Mutex<()>>,
    /// What their interpreters are.
    toolchains: Arc<Toolchains>,
}

struct State {
    all: Vec<Arc<Context>>,
    /// Of the last one that was made beside the first.
    place: u32,
}

impl Context {
    fn new(session: &str, new: NewContext, runner: Runner) -> Arc<Self> {
        let NewContext { id, language, env, directory } = new;
        let kernel = kernel_of(&runner);
        Arc::new(Self {
            key: format!("{session}/{id}"),
            id,
            language,
            env,
            directory,
            current: Current::default(),
            deleted: CancellationToken::new(),
            kernel: AtomicU32::new(kernel),
            runner: Arc::new(tokio::sync::Mutex::new(runner)),
        })
    }

    /// How it is now.
    pub fn state(&self) -> ContextState {
        let Ok(mut runner) = self.runner.try_lock() else {
            return ContextState::Busy;
        };
        match (self.language.approach(), &mut runner.kernel) {
            (Approach::Compiled(_), _) => ContextState::Idle,
            (Approach::Kernel(_), None) => ContextState::New,
            (Approach::Kernel(_), Some(kernel)) => {
                if kernel.has_ended() {
                    ContextState::Lost
                } else {
                    ContextState::Idle
                }
            }
        }
    }

    /// Whether an interpreter waits in it, as far as is known.
    pub fn has_kernel(&self) -> bool {
        self.kernel().is_some()
    }

    /// The process of its kernel, as it was noted last.
    pub fn kernel(&self) -> Option<ProcessId> {
        match self.kernel.load(Ordering::Relaxed) {
            0 => None,
            process => Some(ProcessId(process)),
        }
    }

    /// Notes what `runner`, which is its own, has for a kernel now.
    pub fn note_kernel(&self, runner: &Runner) {
        self.kernel.store(kernel_of(runner), Ordering::Relaxed);
    }
}

/// The process of its kernel; 0 while it has none.
fn kernel_of(runner: &Runner) -> u32 {
    runner.kernel.as_ref().map_or(0, |kernel| kernel.process.id.0)
}

impl Contexts {
    /// Of the session `session`, whose languages are `toolchains`; `first` is its first one.
    pub fn new(
        session: &str,
        first: Option<(Language, Runner)>,
        toolchains: Arc<Toolchains>,
    ) -> Self {
        let building = Arc::default();
        let first = first.map(|(language, mut runner)| {
            runner.building = Arc::clone(&building);
            Context::new(session, default_of(language), runner)
        });
        let state = Mutex::new(State { all: first.into_iter().collect(), place: 0 });
        Self { session: String::from(session), state, building, toolchains }
    }

    /// The one called `id`, which must run `language`; with an empty id the session's default one of that
    /// language, which is made when it is first asked for.
    ///
    /// # Errors
    /// [`ContextError`].
    pub fn find(
        &self,
        id: &str,
        language: Language,
        sandbox: &Arc<dyn Sandbox>,
    ) -> Result<Arc<Context>, ContextError> {
        let mut state = self.lock();
        let default = default_id(language);
        let wanted = if id.is_empty() { &default } else { id };
        match state.all.iter().find(|context| context.id == wanted) {
            Some(context) if context.language == language => Ok(Arc::clone(context)),
            Some(context) => Err(ContextError::LanguageMismatch(context.language)),
            None if id.is_empty() => self.add(&mut state, default_of(language), sandbox),
            None => Err(ContextError::NotFound),
        }
    }

    /// Those that are meant by `id`: one, or with an empty id all.
    ///
    /// # Errors
    /// [`ContextError::NotFound`].
    pub fn meant_by(&self, id: &str) -> Result<Vec<Arc<Context>>, ContextError> {
        let all = self.all();
        if id.is_empty() {
            return Ok(all);
        }
        let found = all.into_iter().find(|context| context.id == id);
        found.map(|context| vec![context]).ok_or(ContextError::NotFound)
    }

    /// Makes one more.
    ///
    /// # Errors
    /// [`ContextError::Exists`] or [`ContextError::TooMany`].
    pub fn create(
        &self,
        new: NewContext,
        sandbox: &Arc<dyn Sandbox>,
    ) -> Result<Arc<Context>, ContextError> {
        let mut state = self.lock();
        if state.all.iter().any(|context| context.id == new.id) {
            return Err(ContextError::Exists);
        }
        self.add(&mut state, new, sandbox)
    }

    /// Takes one out, for its end. Nothing begins in it any more.
    ///
    /// # Errors
    /// [`ContextError::NotFound`].
    pub fn remove(&self, id: &str) -> Result<Arc<Context>, ContextError> {
        let mut state = self.lock();
        let at = state.all.iter().position(|context| context.id == id);
        let context = state.all.remove(at.ok_or(ContextError::NotFound)?);
        context.deleted.cancel();
        Ok(context)
    }

    /// All of them, oldest first.
    pub fn all(&self) -> Vec<Arc<Context>> {
        self.lock().all.clone()
    }

    /// In how many an interpreter waits.
    pub fn kernels(&self) -> u64 {
        self.lock().all.iter().filter(|context| context.has_kernel()).count() as u64
    }

    /// Completes when no run goes on in any that there is now.
    pub async fn all_idle(&self) {
        for context in self.all() {
            drop(context.runner.lock().await);
        }
    }

    fn add(
        &self,
        state: &mut State,
        new: NewContext,
        sandbox: &Arc<dyn Sandbox>,
    ) -> Result<Arc<Context>, ContextError> {
        if state.all.len() >= MOST {
            return Err(ContextError::TooMany);
        }
        state.place += 1;
        let mut runner = Runner::new(Arc::clone(sandbox), Arc::clone(&self.toolchains));
        runner.place = RequestPlace::numbered(state.place);
        runner.building = Arc::clone(&self.building);
        if let Some(directory) = &new.directory {
            runner.directory = format!("{WORKSPACE}/{directory}").into();
        }
        let context = Context::new(&self.session, new, runner);
        state.all.push(Arc::clone(&context));
        Ok(context)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's default context of `language`.
fn default_of(language: Language) -> NewContext {
    NewContext { id: default_id(language), language, env: BTreeMap::new(), directory: None }
}

#[cfg(test)]
mod tests;
