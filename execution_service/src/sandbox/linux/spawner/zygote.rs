//! One zygote, and what it says.

use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Signal, pidfd_send_signal};

use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::linux::host::processes;
use crate::sandbox::linux::syscall::{self, ChildProcess};
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::failure::Failure;
use crate::sandbox::linux::wire::spawner::{FromSpawner, SpawnerReply, ZygoteId};
use crate::sandbox::linux::wire::zygote::FromZygote;

/// A process that waits to be forked into sandboxes.
pub(super) struct Zygote {
    pub(super) process: ChildProcess,
    pub(super) socket: OwnedFd,
    /// The request that waits for it to be ready.
    pub(super) starting: Option<Sequence>,
    pub(super) started: Instant,
    /// Requests to fork that it has not answered.
    pub(super) asked: HashMap<Sequence, Asked>,
    /// Its children, which it waits for.
    pub(super) children: HashSet<i32>,
}

/// The halves of an answer that have come.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) pid: Option<i32>,
    pub(super) inside: Option<i32>,
}

/// What the worker is to be told.
pub type Reports = Vec<FromSpawner>;

impl Zygote {
    /// Kills it.
    pub(super) fn kill(&self) {
        // An error means that it is dead already.
        let _ = pidfd_send_signal(self.process.pidfd.as_fd(), Signal::KILL);
    }

    /// Takes one message of it, which has the name `id`.
    pub(super) fn take(&mut self, id: ZygoteId, message: FromZygote) -> Reports {
        let reply = |sequence, reply| vec![FromSpawner::Reply { sequence, reply }];
        match message {
            FromZygote::Ready { report } => match self.starting.take() {
                // A child would find for ever locked what another thread held at the fork.
                Some(sequence) if processes::threads(self.process.pid) != Some(1) => {
                    self.kill();
                    let stage = format!("the zygote started threads; it had {report}");
                    reply(sequence, SpawnerReply::Failed(Failure { stage, errno: libc::EBUSY }))
                }
                Some(sequence) => reply(sequence, SpawnerReply::ZygoteReady { zygote: id, report }),
                None => Vec::new(),
            },
            FromZygote::Failed { why: stage } => {
                let failure = Failure { stage, errno: libc::ECANCELED };
                let waiting = self.starting.take();
                waiting.map_or(Vec::new(), |waiting| reply(waiting, SpawnerReply::Failed(failure)))
            }
            FromZygote::Forked { sequence, pid } => {
                let pid = i32::try_from(pid).unwrap_or_default();
                if let Some(asked) = self.asked.get_mut(&sequence) {
                    asked.pid = Some(pid);
                    self.children.insert(pid);
                }
                self.answer(sequence)
            }
            FromZygote::Joined { sequence, inside } => {
                if let Some(asked) = self.asked.get_mut(&sequence) {
                    asked.inside = i32::try_from(inside).ok();
                }
                self.answer(sequence)
            }
            FromZygote::Refused { sequence, errno } => {
                let errno = i32::try_from(errno).unwrap_or(libc::EIO);
                self.fail(sequence, errno)
            }
            FromZygote::Ended { pid, status, cpu_micros, peak_kib } => {
                let pid = i32::try_from(pid).unwrap_or_default();
                // Another zygote's child is not its to bury.
                if !self.children.remove(&pid) {
                    return Vec::new();
                }
                let end = ProcessEnd {
                    exit: syscall::exit_of(status.cast_signed()),
                    cpu: Duration::from_micros(cpu_micros),
                    peak_memory_bytes: peak_kib.saturating_mul(1024),
                };
                // Killed before it was in its sandbox, as when that has ended meanwhile.
                let unborn = self.asked.iter().find(|(_, asked)| asked.pid == Some(pid));
                match unborn.map(|(sequence, _)| *sequence) {
                    Some(sequence) => self.fail(sequence, libc::ESRCH),
                    None => vec![FromSpawner::ProcessEnded { pid, end }],
                }
            }
        }
    }

    /// The answer to a request to fork, when both halves are there.
    fn answer(&mut self, sequence: Sequence) -> Reports {
        let Some(Asked { pid: Some(pid), inside: Some(inside) }) = self.asked.get(&sequence) else {
            return Vec::new();
        };
        let reply = SpawnerReply::Forked { pid: *pid, inside: *inside };
        self.asked.remove(&sequence);
        vec![FromSpawner::Reply { sequence, reply }]
    }

    fn fail(&mut self, sequence: Sequence, errno: i32) -> Reports {
        if self.asked.remove(&sequence).is_none() {
            return Vec::new();
        }
        let failure = Failure { stage: String::from("fork of the zygote"), errno };
        vec![FromSpawner::Reply { sequence, reply: SpawnerReply::Failed(failure) }]
    }
}
