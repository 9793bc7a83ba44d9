//! One sandbox as the worker holds it.

use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::inside::Inside;
use super::process::FakeProcess;
use super::{Faults, Operation, Script, Zygotes, lock};
use crate::sandbox::backend::{
    Excess, Fifo, Killed, Process, ProcessEnd, ProcessId, ProcessTree, Sandbox, SandboxError,
    Signal, Zygote,
};
use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::spec::{Command, Exit, Footprint, SandboxLimits, Usage};
use crate::sandbox::workspace::WorkspacePath;

/// `SIGKILL`.
const SIGKILL: i32 = 9;

/// A sandbox that is only in memory, behind the trait of all sandboxes.
pub(super) struct FakeSandbox {
    pub(super) inside: Arc<Inside>,
    pub(super) script: Script,
    pub(super) faults: Arc<Faults>,
    pub(super) zygotes: Arc<Zygotes>,
}

impl FakeSandbox {
    /// Whether `operation` may go on.
    pub(super) async fn check(&self, operation: Operation) -> Result<(), SandboxError> {
        if self.inside.is_gone() {
            return Err(SandboxError::Gone);
        }
        self.faults.check(operation)?;
        if self.inside.is_silent() {
            self.inside.gone().cancelled().await;
            return Err(SandboxError::Gone);
        }
        Ok(())
    }

    fn run(&self, command: Command, forked: bool) -> Process {
        let (sender, exit) = oneshot::channel();
        let (process, held, killed) = FakeProcess::start(&self.inside, command, forked, exit);
        let (inside, gone) = (Arc::clone(&self.inside), self.inside.gone());
        let (id, script) = (held.id, Arc::clone(&self.script));
        self.inside.tasks.spawn(async move {
            let exit = tokio::select! {
                biased;
                () = gone.cancelled() => None,
                () = killed.cancelled() => Some(Exit::Signal(SIGKILL)),
                exit = script(process) => Some(exit),
            };
            inside.remove(id);
            // Without a word where the sandbox is gone: nobody has waited for it.
            if let Some(exit) = exit {
                let end = ProcessEnd { exit, cpu: Duration::ZERO, peak_memory_bytes: 0 };
                // Fails if nobody wants to know.
                let _ = sender.send(end);
            }
        });
        held
    }
}

#[async_trait]
impl Sandbox for FakeSandbox {
    async fn start(&self, command: Command) -> Result<Process, SandboxError> {
        self.check(Operation::Start).await?;
        Ok(self.run(command, false))
    }

    async fn start_from(&self, zygote: &Zygote) -> Result<Process, SandboxError> {
        self.check(Operation::StartFrom).await?;
        let command = lock(&self.zygotes)
            .iter()
            .find(|one| one.id == zygote.id() && one.lives())
            .map(|one| one.command.clone());
        let command = command.ok_or_else(|| SandboxError::Zygote {
            stage: String::from("it is dead"),
            source: io::Error::from(io::ErrorKind::NotFound),
        })?;
        Ok(self.run(command, true))
    }

    async fn write_file(
        &self,
        root: Root,
        path: &WorkspacePath,
        content: &[u8],
        mode: FileMode,
    ) -> Result<(), SandboxError> {
        self.check(Operation::Write).await?;
        self.inside.put_file(root, path.as_str(), content, mode);
        Ok(())
    }

    async fn read_file(
        &self,
        root: Root,
        path: &WorkspacePath,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        self.check(Operation::Read).await?;
        match self.inside.file(root, path.as_str()) {
            Some((content, _)) => Ok(Some(content).filter(|content| content.len() <= limit)),
            None => {
                let source = io::Error::from(io::ErrorKind::NotFound);
                Err(SandboxError::Read { path: path.to_string(), source })
            }
        }
    }

    async fn make_fifo(&self, name: &WorkspacePath) -> Result<Box<dyn Fifo>, SandboxError> {
        self.check(Operation::Write).await?;
        Ok(Box::new(self.inside.make_fifo(name.as_str())))
    }

    async fn signal(&self, process: ProcessId, signal: Signal) -> Result<(), SandboxError> {
        if self.is_gone() || self.inside.is_silent() {
            return Err(SandboxError::Gone);
        }
        self.inside.signal(process, signal);
        Ok(())
    }

    async fn kill_all(&self) -> Result<(), SandboxError> {
        if self.inside.is_silent() {
            // As a real one: all of it is killed then.
            self.inside.die();
        }
        self.inside.kill_all();
        Ok(())
    }

    async fn kill_tree(&self, tree: &ProcessTree) -> Result<Killed, SandboxError> {
        if self.inside.is_silent() {
            self.inside.die();
            return Ok(Killed::Everything);
        }
        self.faults.check(Operation::KillTree)?;
        self.inside.kill_tree(tree);
        Ok(Killed::Tree)
    }

    /// On the host's loopback, at any port: what is in memory has none of its own.
    async fn listen(&self, _: u16) -> Result<(OwnedFd, u16), SandboxError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(SandboxError::Listen)?;
        let port = listener.local_addr().map_err(SandboxError::Listen)?.port();
        Ok((listener.into(), port))
    }

    fn is_gone(&self) -> bool {
        self.inside.is_gone()
    }

    fn accepts(&self, limits: SandboxLimits) -> bool {
        let fixed = |limits: SandboxLimits| (limits.disk_bytes, limits.inodes, limits.open_files);
        fixed(limits) == fixed(self.inside.spec.limits)
    }

    async fn prepare(&self, limits: SandboxLimits) -> Result<(), SandboxError> {
        self.faults.check(Operation::Prepare)?;
        self.inside.set_limits(limits);
        Ok(())
    }

    async fn usage(&self, patience: Duration) -> Result<Usage, SandboxError> {
        self.faults.check(Operation::Usage)?;
        if self.inside.is_silent() {
            tokio::time::sleep(patience).await;
        }
        Ok(self.inside.usage())
    }

    async fn footprint(&self) -> Footprint {
        self.inside.footprint()
    }

    fn cpu_time(&self) -> Option<Duration> {
        Some(self.inside.usage().cpu)
    }

    async fn open_files(&self) -> u64 {
        self.inside.open_files()
    }

    fn set_cpu_weight(&self, thousandths: u32) {
        self.inside.set_cpu_weight(thousandths);
    }

    async fn hold_to(&self, most: Option<Footprint>) -> Result<(), SandboxError> {
        self.inside.hold_to(most);
        Ok(())
    }

    async fn pause(&self) -> Result<(), SandboxError> {
        self.inside.set_paused(true);
        Ok(())
    }

    async fn resume(&self) -> Result<(), SandboxError> {
        self.inside.set_paused(false);
        Ok(())
    }

    async fn excess(&self, _patience: Duration) -> Option<Excess> {
        self.inside.excess()
    }

    async fn end(&self) {
        self.inside.end();
        self.inside.tasks.wait().await;
    }
}

impl Drop for FakeSandbox {
    fn drop(&mut self) {
        self.inside.end();
    }
}
