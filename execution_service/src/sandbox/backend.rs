//! The seam between "run this" and "how it is isolated". `linux` is the one implementation today; a
//! remote provider would be a second folder beside it.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::census::Census;
use super::isolation::Isolation;
use super::spec::{Command, Exit, SandboxLimits, Usage};
use super::workspace::WorkspacePath;

/// Why a sandbox could not do what was asked. Never the user's program's fault.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It could not be made.
    #[error("could not make a sandbox: {stage}: {source}")]
    Create {
        /// The step that failed.
        stage: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// There is no zygote to be had, or it could not fork.
    #[error("could not fork a zygote: {stage}: {source}")]
    Zygote {
        /// The step that failed.
        stage: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A process could not be started in it.
    #[error("could not start {program} in the sandbox: {source}")]
    Start {
        /// Path inside the sandbox.
        program: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file could not be written into it.
    #[error("could not write {path} into the sandbox: {source}")]
    Write {
        /// Path inside the workspace.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file could not be read out of it.
    #[error("could not read {path} out of the sandbox: {source}")]
    Read {
        /// Path inside its place.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Its limits could not be changed.
    #[error("could not set the limits of the sandbox: {0}")]
    Limits(io::Error),
    /// It is gone: ended by us, or its init died.
    #[error("the sandbox is gone")]
    Gone,
    /// The backend has not answered in a time in which it answers many.
    #[error("the sandbox backend does not answer")]
    Silent,
    /// The backend itself is gone; the worker cannot go on.
    #[error("the sandbox backend is gone")]
    BackendGone,
}

/// Makes sandboxes.
#[async_trait]
pub trait SandboxBackend: Send + Sync + 'static {
    /// Makes one, empty and confined.
    async fn create(&self, limits: SandboxLimits) -> Result<Box<dyn Sandbox>, SandboxError>;

    /// Starts a zygote and waits until it has loaded everything.
    async fn start_zygote(&self, command: Command) -> Result<Zygote, SandboxError>;

    /// Makes sandboxes, attacks their walls from inside, and says which of them stood.
    async fn examine(&self) -> Isolation;

    /// Returns when the backend has answered; later, it would make no sandbox either.
    async fn pulse(&self);

    /// Whether the backend has said anything to anybody since this was last asked.
    fn has_spoken(&self) -> bool;

    /// Takes a backend that does not answer for one that has failed for good.
    fn give_up(&self);

    /// Looks for what only the whole host's account tells, and [`Sandbox::usage`] says from then on:
    /// [`Usage::locks`]. To be called now and then while programs run. Whether some sandbox may have too many,
    /// or too much in connections.
    async fn look_around(&self) -> bool;

    /// Counts what there is.
    async fn census(&self) -> Result<Census, SandboxError>;

    /// Completes when the backend has failed for good.
    async fn failed(&self);
}

/// A preloaded interpreter that only forks. Dropping it ends it; what it has forked lives on.
pub struct Zygote {
    /// Its name at the backend.
    pub id: u64,
    /// Fires when it is gone.
    pub ended: CancellationToken,
    /// Dropped with this, and tells the backend.
    pub kept: DropGuard,
}

/// One isolated environment. Dropping it ends it in the background; [`Sandbox::end`] waits for that.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// Starts a process. Any number may run at once.
    async fn start(&self, command: Command) -> Result<Process, SandboxError>;

    /// Has `zygote` fork a process into this sandbox, in which no user code may have run yet. It has a
    /// control channel.
    async fn fork(&self, zygote: &Zygote) -> Result<Process, SandboxError>;

    /// Writes a file below `place`, as the sandbox's user, making its parent directories.
    async fn write_file(
        &self,
        place: Place,
        path: &WorkspacePath,
        content: &[u8],
    ) -> Result<(), SandboxError>;

    /// As [`Sandbox::write_file`], but the file may be executed.
    async fn write_executable(
        &self,
        place: Place,
        path: &WorkspacePath,
        content: &[u8],
    ) -> Result<(), SandboxError>;

    /// Reads a regular file below `place`; `None` if it has more than `limit` bytes. Symbolic links are
    /// not followed. It is what user code has made of it, if any has run yet.
    async fn read_file(
        &self,
        place: Place,
        path: &WorkspacePath,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError>;

    /// Makes the two FIFOs `incoming` and `outgoing` in the request directory and holds each open
    /// both ways, so that a kernel which opens and closes them around every message never sees (or
    /// causes) an end of file.
    async fn make_fifos(
        &self,
        incoming: &WorkspacePath,
        outgoing: &WorkspacePath,
    ) -> Result<Control, SandboxError>;

    /// Sends a signal to a process started here and to its process group.
    async fn signal(&self, process: ProcessId, signal: Signal) -> Result<(), SandboxError>;

    /// Kills every process of the user. The sandbox and its files stay, unless it was made so deaf that
    /// only all of it could be killed: see [`Sandbox::is_gone`].
    async fn kill_all(&self) -> Result<(), SandboxError>;

    /// Whether nothing can be asked of it any more.
    fn is_gone(&self) -> bool;

    /// Whether [`Sandbox::prepare`] can put `limits` in force here, or only a new sandbox can.
    fn accepts(&self, limits: SandboxLimits) -> bool;

    /// Prepares a run: changes the limits where they differ, resets the peak counters.
    async fn prepare(&self, limits: SandboxLimits) -> Result<(), SandboxError>;

    /// What was used so far; not [`Usage::whole`] if what only the inside can tell takes longer than
    /// `patience`: user code may have starved it.
    async fn usage(&self, patience: Duration) -> Result<Usage, SandboxError>;

    /// Whether memory that no account shows may well be this sandbox's, and is more than it may have: pages that its
    /// sockets keep, or connections when all connections of the machine have little room left. Whoever keeps the
    /// inside from answering for `patience` is suspected of all there is.
    async fn overdraws(&self, patience: Duration) -> bool;

    /// Ends every process and gives everything back. Returns when nothing is left.
    async fn end(&self);
}

/// Where a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// The user's workspace.
    Workspace,
    /// The request directory, for what the worker tells a kernel.
    Requests,
}

/// Names a process within its sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessId(pub u32);

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: stop what you are doing.
    Interrupt,
    /// SIGKILL.
    Kill,
}

/// A running process. Its output must be read all the time, or it stands still.
pub struct Process {
    /// For [`Sandbox::signal`].
    pub id: ProcessId,
    /// Descriptor 1.
    pub stdout: Box<dyn OutputStream>,
    /// Descriptor 2.
    pub stderr: Box<dyn OutputStream>,
    /// Descriptors 3 and 4, where they were asked for.
    pub control: Option<Control>,
    /// Completes when the process has ended; an error means that the sandbox is gone.
    pub exit: oneshot::Receiver<ProcessEnd>,
}

/// Both directions of a kernel's control channel.
pub struct Control {
    /// What the kernel says.
    pub reader: Box<dyn AsyncRead + Send + Sync + Unpin>,
    /// What the kernel is told.
    pub writer: Box<dyn AsyncWrite + Send + Sync + Unpin>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessEnd {
    /// As the kernel reported it to the parent.
    pub exit: Exit,
    /// User and system time of the process and its reaped children.
    pub cpu: Duration,
    /// Largest resident memory of one of them.
    pub peak_memory_bytes: u64,
}

/// A stream of bytes out of a sandbox.
#[async_trait]
pub trait OutputStream: Send + Sync {
    /// Waits for bytes; 0 means that the stream has ended.
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Takes what is there now, without waiting; `None` when nothing is. Exact: bytes written before
    /// this call are seen by it.
    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>>;
}
