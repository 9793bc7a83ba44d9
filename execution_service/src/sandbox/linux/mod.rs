//! Sandboxes by Linux namespaces, cgroups and seccomp.
//!
//! ```text
//! boot      namespaces of the worker, before any thread           (boot, anchor, cgroup::delegation)
//! launch    fork the spawner, let it prove that it can do its job (launch, template)
//! spawner   makes and ends sandboxes                              (spawner, recipe, seccomp, cgroup)
//! init      process 1 of each sandbox                             (init)
//! worker    asks both of them                                     (spawner_client, sandbox, caller)
//! ```
//! The only home of `unsafe`, `libc` and `nix`: all `unsafe` is in `syscall` and `channel`.

mod anchor;
mod boot;
mod caller;
mod cgroup;
mod channel;
mod init;
mod launch;
mod output;
mod protocol;
mod recipe;
mod sandbox;
mod seccomp;
mod spawner;
mod spawner_client;
mod syscall;
mod template;

use std::sync::Arc;

use async_trait::async_trait;

pub use boot::{BootError, FIRST_HOST_ID, Namespaced, drop_privileges, enter_namespaces};
pub use launch::{Launched, launch};

use super::backend::{Sandbox, SandboxBackend, SandboxError};
use super::isolation::Isolation;
use super::spec::SandboxLimits;
use sandbox::LinuxSandbox;
use spawner_client::SpawnerClient;

/// The backend of this machine's own kernel.
pub struct LinuxBackend {
    spawner: Arc<SpawnerClient>,
    isolation: Isolation,
    cgroups: bool,
}

impl LinuxBackend {
    /// Takes over a launched spawner; must be called inside a runtime.
    pub fn new(launched: Launched) -> std::io::Result<Self> {
        let spawner = Arc::new(SpawnerClient::new(launched.socket)?);
        Ok(Self { spawner, isolation: launched.isolation, cgroups: launched.cgroups })
    }
}

#[async_trait]
impl SandboxBackend for LinuxBackend {
    async fn create(&self, limits: SandboxLimits) -> Result<Box<dyn Sandbox>, SandboxError> {
        let (id, socket) = self.spawner.create(limits).await?;
        let sandbox =
            LinuxSandbox::open(id, socket, limits, self.cgroups, Arc::clone(&self.spawner)).await?;
        Ok(Box::new(sandbox))
    }

    fn isolation(&self) -> &Isolation {
        &self.isolation
    }

    async fn failed(&self) {
        self.spawner.failed().await;
    }
}
