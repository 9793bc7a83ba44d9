//! Sandboxes by Linux namespaces, cgroups and seccomp.
//!
//! ```text
//! boot      namespaces of the worker, before any thread           (boot, anchor, cgroup::delegation)
//! launch    fork the spawner, let it make a first sandbox             (launch, template)
//! spawner   makes and ends sandboxes, has zygotes fork            (spawner, recipe, seccomp, cgroup)
//! init      process 1 of each sandbox                             (init)
//! worker    asks both of them                     (spawner_client, init_client, sandbox, caller)
//! self_test have the walls attacked from inside, and judge        (self_test, probe)
//! ```
//! The only home of `unsafe`, `libc` and `nix`: all `unsafe` is in `syscall`, `channel` and `probe::calls`.

mod account;
mod anchor;
mod boot;
mod caller;
mod census;
mod cgroup;
mod channel;
mod ends;
mod fifo;
mod init;
mod init_client;
mod launch;
mod link;
mod locks;
mod output;
mod probe;
mod processes;
mod program;
mod protocol;
mod recipe;
mod sandbox;
mod seccomp;
mod self_test;
mod spawner;
mod spawner_client;
mod syscall;
mod tcp;
mod template;
mod transfer;
mod untold;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use boot::{
    BootError, FIRST_HOST_ID, Namespaced, WORKER_HOST_ID, drop_privileges, enter_namespaces,
};
pub use cgroup::Leftover;
pub use launch::{Launched, Told, launch};
pub use seccomp::groups;
pub use self_test::control;

use super::backend::{Sandbox, SandboxBackend, SandboxError, Zygote};
use super::census::Census;
use super::isolation::Isolation;
use super::spec::{Command, SandboxLimits};
use cgroup::Tree;
use sandbox::LinuxSandbox;
use self_test::Host;
use spawner::cgroup_name;
use spawner_client::{Created, SpawnerClient};

/// The backend of this machine's own kernel.
pub struct LinuxBackend {
    spawner: Arc<SpawnerClient>,
    host: Host,
    cgroups: Option<Tree>,
    roots: Vec<PathBuf>,
}

impl LinuxBackend {
    /// Takes over a launched spawner; must be called inside a runtime.
    pub fn new(launched: Launched) -> std::io::Result<Self> {
        let Launched { socket, host, cgroups, roots } = launched;
        Ok(Self { spawner: Arc::new(SpawnerClient::new(socket)?), host, cgroups, roots })
    }

    async fn make(&self, limits: SandboxLimits) -> Result<LinuxSandbox, SandboxError> {
        let created = self.spawner.create(limits).await?;
        let Created { claim, sandbox, link, ends, peak } = created;
        let name = cgroup_name(sandbox);
        let meter = self.cgroups.as_ref().zip(peak).map(|(tree, peak)| tree.meter(&name, peak));
        let meter = meter.transpose().map_err(SandboxError::Limits)?;
        let spawner = Arc::clone(&self.spawner);
        LinuxSandbox::open((sandbox, claim), (link, ends), limits, meter, spawner).await
    }

    /// How often the quota has made it wait; nothing without a cpu controller.
    fn pauses(&self, sandbox: &LinuxSandbox) -> Option<u64> {
        self.cgroups.as_ref()?.pauses(&cgroup_name(sandbox.id()))
    }
}

#[async_trait]
impl SandboxBackend for LinuxBackend {
    async fn create(&self, limits: SandboxLimits) -> Result<Box<dyn Sandbox>, SandboxError> {
        Ok(Box::new(self.make(limits).await?))
    }

    async fn start_zygote(&self, command: Command) -> Result<Zygote, SandboxError> {
        let (id, report, claim) = self.spawner.start_zygote(command).await?;
        let unwanted = CancellationToken::new();
        let zygote = Zygote {
            id,
            ended: self.spawner.zygote_ended(id),
            kept: unwanted.clone().drop_guard(),
        };
        let spawner = Arc::clone(&self.spawner);
        tokio::spawn(async move {
            unwanted.cancelled().await;
            spawner.end_zygote(id).await;
        });
        claim.keep();
        self_test::examine_zygote(self, &zygote).await?;
        tracing::info!(zygote = id, report, "a zygote is ready");
        Ok(zygote)
    }

    async fn examine(&self) -> Isolation {
        self_test::examine(self, &self.roots).await
    }

    async fn pulse(&self) {
        // An error is an answer: of a spawner that is gone we hear elsewhere.
        let _ = self.spawner.count().await;
    }

    fn has_spoken(&self) -> bool {
        self.spawner.has_spoken()
    }

    fn give_up(&self) {
        self.spawner.give_up();
    }

    async fn look_around(&self) -> bool {
        let _ = tokio::task::spawn_blocking(locks::look).await;
        locks::are_many() || tcp::share().is_some()
    }

    async fn census(&self) -> Result<Census, SandboxError> {
        let counted = self.spawner.count().await?;
        let tree = self.cgroups.clone();
        // Some dozens of small files.
        let taking = tokio::task::spawn_blocking(move || census::taken(counted, tree.as_ref()));
        taking.await.map_err(|_| SandboxError::Silent)
    }

    async fn failed(&self) {
        self.spawner.failed().await;
    }
}
