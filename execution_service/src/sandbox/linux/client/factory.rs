//! Makes sandboxes.

use std::sync::Arc;

use super::sandbox::LinuxSandbox;
use super::spawner::{Created, SpawnerClient};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::linux::cgroup::{Tree, cgroup_name};
use crate::sandbox::linux::host::look::HostLook;
use crate::sandbox::spec::SandboxLimits;

/// What it takes.
pub struct SandboxFactory {
    /// Who makes them.
    pub spawner: Arc<SpawnerClient>,
    /// Where each has its cgroup.
    pub cgroups: Option<Tree>,
    /// Who looks at the host for all of them.
    pub host_look: Arc<HostLook>,
}

impl SandboxFactory {
    /// Makes one, empty and confined.
    pub async fn make(&self, limits: SandboxLimits) -> Result<LinuxSandbox, SandboxError> {
        let created = self.spawner.create(limits).await?;
        let Created { claim, sandbox, link, pipes, peak, weight } = created;
        let name = cgroup_name(sandbox);
        let account = self.cgroups.as_ref().zip(peak);
        let meter = account.map(|(tree, peak)| tree.meter(&name, peak, weight));
        let meter = meter.transpose().map_err(SandboxError::Limits)?;
        let shared = (Arc::clone(&self.spawner), Arc::clone(&self.host_look));
        LinuxSandbox::open((sandbox, claim), (link, pipes), limits, meter, shared).await
    }

    /// How often the quota has made it wait; nothing without a cpu controller.
    pub fn pauses(&self, sandbox: &LinuxSandbox) -> Option<u64> {
        self.cgroups.as_ref()?.pauses(&cgroup_name(sandbox.id()))
    }
}
