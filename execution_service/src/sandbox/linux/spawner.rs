//! The process that holds all privilege: one thread, no network, no parsing of anything a user sent.
//! It makes sandboxes, changes their limits, and takes away what is left of them.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::unistd::{Gid, Uid};

use super::cgroup::{Cgroup, Tree};
use super::protocol::{
    CgroupUsage, Failure, FromInit, FromSpawner, SandboxId, Sequence, SetUp, SpawnerReply,
    SpawnerRequest, ToSpawner,
};
use super::recipe::{self, Host, NAMESPACES, SANDBOX_ID};
use super::syscall::{ChildProcess, Cloned};
use super::{channel, init, syscall};
use crate::sandbox::spec::SandboxLimits;

/// The ids of sandboxes in the worker's user namespace start here: 0 is the spawner, 1 the worker.
const FIRST_SANDBOX_ID: u32 = 1000;
/// How many follow; the namespace has 65,536 in all.
const SANDBOX_IDS: u32 = 60_000;
/// Epoll's name for the worker's socket; sandboxes are numbered from 1.
const WORKER: u64 = 0;
/// How long to wait before another try to remove a cgroup that the kernel still calls busy.
const CGROUP_RETRY_MS: u16 = 10;

/// A sandbox as the spawner knows it.
struct Record {
    init: ChildProcess,
    cgroup: Option<Cgroup>,
    limits: SandboxLimits,
    /// The request that waits for its end.
    ending: Option<Sequence>,
    /// Its init has been waited for.
    gone: bool,
}

/// The state of a running spawner.
pub struct Spawner {
    worker: OwnedFd,
    epoll: Epoll,
    host: Host,
    tree: Option<Tree>,
    filter: Vec<libc::sock_filter>,
    sandboxes: HashMap<SandboxId, Record>,
    last: SandboxId,
}

impl Spawner {
    /// Ready to serve the worker at the other end of `worker`.
    pub fn new(
        worker: OwnedFd,
        host: Host,
        tree: Option<Tree>,
        filter: Vec<libc::sock_filter>,
    ) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&worker, EpollEvent::new(EpollFlags::EPOLLIN, WORKER))?;
        let sandboxes = HashMap::new();
        Ok(Self { worker, epoll, host, tree, filter, sandboxes, last: 0 })
    }

    /// What the host allows turned out to be less.
    pub fn set_host(&mut self, host: Host) {
        self.host = host;
    }

    /// Serves until the worker is gone, and then until nothing of its sandboxes is left.
    pub fn serve(mut self) -> io::Result<()> {
        let mut worker_lives = true;
        while worker_lives || !self.sandboxes.is_empty() {
            let timeout =
                if self.sandboxes.values().any(|record| record.gone && record.ending.is_some()) {
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
                match event.data() {
                    WORKER if worker_lives => {
                        worker_lives = self.answer()?;
                        if !worker_lives {
                            self.epoll.delete(&self.worker)?;
                            self.sandboxes.values().for_each(kill);
                        }
                    }
                    WORKER => {}
                    sandbox => self.reap(sandbox)?,
                }
            }
            self.bury(worker_lives)?;
        }
        Ok(())
    }

    /// Makes one sandbox and waits for its set-up, to learn whether this host can do it at all.
    pub fn probe(&mut self, limits: SandboxLimits) -> Result<(), Failure> {
        let (sandbox, control) = self.create(limits)?;
        let outcome = match channel::receive::<FromInit>(control.as_fd()) {
            Ok(Some((FromInit::Ready, _))) => Ok(()),
            Ok(Some((FromInit::SetUpFailed(failure), _))) => Err(failure),
            Ok(Some((FromInit::Reply { .. } | FromInit::Ended { .. }, _)) | None) => {
                Err(Failure { stage: String::from("init went away"), errno: libc::EIO })
            }
            Err(error) => Err(Failure::at("hearing from init", &error)),
        };
        drop(control);
        if let Some(record) = self.sandboxes.get_mut(&sandbox) {
            // Nobody waits for this end: replies to number 0 are ignored.
            record.ending = Some(0);
            kill(record);
        }
        outcome
    }

    /// Handles one request; `false` when there will be no more.
    fn answer(&mut self) -> io::Result<bool> {
        let Some((ToSpawner { sequence, request }, _)) = channel::receive(self.worker.as_fd())?
        else {
            return Ok(false);
        };
        match request {
            SpawnerRequest::Create { limits } => match self.create(limits) {
                Ok((sandbox, control)) => {
                    let reply = SpawnerReply::Created { sandbox };
                    let message = FromSpawner { sequence, reply };
                    channel::send(self.worker.as_fd(), &message, &[control.as_fd()])?;
                }
                Err(failure) => self.reply(sequence, SpawnerReply::Failed(failure))?,
            },
            SpawnerRequest::Prepare { sandbox, limits } => {
                let reply = match self.prepare(sandbox, limits) {
                    Ok(()) => SpawnerReply::Done,
                    Err(error) => SpawnerReply::Failed(Failure::at("set limits", &error)),
                };
                self.reply(sequence, reply)?;
            }
            SpawnerRequest::Usage { sandbox } => {
                let usage = self.sandboxes.get(&sandbox).map(usage).unwrap_or_default();
                self.reply(sequence, SpawnerReply::Usage(usage))?;
            }
            SpawnerRequest::Kill { sandbox } => {
                self.sandboxes.get(&sandbox).map(kill);
                self.reply(sequence, SpawnerReply::Done)?;
            }
            SpawnerRequest::End { sandbox } => match self.sandboxes.get_mut(&sandbox) {
                Some(record) => {
                    record.ending = Some(sequence);
                    kill(record);
                }
                None => self.reply(sequence, SpawnerReply::Ended)?,
            },
        }
        Ok(true)
    }

    fn reply(&self, sequence: Sequence, reply: SpawnerReply) -> io::Result<()> {
        channel::send(self.worker.as_fd(), &FromSpawner { sequence, reply }, &[])
    }

    fn create(&mut self, limits: SandboxLimits) -> Result<(SandboxId, OwnedFd), Failure> {
        self.last += 1;
        let sandbox = self.last;
        let at = |stage: &'static str| move |error: io::Error| Failure::at(stage, &error);
        let cgroup = match &self.tree {
            Some(tree) => {
                Some(tree.create(&format!("sandbox-{sandbox}"), limits).map_err(at("cgroup"))?)
            }
            None => None,
        };
        let (worker_end, init_end) = channel::pair(false).map_err(at("socketpair"))?;
        let (set_up, init_set_up) = channel::pair(false).map_err(at("socketpair"))?;
        let birthplace = cgroup.as_ref().and_then(Cgroup::birthplace);
        let cloned = match birthplace {
            Some(directory) => syscall::clone_process_into(NAMESPACES, directory),
            None => syscall::clone_process(NAMESPACES),
        };
        let init = match cloned {
            Ok(Cloned::Child) => {
                drop((worker_end, set_up));
                become_init(self.host, &self.filter, init_end, init_set_up)
            }
            Ok(Cloned::Parent(init)) => init,
            Err(error) => {
                if let Some(cgroup) = cgroup {
                    let _ = cgroup.remove();
                }
                return Err(Failure::at("clone", &error));
            }
        };
        drop((init_end, init_set_up));
        let event = EpollEvent::new(EpollFlags::EPOLLIN, sandbox);
        let watched = self.epoll.add(&init.pidfd, event).map_err(io::Error::from);
        let record = Record { init, cgroup, limits, ending: None, gone: false };
        let released = watched
            .and_then(|()| release(&record, &set_up, self.host, sandbox))
            .map_err(at("map ids or join the cgroup"));
        if released.is_err() {
            kill(&record);
        }
        self.sandboxes.insert(sandbox, record);
        released.map(|()| (sandbox, worker_end))
    }

    fn prepare(&mut self, sandbox: SandboxId, limits: SandboxLimits) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let record = self.sandboxes.get_mut(&sandbox).ok_or_else(gone)?;
        if limits != record.limits {
            if let Some(cgroup) = &record.cgroup {
                cgroup.set_limits(limits)?;
            }
            record.limits = limits;
        }
        if let Some(cgroup) = &mut record.cgroup {
            cgroup.reset_peaks();
        }
        Ok(())
    }

    /// Waits for the init of a sandbox that has ended, and with it everything inside.
    fn reap(&mut self, sandbox: SandboxId) -> io::Result<()> {
        if let Some(record) = self.sandboxes.get_mut(&sandbox)
            && !record.gone
            && syscall::reap(record.init.pid)?.is_some()
        {
            record.gone = true;
            self.epoll.delete(&record.init.pidfd)?;
        }
        Ok(())
    }

    /// Forgets sandboxes of which nothing is left. One that ended by itself is remembered until the
    /// worker asks for its end, because the worker may still want its usage.
    fn bury(&mut self, worker_lives: bool) -> io::Result<()> {
        let mut ended = Vec::new();
        self.sandboxes.retain(|_, record| {
            let wanted = record.gone && (record.ending.is_some() || !worker_lives);
            let removed =
                wanted && record.cgroup.as_ref().is_none_or(|cgroup| cgroup.remove().is_ok());
            if removed {
                ended.extend(record.ending);
            }
            !removed
        });
        if worker_lives {
            for sequence in ended {
                self.reply(sequence, SpawnerReply::Ended)?;
            }
        }
        Ok(())
    }
}

fn kill(record: &Record) {
    if let Some(cgroup) = &record.cgroup {
        cgroup.kill();
    }
    // The pid namespace dies with its first process, stopped and vforked processes included.
    // An error means that it is dead already.
    let _ = syscall::pidfd_send_signal(record.init.pidfd.as_fd(), libc::SIGKILL);
}

fn usage(record: &Record) -> CgroupUsage {
    record.cgroup.as_ref().map(Cgroup::usage).unwrap_or_default()
}

/// Lets a new init go on: its ids are mapped, it is in its cgroup.
fn release(record: &Record, set_up: &OwnedFd, host: Host, sandbox: SandboxId) -> io::Result<()> {
    let pid = record.init.pid;
    if let Some(cgroup) = &record.cgroup {
        cgroup.join(pid)?;
    }
    let file = |name: &str| format!("/proc/{pid}/{name}");
    let (uid, gid) = if host.distinct_ids {
        // Two live sandboxes share an id only if one has outlived 60,000 others.
        let slot = u32::try_from(sandbox % u64::from(SANDBOX_IDS)).unwrap_or_default();
        (FIRST_SANDBOX_ID + slot, FIRST_SANDBOX_ID + slot)
    } else {
        std::fs::write(file("setgroups"), "deny")?;
        (Uid::current().as_raw(), Gid::current().as_raw())
    };
    std::fs::write(file("uid_map"), format!("{SANDBOX_ID} {uid} 1\n"))?;
    std::fs::write(file("gid_map"), format!("{SANDBOX_ID} {gid} 1\n"))?;
    channel::send(set_up.as_fd(), &SetUp { limits: record.limits }, &[])
}

/// The new process's way: wait for the ids, close itself in, serve, end.
fn become_init(host: Host, filter: &[libc::sock_filter], control: OwnedFd, set_up: OwnedFd) -> ! {
    let outcome = (|| -> Result<SandboxLimits, Failure> {
        let lost = || Failure { stage: String::from("the spawner went away"), errno: libc::EIO };
        let (SetUp { limits }, _) = channel::receive(set_up.as_fd())
            .map_err(|error| Failure::at("hearing from the spawner", &error))?
            .ok_or_else(lost)?;
        recipe::confine(host, limits, filter)?;
        Ok(limits)
    })();
    match outcome {
        Ok(limits) => {
            // Everything of the spawner's goes: its socket, the pidfds of other sandboxes.
            if let Ok(control) = syscall::keep_only(control) {
                let _ = init::serve(control, limits.memory_bytes);
            }
        }
        Err(failure) => {
            let _ = channel::send(control.as_fd(), &FromInit::SetUpFailed(failure), &[]);
        }
    }
    syscall::exit_now(0)
}
