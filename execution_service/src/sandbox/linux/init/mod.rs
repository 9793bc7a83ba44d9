//! Process 1 of a sandbox: reaps, starts processes on request and writes files, all with the rights
//! of user code and no more. It shares the sandbox with that code, so nothing it says is believed by
//! the worker beyond what it can only harm itself with.
//!
//! It dies with its socket: no socket, no worker, no reason to be here.

mod files;
mod kill_tree;
mod processes;
pub mod sock_diag;
mod sockets;
mod start;
mod usage;

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use crate::sandbox::linux::confine::process_limits::ProcessLimits;
use crate::sandbox::linux::host::reaped::Reaped;
use crate::sandbox::linux::host::{locks, open_files};
use crate::sandbox::linux::syscall;
use crate::sandbox::linux::wire::channel;
use crate::sandbox::linux::wire::failure::Failure;
use crate::sandbox::linux::wire::init::{FirstWord, FromInit, InitReply, InitRequest, ToInit};
use crate::sandbox::linux::wire::init_link::{self, InitEnds};
use files::Files;
use files::requests;
use files::transfers::Transfers;
use kill_tree::kill_tree;
use sockets::Buffered;
pub use sockets::Sockets;

/// The state of a running init.
struct Init {
    socket: OwnedFd,
    replies: File,
    files: Files,
    transfers: Transfers,
    /// Processes that the worker asked for and has not been told the end of.
    started: HashSet<i32>,
    /// Time of all that was reaped, and the most memory that one of it had: the account on hosts without
    /// cgroups.
    reaped: Reaped,
    /// What the sandbox may hold.
    memory_bytes: u64,
    /// What is laid on each of its processes.
    process_limits: ProcessLimits,
    /// Tells what sockets hold.
    sockets: Sockets,
}

/// Serves the worker until its socket closes. The sandbox is confined already.
pub fn serve(
    side: InitEnds,
    way_out: bool,
    memory_bytes: u64,
    process_limits: ProcessLimits,
    sockets: Sockets,
) -> io::Result<()> {
    let InitEnds { socket, replies } = side;
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block()?;
    let children = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    let files = Files::open()?;
    let paths = Files::paths()?;
    // Of this network namespace, whoever binds it: the worker does, if the sandbox is to have a way out.
    let socket_out = if way_out { Some(sockets::unbound()?) } else { None };
    let carried = paths.iter().chain(&socket_out).map(AsFd::as_fd).collect::<Vec<_>>();
    if let Err(error) = channel::send(socket.as_fd(), &FirstWord::Ready, &carried) {
        let failure = Failure::at("hand over the workspace", &error);
        return channel::send(socket.as_fd(), &FirstWord::SetUpFailed(failure), &[]);
    }
    drop((paths, socket_out));
    let mut init = Init {
        socket,
        replies: File::from(replies),
        files,
        transfers: Transfers::default(),
        started: HashSet::new(),
        reaped: Reaped::default(),
        memory_bytes,
        process_limits,
        sockets,
    };
    loop {
        let (request, child) = {
            let mut wanted = vec![
                PollFd::new(init.socket.as_fd(), PollFlags::POLLIN),
                PollFd::new(children.as_fd(), PollFlags::POLLIN),
            ];
            wanted.extend(init.transfers.wanted());
            let working = init.transfers.have_work();
            let patience = if working { PollTimeout::ZERO } else { PollTimeout::NONE };
            match poll(&mut wanted, patience) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(io::Error::from(error)),
            }
            (wanted[0].any().unwrap_or(false), wanted[1].any().unwrap_or(false))
        };
        if child {
            while children.read_signal()?.is_some() {}
            init.reap()?;
        }
        if request && !init.answer()? {
            return Ok(());
        }
        init.transfer()?;
    }
}

impl Init {
    /// Tells the worker about each of its processes that ended; other orphans just go.
    fn reap(&mut self) -> io::Result<()> {
        while let Some(reaped) = syscall::reap(-1)? {
            self.reaped.add(reaped.end);
            if self.started.remove(&reaped.pid) {
                let ended = FromInit::Ended { pid: reaped.pid, end: reaped.end };
                init_link::send_reply(&self.replies, &ended)?;
            }
        }
        Ok(())
    }

    /// Moves a piece of each file that is on its way.
    fn transfer(&mut self) -> io::Result<()> {
        for (sequence, reply) in self.transfers.go_on(self.files.workspace()) {
            let reply = InitReply::Files(reply);
            init_link::send_reply(&self.replies, &FromInit::Reply { sequence, reply })?;
        }
        Ok(())
    }

    /// Handles one request; `false` when there will be no more.
    fn answer(&mut self) -> io::Result<bool> {
        let Some((ToInit { sequence, request }, mut fds)) = channel::receive(self.socket.as_fd())?
        else {
            return Ok(false);
        };
        // Whatever comes next may bring user code, which has our uid: from now on it can neither read our
        // memory nor trace us, and no zygote can join any more.
        prctl::set_dumpable(false)?;
        let result = match request {
            InitRequest::Start { command } => {
                start::start(&command, fds, self.process_limits).map(|pid| self.note(pid))
            }
            InitRequest::StartLong => start::long_command(&mut fds)
                .and_then(|command| start::start(&command, fds, self.process_limits))
                .map(|pid| self.note(pid)),
            InitRequest::Probe { probe, targets } => {
                start::start_probe((probe, &targets), fds, self.process_limits)
                    .map(|pid| self.note(pid))
            }
            InitRequest::Seal => Ok(InitReply::Done),
            InitRequest::Write { root, path, piece, chunk } => {
                self.files.write(root, &path, piece, &chunk).map(|()| InitReply::Done)
            }
            InitRequest::Read { root, path, offset } => self.files.read(root, &path, offset),
            InitRequest::Tree { directories } => {
                Ok(InitReply::Tree(files::tree::list(self.files.workspace(), &directories)))
            }
            InitRequest::Files(request) => {
                let (workspace, asked) = (self.files.workspace(), (sequence, fds));
                let reply = requests::answer(workspace, &mut self.transfers, asked, request);
                let Some(reply) = reply else {
                    return Ok(true);
                };
                Ok(InitReply::Files(reply))
            }
            InitRequest::Fifo { path } => self.files.fifo(&path).map(|()| InitReply::Done),
            InitRequest::Signal { pid, signal } => send_signal(pid, signal),
            InitRequest::SignalAll { signal } => signal_all(signal),
            InitRequest::KillAll => kill_all().map(|()| InitReply::Done),
            InitRequest::KillTree(tree) => {
                let exact = kill_tree(&tree);
                let rest = if exact { Ok(()) } else { kill_all() };
                rest.map(|()| InitReply::Killed { everything: !exact })
            }
            InitRequest::Usage => {
                let (workspace, sockets) = (self.files.workspace(), &mut self.sockets);
                let usage = usage::measure(workspace, self.reaped, self.memory_bytes, sockets);
                Ok(InitReply::Usage(usage))
            }
            InitRequest::OpenFiles => {
                Ok(InitReply::OpenFiles(open_files::held_by(&processes::others())))
            }
            InitRequest::Locks => Ok(InitReply::Locks(locks::in_sight())),
            InitRequest::Sockets => {
                let Buffered { bytes, of_tcp } = self.sockets.buffered();
                Ok(InitReply::Sockets { bytes, of_tcp })
            }
        };
        let reply = result
            .unwrap_or_else(|error| InitReply::Failed(Failure::at("request to init", &error)));
        init_link::send_reply(&self.replies, &FromInit::Reply { sequence, reply })?;
        Ok(true)
    }

    /// The reply that tells of a new process.
    fn note(&mut self, pid: i32) -> InitReply {
        self.started.insert(pid);
        InitReply::Started { pid }
    }
}

/// Of a process that leads a group, which holds what it runs in the foreground. The number may have
/// come to mean another process, but never one outside of this sandbox.
fn send_signal(pid: i32, signal: i32) -> io::Result<InitReply> {
    // 0, 1 and negative numbers mean groups, init itself and everybody.
    if pid > 1 {
        let (pid, signal) = (Pid::from_raw(pid), Signal::try_from(signal)?);
        match killpg(pid, signal).or_else(|_| kill(pid, signal)) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(io::Error::from(error)),
        }
    }
    Ok(InitReply::Done)
}

fn kill_all() -> io::Result<()> {
    signal_all(libc::SIGKILL).map(drop)
}

/// From process 1, "all" is everything in the sandbox but itself.
fn signal_all(signal: i32) -> io::Result<InitReply> {
    match kill(Pid::from_raw(-1), Signal::try_from(signal)?) {
        Ok(()) | Err(Errno::ESRCH) => Ok(InitReply::Done),
        Err(error) => Err(io::Error::from(error)),
    }
}
