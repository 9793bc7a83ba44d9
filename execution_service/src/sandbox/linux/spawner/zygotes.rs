//! Zygotes, and the processes that they have forked into sandboxes.
//!
//! The spawner is the subreaper of both: when a zygote dies, its children become the spawner's, and
//! nothing that runs in a sandbox notices.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::sandboxes::WayIn;
use super::zygote::{Asked, Reports, Zygote};
use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::linux::confine::process_limits::ProcessLimits;
use crate::sandbox::linux::confine::program::Program;
use crate::sandbox::linux::confine::{self, Host, ZYGOTE_NAMESPACES};
use crate::sandbox::linux::host::processes;
use crate::sandbox::linux::syscall;
use crate::sandbox::linux::syscall::{Cloned, Reaped};
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::channel;
use crate::sandbox::linux::wire::failure::Failure;
use crate::sandbox::linux::wire::spawner::{FromSpawner, SpawnerReply, ZygoteId};
use crate::sandbox::linux::wire::zygote::{FromZygote, ToZygote};
use crate::sandbox::spec::{Command, Exit};

/// One that has not got ready by then is not waited for any more, and whoever wants another has it killed.
const HANGS: Duration = Duration::from_secs(60);

/// All zygotes of this spawner, by their numbers.
pub struct Zygotes {
    filter: Vec<u8>,
    live: HashMap<ZygoteId, Zygote>,
    last: ZygoteId,
}

/// Those of a new process that a request to fork carries: 1 to 4.
const DESCRIPTORS: usize = 4;

impl Zygotes {
    /// None yet. Their children will have `filter`.
    pub fn new(filter: &[libc::sock_filter]) -> Self {
        // The layout of `struct sock_filter`.
        let bytes = |line: &libc::sock_filter| {
            let [a, b] = line.code.to_ne_bytes();
            let [w, x, y, z] = line.k.to_ne_bytes();
            [a, b, line.jt, line.jf, w, x, y, z]
        };
        let filter = filter.iter().flat_map(bytes).collect();
        Self { filter, live: HashMap::new(), last: 0 }
    }

    /// Starts one. The descriptor is to be watched for what it says.
    pub fn start(
        &mut self,
        host: Host,
        command: &Command,
        sequence: Sequence,
    ) -> Result<(ZygoteId, BorrowedFd<'_>), Failure> {
        let at = |stage: &'static str| move |error: io::Error| Failure::at(stage, &error);
        let hangs =
            |zygote: &&Zygote| zygote.starting.is_some() && zygote.started.elapsed() > HANGS;
        self.live.values().filter(hangs).for_each(Zygote::kill);
        let program = Program::of(command).map_err(at("zygote command"))?;
        // A zygote that hangs must not make the spawner wait.
        let (socket, theirs) = channel::pair(true).map_err(at("socketpair"))?;
        // Its children have their end, too, until they are closed in.
        channel::refuse_descriptors(socket.as_fd());
        let filter = ToZygote::Filter(self.filter.clone());
        channel::send(socket.as_fd(), &filter, &[]).map_err(at("zygote filter"))?;
        let process = match syscall::clone_process(ZYGOTE_NAMESPACES).map_err(at("clone"))? {
            Cloned::Child => become_zygote(host, &program, theirs),
            Cloned::Parent(process) => process,
        };
        self.last += 1;
        let zygote = Zygote {
            process,
            socket,
            starting: Some(sequence),
            started: Instant::now(),
            asked: HashMap::new(),
            children: HashSet::new(),
        };
        let zygote = self.live.entry(self.last).insert_entry(zygote).into_mut();
        Ok((self.last, zygote.socket.as_fd()))
    }

    /// Asks for a fork into a sandbox, with the descriptors 1 to 4 of the new process.
    pub fn fork(
        &mut self,
        zygote: ZygoteId,
        way_in: &WayIn<'_>,
        fds: &[OwnedFd],
        sequence: Sequence,
    ) -> io::Result<()> {
        // The zygote tells them by their places from the ways into the cgroups that follow.
        if fds.len() != DESCRIPTORS {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let zygote = self.live.get_mut(&zygote).ok_or(io::ErrorKind::NotFound)?;
        let mut carried = vec![way_in.pidfd];
        carried.extend(fds.iter().chain(&way_in.doors).map(AsFd::as_fd));
        let ProcessLimits { open_files, niceness } = way_in.process_limits;
        let fork = ToZygote::Fork { sequence, open_files, niceness };
        channel::send(zygote.socket.as_fd(), &fork, &carried)?;
        zygote.asked.insert(sequence, Asked::default());
        Ok(())
    }

    /// Kills one.
    pub fn kill(&self, zygote: ZygoteId) {
        if let Some(zygote) = self.live.get(&zygote) {
            zygote.kill();
        }
    }

    /// Kills all of them.
    pub fn kill_all(&self) {
        self.live.values().for_each(Zygote::kill);
    }

    /// Whether `pid` is one.
    pub fn is_zygote(&self, pid: i32) -> bool {
        self.live.values().any(|zygote| zygote.process.pid == pid)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Takes one message of `zygote`. One that says what it should not is killed.
    pub fn hear(&mut self, id: ZygoteId) -> Reports {
        let Some(zygote) = self.live.get_mut(&id) else {
            return Vec::new();
        };
        match channel::receive::<FromZygote>(zygote.socket.as_fd()) {
            Ok(Some((message, _))) => zygote.take(id, message),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Vec::new(),
            // Whoever has lost its socket is of no use; the rest follows when it has been waited for.
            Ok(None) | Err(_) => {
                zygote.kill();
                Vec::new()
            }
        }
    }

    /// A child of the spawner has been waited for: a zygote, or what a dead zygote has left.
    pub fn ended(&mut self, reaped: &Reaped) -> Reports {
        let gone = self.live.iter().find(|(_, zygote)| zygote.process.pid == reaped.pid);
        let Some((&id, _)) = gone else {
            return vec![FromSpawner::ProcessEnded { pid: reaped.pid, end: reaped.end }];
        };
        // What it had said before it ended counts.
        let mut told = Vec::new();
        loop {
            let heard = self.hear(id);
            if heard.is_empty() {
                break;
            }
            told.extend(heard);
        }
        let Some(zygote) = self.live.remove(&id) else {
            return told;
        };
        let lost = Failure { stage: String::from("the zygote ended"), errno: libc::EPIPE };
        for sequence in zygote.asked.into_keys().chain(zygote.starting) {
            let reply = SpawnerReply::Failed(lost.clone());
            told.push(FromSpawner::Reply { sequence, reply });
        }
        // Those that it had waited for without a word to us are nobody's children any more.
        for pid in zygote.children.into_iter().filter(|pid| !processes::exists(*pid)) {
            let exit = Exit::Signal(libc::SIGKILL);
            let end = ProcessEnd { exit, cpu: Duration::ZERO, peak_memory_bytes: 0 };
            told.push(FromSpawner::ProcessEnded { pid, end });
        }
        told.push(FromSpawner::ZygoteEnded { zygote: id });
        told
    }
}

/// The new process's way: close itself in, become the interpreter.
fn become_zygote(host: Host, program: &Program, socket: OwnedFd) -> ! {
    let prepared = (|| -> io::Result<Vec<OwnedFd>> {
        // Of /proc it gets only what is its own.
        let process = OwnedFd::from(File::open("/proc/self")?);
        confine::confine_zygote(host).map_err(|failure| failure.error())?;
        let null = syscall::null_device()?;
        Ok(vec![null.try_clone()?, null, socket, process])
    })();
    if let Ok(descriptors) = prepared {
        let _ = program.become_with(descriptors);
    }
    syscall::exit_now(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::linux::syscall::ChildProcess;

    fn zygote() -> Zygote {
        let (socket, other) = channel::pair(true).expect("a pair");
        // Not a process: nothing here signals it.
        let process = ChildProcess { pid: 0, pidfd: other };
        let asked = HashMap::from([(9, Asked::default())]);
        let started = Instant::now();
        Zygote { process, socket, starting: None, started, asked, children: HashSet::new() }
    }

    #[test]
    fn a_zygote_speaks_of_its_own_children_only() {
        let mut zygote = zygote();
        let ended = |pid| FromZygote::Ended { pid, status: 0, cpu_micros: 1, peak_kib: u64::MAX };
        assert!(zygote.take(1, ended(5)).is_empty(), "somebody else's");
        assert!(zygote.take(1, FromZygote::Forked { sequence: 8, pid: 5 }).is_empty());
        assert!(zygote.take(1, ended(5)).is_empty(), "nobody has asked for it");

        assert!(zygote.take(1, FromZygote::Forked { sequence: 9, pid: 6 }).is_empty());
        assert_eq!(zygote.take(1, FromZygote::Joined { sequence: 9, inside: 2 }).len(), 1);
        let told = zygote.take(1, ended(6));
        assert!(matches!(told[..], [FromSpawner::ProcessEnded { pid: 6, .. }]), "{told:?}");
    }

    #[test]
    fn a_fork_has_its_four_descriptors() {
        let (one, other) = channel::pair(true).expect("a pair");
        let process_limits = ProcessLimits { open_files: 32, niceness: 0 };
        let way_in = WayIn { pidfd: one.as_fd(), doors: Vec::new(), process_limits };
        let mut zygotes = Zygotes::new(&[]);
        let refused = zygotes.fork(1, &way_in, &[other], 1).expect_err("three are missing");
        assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));
    }
}
