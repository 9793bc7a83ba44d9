//! What runs programs of one language in a sandbox: the sandbox and, where the language has one, the
//! kernel in it.

use std::sync::Arc;
use std::time::Duration;

use crate::language::{Approach, Language, RequestPlace, Toolchains};
use crate::sandbox::backend::{Sandbox, SandboxBackend, SandboxError, Signal, Zygote};
use crate::sandbox::spec::{Exit, SandboxLimits, SandboxSpec, Usage, WORKSPACE};

use super::kernel::{Kernel, KernelError};

/// Patience with an account that decides something, when nobody's deadline has passed.
pub const UNHURRIED: Duration = Duration::from_secs(1);

/// A sandbox with an interpreter in it, if its language has one. The sandbox ends when all that hold it have
/// dropped it.
pub struct Runner {
    /// The isolated environment, which a session's runners share.
    pub sandbox: Arc<dyn Sandbox>,
    /// What its programs find in it, for as long as it lives.
    pub toolchains: Arc<Toolchains>,
    /// Absent in compiled languages, before the first run, and after the kernel has died.
    pub kernel: Option<Kernel>,
    /// What the sandbox had used when the last run ended, or the kernel was ready.
    pub baseline: Usage,
    /// Where its programs find what they are handed over.
    pub place: RequestPlace,
    /// Where its programs begin: an absolute path inside the sandbox.
    pub directory: Arc<str>,
    /// Held from writing source text into the workspace to the end of the compiler, by one runner of a sandbox at a
    /// time: the text has the same name for all of them.
    pub building: Arc<tokio::sync::Mutex<()>>,
}

impl Runner {
    /// For `sandbox`, without a kernel yet.
    pub fn new(sandbox: Arc<dyn Sandbox>, toolchains: Arc<Toolchains>) -> Self {
        Self {
            sandbox,
            toolchains,
            kernel: None,
            baseline: Usage::default(),
            place: RequestPlace::FIRST,
            directory: Arc::from(WORKSPACE),
            building: Arc::default(),
        }
    }

    /// Makes a sandbox and starts the kernel of `language`.
    pub async fn start(
        backend: &dyn SandboxBackend,
        language: Language,
        toolchains: &Arc<Toolchains>,
        limits: SandboxLimits,
    ) -> Result<Self, KernelError> {
        let mut runner = Self::empty(backend, toolchains, limits).await?;
        runner.ensure_kernel(language).await?;
        Ok(runner)
    }

    /// Makes a sandbox with a kernel that is started from `zygote`.
    pub async fn start_from(
        backend: &dyn SandboxBackend,
        zygote: &Zygote,
        toolchains: &Arc<Toolchains>,
        limits: SandboxLimits,
    ) -> Result<Self, KernelError> {
        let mut runner = Self::empty(backend, toolchains, limits).await?;
        runner.kernel = Some(Kernel::start_from(runner.sandbox.as_ref(), zygote).await?);
        runner.settle_usage(UNHURRIED).await?;
        Ok(runner)
    }

    /// A sandbox in which nothing is started yet.
    async fn empty(
        backend: &dyn SandboxBackend,
        toolchains: &Arc<Toolchains>,
        limits: SandboxLimits,
    ) -> Result<Self, KernelError> {
        let made = backend.create(&SandboxSpec::closed(limits)).await?;
        Ok(Self::new(Arc::from(made), Arc::clone(toolchains)))
    }

    /// Starts the kernel if there should be one and is none.
    pub async fn ensure_kernel(&mut self, language: Language) -> Result<(), KernelError> {
        if let (Approach::Kernel(kernel), None) = (language.approach(), &self.kernel) {
            let executable = self.toolchains.executable(language);
            let executable = executable.ok_or_else(|| KernelError::not_installed(language))?;
            // Kept from its first moment: who gives up meanwhile finds it, and can kill it.
            let (with, at) = ((executable, &*self.toolchains), (self.place, &*self.directory));
            let started = Kernel::start(self.sandbox.as_ref(), kernel, with, at).await?;
            let kernel = self.kernel.insert(started);
            if let Err(error) = kernel.ready().await {
                let id = kernel.process.id;
                self.kernel = None;
                // If nobody can be told any more, nothing of it is left either.
                let _ = self.sandbox.signal(id, Signal::Kill).await;
                return Err(error);
            }
            self.settle_usage(UNHURRIED).await?;
        }
        Ok(())
    }

    /// Notices that the kernel is gone (a thread or a timer of an earlier run may have ended it), and says
    /// how it ended if it was noticed now.
    pub fn lost_kernel(&mut self) -> Option<Exit> {
        let exit = self.kernel.as_mut()?.exit()?;
        self.kernel = None;
        Some(exit)
    }

    /// Whether nothing can be run in it any more.
    pub fn is_dead(&mut self) -> bool {
        self.sandbox.is_gone() || self.kernel.as_mut().is_some_and(Kernel::has_ended)
    }

    /// Makes what is used now the baseline of the next run, and gives what was used since the last.
    pub async fn settle_usage(&mut self, patience: Duration) -> Result<Usage, SandboxError> {
        let mut now = self.sandbox.usage(patience).await?;
        // Not all was seen, or the next run would be charged with this one's time.
        now.cpu = now.cpu.max(self.baseline.cpu);
        let before = std::mem::replace(&mut self.baseline, now);
        Ok(Usage {
            cpu: now.cpu.saturating_sub(before.cpu),
            oom_kills: now.oom_kills.saturating_sub(before.oom_kills),
            fork_refusals: now.fork_refusals.saturating_sub(before.fork_refusals),
            ..now
        })
    }
}
