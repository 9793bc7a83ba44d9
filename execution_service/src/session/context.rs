//! The interpreters of a session: each has its own state, and a lock by which its runs take turns.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::execution::runner::Runner;
use crate::language::Language;
use crate::sandbox::backend::{ProcessId, Sandbox};

/// How the ids of default contexts begin; the language follows.
pub const DEFAULT_CONTEXT: &str = "default-";
/// Contexts of one session, at most: each may hold an interpreter of some 10 to 100 MB.
const MOST: usize = 16;

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
    all: Mutex<Vec<Arc<Context>>>,
}

impl Context {
    fn new(
        session: &str,
        id: &str,
        language: Language,
        env: BTreeMap<String, String>,
        runner: Runner,
    ) -> Arc<Self> {
        let kernel = kernel_of(&runner);
        Arc::new(Self {
            id: String::from(id),
            key: format!("{session}/{id}"),
            language,
            env,
            kernel: AtomicU32::new(kernel),
            runner: Arc::new(tokio::sync::Mutex::new(runner)),
        })
    }

    /// Whether a run goes on in it, or is looked after.
    pub fn is_busy(&self) -> bool {
        self.runner.try_lock().is_err()
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
    /// Of the session `session`; `first` is its first one.
    pub fn new(session: &str, first: Option<(Language, Runner)>) -> Self {
        let first = first.map(|(language, runner)| {
            Context::new(session, &default_id(language), language, BTreeMap::new(), runner)
        });
        Self { session: String::from(session), all: Mutex::new(first.into_iter().collect()) }
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
        let mut all = self.lock();
        let default = default_id(language);
        let wanted = if id.is_empty() { &default } else { id };
        match all.iter().find(|context| context.id == wanted) {
            Some(context) if context.language == language => Ok(Arc::clone(context)),
            Some(context) => Err(ContextError::LanguageMismatch(context.language)),
            None if id.is_empty() => self.add(&mut all, wanted, language, BTreeMap::new(), sandbox),
            None => Err(ContextError::NotFound),
        }
    }

    /// Makes one more.
    ///
    /// # Errors
    /// [`ContextError::Exists`] or [`ContextError::TooMany`].
    pub fn create(
        &self,
        id: &str,
        language: Language,
        env: BTreeMap<String, String>,
        sandbox: &Arc<dyn Sandbox>,
    ) -> Result<Arc<Context>, ContextError> {
        let mut all = self.lock();
        if all.iter().any(|context| context.id == id) {
            return Err(ContextError::Exists);
        }
        self.add(&mut all, id, language, env, sandbox)
    }

    /// All of them, oldest first.
    pub fn all(&self) -> Vec<Arc<Context>> {
        self.lock().clone()
    }

    /// In how many an interpreter waits.
    pub fn kernels(&self) -> u64 {
        self.lock().iter().filter(|context| context.has_kernel()).count() as u64
    }

    /// Completes when no run goes on in any that there is now.
    pub async fn all_idle(&self) {
        for context in self.all() {
            drop(context.runner.lock().await);
        }
    }

    fn add(
        &self,
        all: &mut Vec<Arc<Context>>,
        id: &str,
        language: Language,
        env: BTreeMap<String, String>,
        sandbox: &Arc<dyn Sandbox>,
    ) -> Result<Arc<Context>, ContextError> {
        if all.len() >= MOST {
            return Err(ContextError::TooMany);
        }
        let runner = Runner::new(Arc::clone(sandbox));
        let context = Context::new(&self.session, id, language, env, runner);
        all.push(Arc::clone(&context));
        Ok(context)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Context>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
