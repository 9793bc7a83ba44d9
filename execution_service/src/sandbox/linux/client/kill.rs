//! Killing what runs in a sandbox.

use std::io;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use super::sandbox::{LinuxSandbox, PATIENT};
use crate::sandbox::backend::{Killed, ProcessId, ProcessTree, SandboxError};
use crate::sandbox::linux::wire::init::{InitReply, InitRequest, KillTree, TICKS_PER_SECOND};

impl LinuxSandbox {
    /// See [`Sandbox::kill_all`](crate::sandbox::backend::Sandbox::kill_all).
    pub(super) async fn kill_every_process(&self) -> Result<(), SandboxError> {
        match self.ask(InitRequest::KillAll, PATIENT).await {
            Ok(_) => Ok(()),
            // What init cannot do in time, the spawner does, to init as well.
            Err(_) => self.spawner.kill(self.id).await,
        }
    }

    /// See [`Sandbox::kill_tree`](crate::sandbox::backend::Sandbox::kill_tree).
    pub(super) async fn kill_processes_of(
        &self,
        tree: &ProcessTree,
    ) -> Result<Killed, SandboxError> {
        let tree = inside(tree).map_err(|_| SandboxError::Gone)?;
        match self.ask(InitRequest::KillTree(tree), PATIENT).await {
            Ok(InitReply::Killed { everything: false }) => Ok(Killed::Tree),
            Ok(InitReply::Killed { everything: true }) => Ok(Killed::Everything),
            Ok(_) | Err(_) => self.spawner.kill(self.id).await.map(|()| Killed::Everything),
        }
    }
}

/// `tree` in the numbers and ticks of its sandbox.
fn inside(tree: &ProcessTree) -> io::Result<KillTree> {
    let pid = |process: &ProcessId| i32::try_from(process.0).map_err(io::Error::other);
    Ok(KillTree {
        root: pid(&tree.root)?,
        spared: tree.spared.iter().map(pid).collect::<io::Result<_>>()?,
        since: ticks_at(tree.since)?,
        orphans: tree.orphans,
    })
}

/// Ticks since the machine was started, as in `/proc/<pid>/stat`. The clock there goes on while the machine
/// sleeps and that of `then` does not: of a moment before a sleep it makes a later one, which spares more.
fn ticks_at(then: Instant) -> io::Result<u64> {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME)?);
    let at = now.saturating_sub(then.elapsed());
    u64::try_from(at.as_millis() * u128::from(TICKS_PER_SECOND) / 1000).map_err(io::Error::other)
}
