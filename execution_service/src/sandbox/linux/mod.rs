//! Sandboxes by Linux namespaces, cgroups and seccomp.
//!
//! ```text
//! boot       namespaces of the worker before any thread, the anchor, the start of the spawner
//! spawner    the process that makes and ends sandboxes, and has zygotes fork
//! confine    from a fresh clone to a closed sandbox, and to a program in it
//! init       process 1 of each sandbox
//! client     the worker's side: asks the spawner and the inits
//! wire       what these processes say to each other, and how it is carried
//! host       what the kernel tells of the machine and of processes
//! cgroup     limits and accounts; seccomp: which calls are allowed; syscall: calls that no crate offers
//! probe      attempts against the walls, made inside; self_test: has them made, and judges
//! ```
//! The only home of `unsafe`, `libc` and `nix`. `unsafe` is allowed in `syscall`, in `wire::channel` and in
//! `probe::calls`, and nowhere else.

mod boot;
mod boot_error;
mod cgroup;
mod client;
mod confine;
mod host;
mod init;
mod probe;
mod seccomp;
mod self_test;
mod spawner;
mod syscall;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use boot::aside::start_aside;
pub use boot::ids::{FIRST_HOST_ID, HOST_IDS, WORKER_HOST_ID};
pub use boot::launch::{LaunchOptions, Launched, launch};
pub use boot::{Namespaced, drop_privileges, enter_namespaces};
pub use boot_error::BootError;
pub use cgroup::Leftover;
pub use client::pending::Packets;
pub use seccomp::groups;
pub use self_test::control;

use super::backend::{Health, Sandbox, SandboxBackend, SandboxError, Zygote};
use super::census::Census;
use super::isolation::Isolation;
use super::spec::{Command, Footprint, NetworkPolicy, SandboxSpec, Stdin};
use cgroup::Tree;
use client::census;
use client::factory::SandboxFactory;
use client::spawner::SpawnerClient;
use client::spawner_watch::SpawnerWatch;
use host::look::HostLook;
use self_test::Host;

/// The backend of this machine's own kernel.
pub struct LinuxBackend {
    factory: SandboxFactory,
    /// What this host allows.
    host: Host,
    /// What every sandbox sees of the host beside the system's own directories.
    roots: Vec<PathBuf>,
    /// What the machine has for all sandboxes.
    capacity: Footprint,
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
        let machine = host::machine::for_sandboxes();
        let capacity = cgroups.as_ref().map_or(machine, |tree| tree.capacity(machine));
        let factory = SandboxFactory { spawner, cgroups, host_look };
        Ok(Self { factory, host, roots, capacity, spawner_watch, _watching: watching })
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
}

/// A pair of sockets for [`Packets`], whose ends may be in different processes.
#[cfg(test)]
pub fn socket_pair() -> std::io::Result<(std::os::fd::OwnedFd, std::os::fd::OwnedFd)> {
    wire::channel::pair(true)
}

#[async_trait]
impl SandboxBackend for LinuxBackend {
    async fn create(&self, spec: &SandboxSpec) -> Result<Box<dyn Sandbox>, SandboxError> {
        self.check(spec)?;
        Ok(Box::new(self.factory.make(spec.limits).await?))
    }

    async fn preload(&self, command: Command) -> Result<Zygote, SandboxError> {
        if command.stdin != Stdin::Null {
            let what = "a zygote has no standard input";
            return Err(SandboxError::Unsupported(String::from(what)));
        }
        let (id, report, claim) = self.factory.spawner.start_zygote(command).await?;
        let unwanted = CancellationToken::new();
        let ended = self.factory.spawner.zygote_ended(id);
        let zygote = Zygote::new(id, ended, unwanted.clone().drop_guard());
        let spawner = Arc::clone(&self.factory.spawner);
        tokio::spawn(async move {
            unwanted.cancelled().await;
            spawner.end_zygote(id).await;
        });
        claim.keep();
        self_test::examine_zygote(&self.factory, &self.host, &zygote).await?;
        tracing::info!(zygote = id, report, "a zygote is ready");
        Ok(zygote)
    }

    async fn examine(&self) -> Isolation {
        self_test::examine(&self.factory, &self.host, &self.roots).await
    }

    async fn census(&self) -> Result<Census, SandboxError> {
        let counted = self.factory.spawner.count().await?;
        let tree = self.factory.cgroups.clone();
        // Some dozens of small files.
        let taking = tokio::task::spawn_blocking(move || census::taken(counted, tree.as_ref()));
        taking.await.map_err(|_| SandboxError::Silent)
    }

    fn capacity(&self) -> Footprint {
        self.capacity
    }

    fn footprint(&self) -> Footprint {
        self.factory.cgroups.as_ref().map(Tree::footprint).unwrap_or_default()
    }

    fn health(&self) -> Health {
        self.spawner_watch.health()
    }

    async fn failed(&self) {
        self.factory.spawner.failed().await;
    }
}
