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
mod host_look;
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
mod spawner_watch;
mod syscall;
mod tcp;
mod template;
mod transfer;
mod untold;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use boot::{
    BootError, FIRST_HOST_ID, Namespaced, WORKER_HOST_ID, drop_privileges, enter_namespaces,
};
pub use cgroup::Leftover;
pub use launch::{Launched, Told, launch};
pub use seccomp::groups;
pub use self_test::control;

use super::backend::{Health, Sandbox, SandboxBackend, SandboxError, Zygote};
use super::census::Census;
use super::isolation::Isolation;
use super::spec::{Command, NetworkPolicy, SandboxLimits, SandboxSpec, Stdin};
use cgroup::Tree;
use host_look::HostLook;
use sandbox::LinuxSandbox;
use self_test::Host;
use spawner::cgroup_name;
use spawner_client::{Created, SpawnerClient};
use spawner_watch::SpawnerWatch;

/// The backend of this machine's own kernel.
pub struct LinuxBackend {
    spawner: Arc<SpawnerClient>,
    host: Host,
    cgroups: Option<Tree>,
    /// What every sandbox sees of the host beside the system's own directories.
    roots: Vec<PathBuf>,
    host_look: Arc<HostLook>,
    spawner_watch: Arc<SpawnerWatch>,
    /// End with this.
    _watching: JoinSet<()>,
}

impl LinuxBackend {
    /// Takes over a launched spawner; must be called inside a runtime.
    pub fn new(launched: Launched) -> std::io::Result<Self> {
        let Launched { socket, host, cgroups, roots } = launched;
        let spawner = Arc::new(SpawnerClient::new(socket)?);
        let (host_look, spawner_watch) = (Arc::<HostLook>::default(), Arc::default());
        let mut watching = JoinSet::new();
        watching.spawn({
            let host_look = Arc::clone(&host_look);
            async move { host_look.keep_looking().await }
        });
        watching.spawn({
            let (watch, spawner) =
                (Arc::<SpawnerWatch>::clone(&spawner_watch), Arc::clone(&spawner));
            async move { watch.watch(&spawner).await }
        });
        Ok(Self { spawner, host, cgroups, roots, host_look, spawner_watch, _watching: watching })
    }

    /// Whether a sandbox of ours is all of `spec`.
    fn check(&self, spec: &SandboxSpec) -> Result<(), SandboxError> {
        match spec.network {
            NetworkPolicy::Closed => {}
        }
        // The template is made once, and every sandbox sees all of it.
        match spec.mounts.iter().find(|mount| !self.roots.contains(&mount.path)) {
            None => Ok(()),
            Some(mount) => Err(SandboxError::Unsupported(format!(
                "{} is not among the directories that this worker was started with",
                mount.path.display()
            ))),
        }
    }

    async fn make(&self, limits: SandboxLimits) -> Result<LinuxSandbox, SandboxError> {
        let created = self.spawner.create(limits).await?;
        let Created { claim, sandbox, link, pipes, peak } = created;
        let name = cgroup_name(sandbox);
        let meter = self.cgroups.as_ref().zip(peak).map(|(tree, peak)| tree.meter(&name, peak));
        let meter = meter.transpose().map_err(SandboxError::Limits)?;
        let shared = (Arc::clone(&self.spawner), Arc::clone(&self.host_look));
        LinuxSandbox::open((sandbox, claim), (link, pipes), limits, meter, shared).await
    }

    /// How often the quota has made it wait; nothing without a cpu controller.
    fn pauses(&self, sandbox: &LinuxSandbox) -> Option<u64> {
        self.cgroups.as_ref()?.pauses(&cgroup_name(sandbox.id()))
    }
}

#[async_trait]
impl SandboxBackend for LinuxBackend {
    async fn create(&self, spec: &SandboxSpec) -> Result<Box<dyn Sandbox>, SandboxError> {
        self.check(spec)?;
        Ok(Box::new(self.make(spec.limits).await?))
    }

    async fn preload(&self, command: Command) -> Result<Zygote, SandboxError> {
        if command.stdin != Stdin::Null {
            let what = "a zygote has no standard input";
            return Err(SandboxError::Unsupported(String::from(what)));
        }
        let (id, report, claim) = self.spawner.start_zygote(command).await?;
        let unwanted = CancellationToken::new();
        let ended = self.spawner.zygote_ended(id);
        let zygote = Zygote::new(id, ended, unwanted.clone().drop_guard());
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

    async fn census(&self) -> Result<Census, SandboxError> {
        let counted = self.spawner.count().await?;
        let tree = self.cgroups.clone();
        // Some dozens of small files.
        let taking = tokio::task::spawn_blocking(move || census::taken(counted, tree.as_ref()));
        taking.await.map_err(|_| SandboxError::Silent)
    }

    fn health(&self) -> Health {
        self.spawner_watch.health()
    }

    async fn failed(&self) {
        self.spawner.failed().await;
    }
}
