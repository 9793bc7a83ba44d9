//! The seam between "run this" and "how it is isolated": what any sandbox can do. `linux` is the
//! implementation that serves; `fake` stands in for it in unit tests.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::census::Census;
use super::files::{FileError, FileMode, FileSystem, Root};
use super::isolation::Isolation;
use super::spec::{Command, Exit, Footprint, SandboxLimits, SandboxSpec, TerminalSize, Usage};
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
    /// This backend cannot make what was asked for, now or ever.
    #[error("this backend cannot make such a sandbox: {0}")]
    Unsupported(String),
    /// There is no zygote to be had, or none could be used.
    #[error("could not start from a zygote: {stage}: {source}")]
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
    /// Nothing can listen on its loopback interface.
    #[error("could not listen on the loopback of the sandbox: {0}")]
    Listen(io::Error),
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
        /// Path below its root.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Something could not be done with the files of the workspace, as they are.
    #[error(transparent)]
    File(#[from] FileError),
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
    ///
    /// # Errors
    /// [`SandboxError::Unsupported`] for a spec that this backend cannot honour in full.
    async fn create(&self, spec: &SandboxSpec) -> Result<Box<dyn Sandbox>, SandboxError>;

    /// Starts `command` once, lets it load everything that it needs, and keeps it so: processes can be
    /// started from that point with [`Sandbox::start_from`].
    async fn preload(&self, command: Command) -> Result<Zygote, SandboxError>;

    /// Makes sandboxes, attacks their walls from inside, and says which of them stood.
    async fn examine(&self) -> Isolation;

    /// Counts what there is.
    async fn census(&self) -> Result<Census, SandboxError>;

    /// What the machine has for all of its sandboxes.
    fn capacity(&self) -> Footprint;

    /// At least what they hold now: pages of files that ended ones have read are in it, too. Nothing where only each by
    /// itself can tell.
    fn footprint(&self) -> Footprint;

    /// Whether it would make a sandbox now, as far as is known.
    fn health(&self) -> Health;

    /// Completes when the backend has failed for good.
    async fn failed(&self);
}

/// Whether a backend answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Healthy,
    /// It has not answered for some seconds. It may yet.
    Stalled,
}

/// A preloaded interpreter that only forks. Dropping it ends it; what was started from it lives on.
pub struct Zygote {
    id: u64,
    ended: CancellationToken,
    _kept: DropGuard,
}

impl Zygote {
    /// One that its backend calls `id`. The backend fires `ended` when it is gone, and ends it when `kept`
    /// fires.
    pub(super) fn new(id: u64, ended: CancellationToken, kept: DropGuard) -> Self {
        Self { id, ended, _kept: kept }
    }

    /// Its name at its backend.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Fires when it is gone.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }
}

/// One isolated environment. Dropping it ends it in the background; [`Sandbox::end`] waits for that.
#[async_trait]
pub trait Sandbox: FileSystem + Send + Sync {
    /// Starts a process. Any number may run at once.
    async fn start(&self, command: Command) -> Result<Process, SandboxError>;

    /// Starts a process of what `zygote` has loaded, with a control channel. No user code may have run in
    /// this sandbox yet.
    async fn start_from(&self, zygote: &Zygote) -> Result<Process, SandboxError>;

    /// Writes a file below `root`, as the sandbox's user, making its parent directories.
    async fn write_file(
        &self,
        root: Root,
        path: &WorkspacePath,
        content: &[u8],
        mode: FileMode,
    ) -> Result<(), SandboxError>;

    /// Reads a regular file below `root`; `None` if it has more than `limit` bytes. Symbolic links are
    /// not followed. It is what user code has made of it, if any has run yet.
    async fn read_file(
        &self,
        root: Root,
        path: &WorkspacePath,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError>;

    /// Makes a FIFO in the request directory, in place of whatever has that name.
    async fn make_fifo(&self, name: &WorkspacePath) -> Result<Box<dyn Fifo>, SandboxError>;

    /// Sends a signal to a process started here and to its process group.
    async fn signal(&self, process: ProcessId, signal: Signal) -> Result<(), SandboxError>;

    /// Kills every process of the user. The sandbox and its files stay, unless it was made so deaf that
    /// only all of it could be killed: see [`Sandbox::is_gone`].
    async fn kill_all(&self) -> Result<(), SandboxError>;

    /// Kills one process with all that came of it, and leaves others alone, as far as that can be done.
    async fn kill_tree(&self, tree: &ProcessTree) -> Result<Killed, SandboxError>;

    /// Has a socket listen on its loopback interface, at `port` or, where a program in it has taken that, at another;
    /// gives the socket, which no program of it has, and its port. Can be done once.
    async fn listen(&self, port: u16) -> Result<(OwnedFd, u16), SandboxError>;

    /// Whether nothing can be asked of it any more.
    fn is_gone(&self) -> bool;

    /// Whether [`Sandbox::prepare`] can put `limits` in force here, or only a new sandbox can.
    fn accepts(&self, limits: SandboxLimits) -> bool;

    /// Prepares a run: changes the limits where they differ, resets the peak counters.
    async fn prepare(&self, limits: SandboxLimits) -> Result<(), SandboxError>;

    /// What was used so far; not [`Usage::whole`] if what only the inside can tell takes longer than
    /// `patience`: user code may have starved it.
    async fn usage(&self, patience: Duration) -> Result<Usage, SandboxError>;

    /// What it holds now, without what the kernel takes back when it is short. What nobody can tell is nothing.
    async fn footprint(&self) -> Footprint;

    /// Processor time that it has used, where the kernel counts it; at once.
    fn cpu_time(&self) -> Option<Duration>;

    /// How many open files it has; 0 while the whole host has so few that nobody need be asked, and where it cannot be told.
    async fn open_files(&self) -> u64;

    /// Its part of the processors when there are not enough for all: `thousandths` of that of a new one, 1 to
    /// 1,000. Where no cgroup divides them, nothing.
    fn set_cpu_weight(&self, thousandths: u32);

    /// Has it come to no more than `most`, if that is less than its limits; with nothing, its limits hold again. Where no
    /// cgroup limits it, nothing.
    async fn hold_to(&self, most: Option<Footprint>) -> Result<(), SandboxError>;

    /// Has all of its processes stand still, with all that they hold.
    async fn pause(&self) -> Result<(), SandboxError>;

    /// Has them go on.
    async fn resume(&self) -> Result<(), SandboxError>;

    /// What it holds beyond what its limits stop by themselves. To be asked now and then while user code may
    /// run: what can be seen of the whole host only is looked for when somebody asks.
    async fn excess(&self, patience: Duration) -> Option<Excess>;

    /// Ends every process and gives everything back. Returns when nothing is left.
    async fn end(&self);
}

/// Something that a sandbox holds too much of, and no limit stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Memory that no account shows and that may well be this sandbox's: pages that its sockets keep, or
    /// connections when all connections of the machine have little room left. Whoever keeps the inside from
    /// answering is suspected of all there is.
    Memory,
    /// More locks on files than [`MOST_LOCKS`](super::spec::MOST_LOCKS).
    Locks,
    /// More open files than [`MOST_OPEN_FILES`](super::spec::MOST_OPEN_FILES).
    Files,
}

/// Which processes [`Sandbox::kill_tree`] kills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessTree {
    /// This one, whenever it was born. Of what descends from it, and of the process session that it leads, all
    /// that was born since.
    pub root: ProcessId,
    /// Never these, what descends from them, or what is in a process session that they lead.
    pub spared: Vec<ProcessId>,
    /// What was born before this stays, with what comes of it. Exact to 10 ms.
    pub since: Instant,
    /// Kills as well what was born since and belongs to none that is spared, whoever made it: what has left the
    /// tree and its process session by then.
    pub orphans: bool,
}

/// What [`Sandbox::kill_tree`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    /// Those that were asked for.
    Tree,
    /// Every process of the user, those that were to be spared included: new ones came faster than they could
    /// be told apart, or this sandbox cannot list its processes.
    Everything,
}

/// Names a process within its sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId(pub u32);

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: stop what you are doing.
    Interrupt,
    /// SIGTERM: come to an end.
    Terminate,
    /// SIGKILL.
    Kill,
    /// Any other, by its number.
    Other(i32),
}

/// A running process. Its output must be read all the time, or it stands still.
pub struct Process {
    /// For [`Sandbox::signal`].
    pub id: ProcessId,
    /// Descriptor 1. Of a process with a terminal, all that it shows.
    pub stdout: Box<dyn OutputStream>,
    /// Descriptor 2.
    pub stderr: Box<dyn OutputStream>,
    /// Descriptor 0, where it was asked for as a pipe or a terminal. A pipe that is dropped is the end of its
    /// input; a terminal has its own character for that.
    pub stdin: Option<InputStream>,
    /// Its terminal, where one was asked for. It hangs up when this, `stdin` and `stdout` are dropped.
    pub terminal: Option<Box<dyn Terminal>>,
    /// Its control channel, where one was asked for.
    pub control: Option<Control>,
    /// Completes when the process has ended; an error means that the sandbox is gone.
    pub exit: oneshot::Receiver<ProcessEnd>,
}

/// What can be done to a terminal beside reading and writing.
pub trait Terminal: Send + Sync {
    /// Gives it another size, and tells the program in front (`SIGWINCH`).
    fn resize(&self, size: TerminalSize) -> io::Result<()>;
}

/// A FIFO for a process that opens it by its name.
#[async_trait]
pub trait Fifo: Send + Sync {
    /// Waits until somebody opens it for reading, and opens it for writing, which whoever opened it may wait for.
    /// When that is dropped, the reader reads the end.
    async fn until_it_is_read(self: Box<Self>) -> io::Result<InputStream>;
}

/// The worker's side of a control channel.
pub struct Control {
    /// What the process says.
    pub reader: Box<dyn AsyncRead + Send + Sync + Unpin>,
    /// What the process is told.
    pub writer: InputStream,
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

/// A stream of bytes into a sandbox. Dropped, its reader reads the end.
pub type InputStream = Box<dyn AsyncWrite + Send + Sync + Unpin>;

/// A stream of bytes out of a sandbox.
#[async_trait]
pub trait OutputStream: Send + Sync {
    /// Waits for bytes; 0 means that the stream has ended.
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Takes what is there now, without waiting; `None` when nothing is. Exact: bytes written before
    /// this call are seen by it.
    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>>;
}

/// A stream that has ended: standard error of a process whose every output is on its terminal.
pub struct Ended;

#[async_trait]
impl OutputStream for Ended {
    async fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn read_now(&mut self, _: &mut [u8]) -> io::Result<Option<usize>> {
        Ok(Some(0))
    }
}
