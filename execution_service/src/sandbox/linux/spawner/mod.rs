//! The process that holds all privilege: one thread, no network, no parsing of anything a user sent.
//! It makes sandboxes, changes their limits, has zygotes fork into them, and takes away what is left.

mod new_init;
mod pipes;
mod sandboxes;
mod terminal;
mod zygote;
mod zygotes;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::sandbox::linux::cgroup::Tree;
use crate::sandbox::linux::confine::Host;
use crate::sandbox::linux::host::mounts::mounts;
use crate::sandbox::linux::host::processes;
use crate::sandbox::linux::seccomp::{self, Confined};
use crate::sandbox::linux::syscall;
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::channel;
use crate::sandbox::linux::wire::failure::Failure;
use crate::sandbox::linux::wire::init::FirstWord;
use crate::sandbox::linux::wire::init_link::InitEnds;
use crate::sandbox::linux::wire::spawner::{
    Counted, FromSpawner, SandboxId, SpawnerReply, SpawnerRequest, ToSpawner,
};
use crate::sandbox::spec::{Command, SandboxLimits};
use sandboxes::Sandboxes;
use zygotes::Zygotes;

/// Epoll's names for the worker's socket and for the ends of children; zygotes are numbered from 1.
const WORKER: u64 = 0;
const CHILDREN: u64 = u64::MAX;
/// How long to wait before another try to remove a cgroup that the kernel still calls busy.
const CGROUP_RETRY_MS: u16 = 10;
/// 1 to 4 of a process that a zygote forks.
const DESCRIPTORS_OF_A_FORK: usize = 4;

/// The state of a running spawner.
pub struct Spawner {
    worker: OwnedFd,
    epoll: Epoll,
    children: SignalFd,
    sandboxes: Sandboxes,
    zygotes: Zygotes,
    /// Programs that may be started with a zygote's privilege: those of the configuration. The worker,
    /// which has none of it, may be somebody else's by the time it asks.
    known: Vec<Command>,
}

impl Spawner {
    /// Ready to serve the worker at the other end of `worker`, and to start the zygotes in `known`.
    pub fn new(
        worker: OwnedFd,
        host: Host,
        tree: Option<Tree>,
        known: Vec<Command>,
    ) -> io::Result<Self> {
        prctl::set_child_subreaper(true)?;
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGCHLD);
        mask.thread_block()?;
        let children = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&worker, EpollEvent::new(EpollFlags::EPOLLIN, WORKER))?;
        epoll.add(&children, EpollEvent::new(EpollFlags::EPOLLIN, CHILDREN))?;
        let filter = |of| seccomp::filter(seccomp::Policy { memory_cgroup: host.cgroups, of });
        let zygotes = Zygotes::new(&filter(Confined::Program));
        let sandboxes = Sandboxes::new(host, tree, filter(Confined::Init));
        Ok(Self { worker, epoll, children, sandboxes, zygotes, known })
    }

    /// What the host allows turned out to be less.
    pub fn set_host(&mut self, host: Host) {
        self.sandboxes.host = host;
    }

    /// Serves until the worker is gone, and then until nothing of its sandboxes is left.
    pub fn serve(mut self) -> io::Result<()> {
        let mut worker_lives = true;
        while worker_lives || !self.sandboxes.is_empty() || !self.zygotes.is_empty() {
            let timeout = if self.sandboxes.wait_for_burial() {
                EpollTimeout::from(CGROUP_RETRY_MS)
            } else {
                EpollTimeout::NONE
            };
            let mut events = [EpollEvent::empty(); 64];
            let count = match self.epoll.wait(&mut events, timeout) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                Err(error) => return Err(io::Error::from(error)),
            };
            for event in &events[..count] {
                let told = match event.data() {
                    WORKER => {
                        if worker_lives && !self.answer()? {
                            worker_lives = false;
                            self.epoll.delete(&self.worker)?;
                            self.sandboxes.kill_all();
                            self.zygotes.kill_all();
                        }
                        Vec::new()
                    }
                    CHILDREN => self.reap()?,
                    zygote => self.zygotes.hear(zygote),
                };
                if worker_lives {
                    told.iter().try_for_each(|message| self.tell(message))?;
                }
            }
            for sequence in self.sandboxes.bury(worker_lives) {
                if worker_lives {
                    self.reply(sequence, SpawnerReply::Ended)?;
                }
            }
        }
        Ok(())
    }

    /// Makes one sandbox and waits for its set-up, to learn whether this host can do it at all.
    pub fn probe(&mut self, limits: SandboxLimits) -> Result<(), Failure> {
        let (sandbox, side) = self.sandboxes.create(limits)?;
        let outcome = match channel::receive::<FirstWord>(side.socket.as_fd()) {
            Ok(Some((FirstWord::Ready, _))) => Ok(()),
            Ok(Some((FirstWord::SetUpFailed(failure), _))) => Err(failure),
            Ok(None) => Err(Failure { stage: String::from("init went away"), errno: libc::EIO }),
            Err(error) => Err(Failure::at("hearing from init", &error)),
        };
        drop(side);
        // Nobody waits for this end: replies to number 0 are ignored.
        self.sandboxes.end(sandbox, 0);
        outcome
    }

    /// Handles one request; `false` when there will be no more.
    fn answer(&mut self) -> io::Result<bool> {
        let Some((ToSpawner { sequence, request }, fds)) = channel::receive(self.worker.as_fd())?
        else {
            return Ok(false);
        };
        let failed = |stage: &'static str| {
            move |error: io::Error| SpawnerReply::Failed(Failure::at(stage, &error))
        };
        let reply = match request {
            SpawnerRequest::Create { limits } => match self.sandboxes.create(limits) {
                Ok((sandbox, side)) => {
                    let Err(error) = self.hand_over(sequence, sandbox, &side) else {
                        return Ok(true);
                    };
                    // Nobody has heard of it, and nobody waits for its end.
                    self.sandboxes.end(sandbox, 0);
                    failed("hand over the way to init")(error)
                }
                Err(failure) => SpawnerReply::Failed(failure),
            },
            SpawnerRequest::Pipes { sandbox, stdin } => {
                let made = self.sandboxes.pipes(sandbox, stdin).and_then(|pipes| {
                    let fds: Vec<_> = pipes.carried().collect();
                    self.reply_with(sequence, SpawnerReply::Pipes, &fds)
                });
                match made {
                    Ok(()) => return Ok(true),
                    Err(error) => failed("pipes")(error),
                }
            }
            SpawnerRequest::Terminal { sandbox, size } => {
                let made = self.sandboxes.terminal(sandbox, size).and_then(|ends| {
                    let fds = ends.each_ref().map(AsFd::as_fd);
                    self.reply_with(sequence, SpawnerReply::Terminal, &fds)
                });
                match made {
                    Ok(()) => return Ok(true),
                    Err(error) => failed("terminal")(error),
                }
            }
            SpawnerRequest::SetLimits { sandbox, limits } => {
                let set = self.sandboxes.set_limits(sandbox, limits);
                set.map_or_else(failed("set limits"), |()| SpawnerReply::Done)
            }
            SpawnerRequest::Kill { sandbox } => {
                self.sandboxes.kill(sandbox);
                SpawnerReply::Done
            }
            SpawnerRequest::End { sandbox } => {
                if self.sandboxes.end(sandbox, sequence) {
                    return Ok(true);
                }
                SpawnerReply::Ended
            }
            SpawnerRequest::StartZygote { command } if !self.known.contains(&command) => {
                let stage = String::from("this is no zygote of the configuration");
                SpawnerReply::Failed(Failure { stage, errno: libc::EPERM })
            }
            SpawnerRequest::StartZygote { command } => {
                let host = self.sandboxes.host;
                let started =
                    self.zygotes.start(host, &command, sequence).and_then(|(id, socket)| {
                        let event = EpollEvent::new(EpollFlags::EPOLLIN, id);
                        let watched = self.epoll.add(socket, event).map_err(io::Error::from);
                        watched.map_err(|error| Failure::at("watch the zygote", &error))
                    });
                match started {
                    Ok(()) => return Ok(true),
                    Err(failure) => SpawnerReply::Failed(failure),
                }
            }
            SpawnerRequest::Fork { zygote, sandbox } => {
                let complete = if fds.len() == DESCRIPTORS_OF_A_FORK {
                    Ok(())
                } else {
                    Err(io::Error::from_raw_os_error(libc::EMFILE))
                };
                let asked = complete
                    .and_then(|()| self.sandboxes.way_in(sandbox))
                    .and_then(|way_in| self.zygotes.fork(zygote, &way_in, &fds, sequence));
                match asked {
                    Ok(()) => return Ok(true),
                    Err(error) => failed("ask the zygote")(error),
                }
            }
            SpawnerRequest::Count => SpawnerReply::Counted(self.count()),
            SpawnerRequest::EndZygote { zygote } => {
                self.zygotes.kill(zygote);
                SpawnerReply::Done
            }
        };
        self.reply(sequence, reply).map(|()| true)
    }

    /// Gives the worker all that it needs of a new sandbox.
    fn hand_over(&self, sequence: Sequence, sandbox: SandboxId, side: &InitEnds) -> io::Result<()> {
        let pipes = self.sandboxes.pipes(sandbox, false)?;
        let account = [self.sandboxes.peak(sandbox), self.sandboxes.weight(sandbox)];
        let way = [side.socket.as_fd(), side.replies.as_fd()];
        let fds: Vec<_> = way
            .into_iter()
            .chain(pipes.carried())
            .chain(account.iter().flatten().map(AsFd::as_fd))
            .collect();
        self.reply_with(sequence, SpawnerReply::Created { sandbox }, &fds)
    }

    /// Of its children, who is what: by the kernel's list, not by our own.
    fn count(&self) -> Counted {
        let children = processes::children();
        let of = |is_one: &dyn Fn(i32) -> bool| {
            let children = children.as_ref()?.iter();
            Some(children.filter(|pid| is_one(**pid)).count() as u64)
        };
        Counted {
            inits: of(&|pid| self.sandboxes.is_init(pid)),
            zygotes: of(&|pid| self.zygotes.is_zygote(pid)),
            mounts: mounts(),
        }
    }

    /// Waits for every child that has ended.
    fn reap(&mut self) -> io::Result<Vec<FromSpawner>> {
        while self.children.read_signal()?.is_some() {}
        let mut told = Vec::new();
        while let Some(reaped) = syscall::reap(-1)? {
            if !self.sandboxes.init_ended(reaped.pid) {
                told.extend(self.zygotes.ended(&reaped));
            }
        }
        Ok(told)
    }

    fn reply(&self, sequence: Sequence, reply: SpawnerReply) -> io::Result<()> {
        self.tell(&FromSpawner::Reply { sequence, reply })
    }

    fn reply_with(
        &self,
        sequence: Sequence,
        reply: SpawnerReply,
        fds: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        channel::send(self.worker.as_fd(), &FromSpawner::Reply { sequence, reply }, fds)
    }

    fn tell(&self, message: &FromSpawner) -> io::Result<()> {
        channel::send(self.worker.as_fd(), message, &[])
    }
}
