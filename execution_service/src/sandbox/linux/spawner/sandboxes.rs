//! The sandboxes that the spawner has made and not yet buried.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::unistd::Uid;

use super::new_init::{become_init, release};
use super::{pipes, terminal};
use rustix::process::{Signal, pidfd_send_signal};

use crate::sandbox::linux::cgroup::{Cgroup, Tree, cgroup_name};
use crate::sandbox::linux::confine::process_limits::ProcessLimits;
use crate::sandbox::linux::confine::{Host, NAMESPACES};
use crate::sandbox::linux::syscall;
use crate::sandbox::linux::syscall::{ChildProcess, Cloned};
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::channel;
use crate::sandbox::linux::wire::failure::Failure;
use crate::sandbox::linux::wire::init_link::{self, InitEnds};
use crate::sandbox::linux::wire::pipes::Pipes;
use crate::sandbox::linux::wire::spawner::SandboxId;
use crate::sandbox::spec::{SandboxLimits, TerminalSize};

/// The ids of sandboxes in the worker's user namespace start here: 0 is the spawner, 1 the worker.
const FIRST_SANDBOX_ID: u32 = 1000;
/// How many follow; the namespace has 65,536 in all.
const SANDBOX_IDS: u32 = 60_000;

/// All sandboxes of this spawner, by their numbers.
pub struct Sandboxes {
    /// What the host allows.
    pub host: Host,
    tree: Option<Tree>,
    filter: Vec<libc::sock_filter>,
    records: HashMap<SandboxId, Record>,
    /// By the number of the init.
    inits: HashMap<libc::pid_t, SandboxId>,
    last: SandboxId,
}

struct Record {
    init: ChildProcess,
    cgroup: Option<Cgroup>,
    /// What is laid on whoever joins it.
    process_limits: ProcessLimits,
    /// The request that waits for its end.
    ending: Option<Sequence>,
    /// Its init has been waited for.
    gone: bool,
}

/// What a process needs to join a sandbox.
pub struct WayIn<'a> {
    /// Its init.
    pub pidfd: BorrowedFd<'a>,
    /// Its cgroup; nothing where there are none.
    pub doors: Vec<OwnedFd>,
    /// What it must take on.
    pub process_limits: ProcessLimits,
}

impl Sandboxes {
    /// None yet.
    pub fn new(host: Host, tree: Option<Tree>, filter: Vec<libc::sock_filter>) -> Self {
        Self { host, tree, filter, records: HashMap::new(), inits: HashMap::new(), last: 0 }
    }

    /// Makes one, and gives the worker's side of the way to its init.
    pub fn create(&mut self, limits: SandboxLimits) -> Result<(SandboxId, InitEnds), Failure> {
        self.check(limits).map_err(|error| Failure::at("limits", &error))?;
        let sandbox = self.next_id().map_err(|error| Failure::at("ids", &error))?;
        let at = |stage: &'static str| move |error: io::Error| Failure::at(stage, &error);
        let cgroup = match &self.tree {
            Some(tree) => Some(tree.create(&cgroup_name(sandbox), limits).map_err(at("cgroup"))?),
            None => None,
        };
        let (worker_side, init_side) = init_link::pair().map_err(at("the way to init"))?;
        let (set_up, init_set_up) = channel::pair(false).map_err(at("socketpair"))?;
        let birthplace = cgroup.as_ref().and_then(Cgroup::birthplace);
        let doors = match (&cgroup, birthplace) {
            (Some(cgroup), None) => cgroup.doors().map_err(at("cgroup"))?,
            (Some(_), Some(_)) | (None, _) => Vec::new(),
        };
        let cloned = match birthplace {
            Some(directory) => syscall::clone_process_into(NAMESPACES, directory),
            None => syscall::clone_process(NAMESPACES),
        };
        let init = match cloned {
            Ok(Cloned::Child) => {
                drop((worker_side, set_up));
                become_init(self.host, &self.filter, &doors, init_side, init_set_up)
            }
            Ok(Cloned::Parent(init)) => init,
            Err(error) => {
                if let Some(cgroup) = cgroup {
                    let _ = cgroup.remove();
                }
                return Err(Failure::at("clone", &error));
            }
        };
        drop((init_side, init_set_up));
        let process_limits = ProcessLimits::of(self.host, limits);
        let record = Record { init, cgroup, process_limits, ending: None, gone: false };
        let user = self.user(sandbox);
        let released =
            release(record.init.pid, limits, &set_up, self.host, user).map_err(at("map ids"));
        if released.is_err() {
            record.kill();
        }
        self.inits.insert(record.init.pid, sandbox);
        self.records.insert(sandbox, record);
        released.map(|()| (sandbox, worker_side))
    }

    /// The worker asks for no more than the operator allows. Whoever has taken it over may.
    fn check(&self, limits: SandboxLimits) -> io::Result<()> {
        let allowed = limits.are_within(self.host.ceiling);
        if allowed { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EINVAL)) }
    }

    /// A number whose uid no living sandbox has: they come round, and one may have outlived all others.
    fn next_id(&mut self) -> io::Result<SandboxId> {
        let ids = u64::from(SANDBOX_IDS);
        for _ in 0..=self.records.len() {
            self.last += 1;
            if !self.records.keys().any(|other| other % ids == self.last % ids) {
                return Ok(self.last);
            }
        }
        Err(io::Error::from_raw_os_error(libc::EAGAIN))
    }

    /// Puts other limits in force.
    pub fn set_limits(&self, sandbox: SandboxId, limits: SandboxLimits) -> io::Result<()> {
        self.check(limits)?;
        let record = self.records.get(&sandbox).ok_or(io::ErrorKind::NotFound)?;
        record.cgroup.as_ref().map_or(Ok(()), |cgroup| cgroup.set_limits(limits))
    }

    /// The pipes of a process in it, counted for its user; with one for descriptor 0 if `stdin`.
    pub fn pipes(&self, sandbox: SandboxId, stdin: bool) -> io::Result<Pipes> {
        self.records.get(&sandbox).ok_or(io::ErrorKind::NotFound)?;
        pipes::make(self.user(sandbox), stdin)
    }

    /// A terminal for a process in it: the worker's end and the process's.
    pub fn terminal(&self, sandbox: SandboxId, size: TerminalSize) -> io::Result<[OwnedFd; 2]> {
        self.records.get(&sandbox).ok_or(io::ErrorKind::NotFound)?;
        terminal::make(self.user(sandbox), size)
    }

    /// Its user, as the spawner sees it.
    fn user(&self, sandbox: SandboxId) -> Uid {
        if !self.host.distinct_ids {
            return Uid::current();
        }
        let slot = u32::try_from(sandbox % u64::from(SANDBOX_IDS)).unwrap_or_default();
        Uid::from_raw(FIRST_SANDBOX_ID + slot)
    }

    /// The file of its memory peak; see [`Cgroup::peak`].
    pub fn peak(&self, sandbox: SandboxId) -> Option<OwnedFd> {
        self.records.get(&sandbox)?.cgroup.as_ref()?.peak().ok()
    }

    /// The file of its weight; see [`Cgroup::weight`].
    pub fn weight(&self, sandbox: SandboxId) -> Option<OwnedFd> {
        self.records.get(&sandbox)?.cgroup.as_ref()?.weight()
    }

    /// How a process joins it.
    pub fn way_in(&self, sandbox: SandboxId) -> io::Result<WayIn<'_>> {
        let record = self.records.get(&sandbox).ok_or(io::ErrorKind::NotFound)?;
        let doors = record.cgroup.as_ref().map(Cgroup::doors).transpose()?.unwrap_or_default();
        Ok(WayIn { pidfd: record.init.pidfd.as_fd(), doors, process_limits: record.process_limits })
    }

    /// Kills everything in it.
    pub fn kill(&self, sandbox: SandboxId) {
        self.records.get(&sandbox).map(Record::kill);
    }

    /// Kills everything in all of them.
    pub fn kill_all(&self) {
        self.records.values().for_each(Record::kill);
    }

    /// Begins its end, which [`Sandboxes::bury`] will tell by `sequence`; `false` if there is none.
    pub fn end(&mut self, sandbox: SandboxId, sequence: Sequence) -> bool {
        let Some(record) = self.records.get_mut(&sandbox) else {
            return false;
        };
        record.ending = Some(sequence);
        record.kill();
        true
    }

    /// The process `pid` has been waited for; `false` if it was no init.
    pub fn init_ended(&mut self, pid: libc::pid_t) -> bool {
        let Some(sandbox) = self.inits.remove(&pid) else {
            return false;
        };
        if let Some(record) = self.records.get_mut(&sandbox) {
            record.gone = true;
        }
        true
    }

    /// Whether `pid` is the init of one.
    pub fn is_init(&self, pid: libc::pid_t) -> bool {
        self.inits.contains_key(&pid)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether [`Sandboxes::bury`] has something to do.
    pub fn wait_for_burial(&self) -> bool {
        self.records.values().any(|record| record.gone && record.ending.is_some())
    }

    /// Forgets those of which nothing is left, and gives the requests that waited for that. One that
    /// ended by itself is remembered until the worker asks for its end, because the worker may still
    /// want its usage; unless there is no worker.
    pub fn bury(&mut self, worker_lives: bool) -> Vec<Sequence> {
        let mut ended = Vec::new();
        self.records.retain(|_, record| {
            let wanted = record.gone && (record.ending.is_some() || !worker_lives);
            let removed =
                wanted && record.cgroup.as_ref().is_none_or(|cgroup| cgroup.remove().is_ok());
            if removed {
                ended.extend(record.ending);
            }
            !removed
        });
        ended
    }
}

impl Record {
    fn kill(&self) {
        if let Some(cgroup) = &self.cgroup {
            cgroup.kill();
        }
        // The pid namespace dies with its first process, stopped and vforked processes included.
        // An error means that it is dead already.
        let _ = pidfd_send_signal(self.init.pidfd.as_fd(), Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILING: SandboxLimits = SandboxLimits {
        memory_bytes: 10,
        processes: 10,
        disk_bytes: 10,
        inodes: 10,
        open_files: 10,
        milli_cpus: 10,
    };

    #[test]
    fn nobody_gets_more_than_the_operator_allows() {
        let host = Host {
            distinct_ids: false,
            fresh_proc: false,
            cgroups: false,
            way_out: false,
            ceiling: CEILING,
        };
        let mut sandboxes = Sandboxes::new(host, None, Vec::new());
        assert!(sandboxes.check(CEILING).is_ok());
        for beyond in [
            SandboxLimits { memory_bytes: u64::MAX, ..CEILING },
            SandboxLimits { processes: 11, ..CEILING },
            SandboxLimits { disk_bytes: 11, ..CEILING },
            SandboxLimits { inodes: u64::MAX, ..CEILING },
            SandboxLimits { open_files: 11, ..CEILING },
            SandboxLimits { milli_cpus: 11, ..CEILING },
        ] {
            assert!(sandboxes.create(beyond).is_err(), "{beyond:?}");
            assert!(sandboxes.set_limits(1, beyond).is_err(), "{beyond:?}");
        }
    }
}
