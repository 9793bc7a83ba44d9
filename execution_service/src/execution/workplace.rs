//! A sandbox and, for languages that have one, the kernel in it: where a run takes place.

use std::time::Duration;

use crate::language::{Approach, Language};
use crate::sandbox::backend::{Sandbox, SandboxBackend, SandboxError, Zygote};
use crate::sandbox::spec::{SandboxLimits, SandboxSpec, Usage};

use super::kernel::{Kernel, KernelError};

/// Patience with an account that decides something, when nobody's deadline has passed.
pub const UNHURRIED: Duration = Duration::from_secs(1);

/// See the module. Dropping it ends the sandbox.
pub struct Workplace {
    /// The isolated environment.
    pub sandbox: Box<dyn Sandbox>,
    /// Absent in compiled languages, and after the kernel has died.
    pub kernel: Option<Kernel>,
    /// What was used when the last run ended, or the kernel was ready.
    pub baseline: Usage,
}

impl Workplace {
    /// Makes a sandbox and starts the kernel of `language`.
    pub async fn make(
        backend: &dyn SandboxBackend,
        language: Language,
        executable: &str,
        limits: SandboxLimits,
    ) -> Result<Self, KernelError> {
        let sandbox = backend.create(&SandboxSpec::closed(limits)).await?;
        let mut workplace = Self { sandbox, kernel: None, baseline: Usage::default() };
        workplace.ensure_kernel(language, executable).await?;
        Ok(workplace)
    }

    /// Makes a sandbox with a kernel that `zygote` forks.
    pub async fn fork(
        backend: &dyn SandboxBackend,
        zygote: &Zygote,
        limits: SandboxLimits,
    ) -> Result<Self, KernelError> {
        let sandbox = backend.create(&SandboxSpec::closed(limits)).await?;
        let kernel = Some(Kernel::fork(sandbox.as_ref(), zygote).await?);
        let mut workplace = Self { sandbox, kernel, baseline: Usage::default() };
        workplace.remember_usage(UNHURRIED).await?;
        Ok(workplace)
    }

    /// Starts the kernel if there should be one and is none.
    pub async fn ensure_kernel(
        &mut self,
        language: Language,
        executable: &str,
    ) -> Result<(), KernelError> {
        if let (Approach::Kernel(kernel), None) = (language.approach(), &self.kernel) {
            self.kernel = Some(Kernel::start(self.sandbox.as_ref(), kernel, executable).await?);
            self.remember_usage(UNHURRIED).await?;
        }
        Ok(())
    }

    /// Makes what is used now the baseline of the next run, and gives what was used since the last.
    pub async fn remember_usage(&mut self, patience: Duration) -> Result<Usage, SandboxError> {
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
