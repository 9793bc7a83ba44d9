//! The first steps of a new sandbox, on both sides of the clone.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::unistd::{Gid, Uid};

use crate::sandbox::linux::confine::process_limits::ProcessLimits;
use crate::sandbox::linux::confine::{self, Host, SANDBOX_ID};
use crate::sandbox::linux::init;
use crate::sandbox::linux::syscall;
use crate::sandbox::linux::wire::channel;
use crate::sandbox::linux::wire::failure::Failure;
use crate::sandbox::linux::wire::init::{FirstWord, SetUp};
use crate::sandbox::linux::wire::init_link::InitEnds;
use crate::sandbox::spec::SandboxLimits;

/// Lets a new init go on: its ids are mapped.
pub(super) fn release(
    pid: libc::pid_t,
    limits: SandboxLimits,
    set_up: &OwnedFd,
    host: Host,
    user: Uid,
) -> io::Result<()> {
    let file = |name: &str| format!("/proc/{pid}/{name}");
    // Where it has a number of its own, its group has the same.
    let gid = if host.distinct_ids {
        user.as_raw()
    } else {
        std::fs::write(file("setgroups"), "deny")?;
        Gid::current().as_raw()
    };
    std::fs::write(file("uid_map"), format!("{SANDBOX_ID} {user} 1\n"))?;
    std::fs::write(file("gid_map"), format!("{SANDBOX_ID} {gid} 1\n"))?;
    channel::send(set_up.as_fd(), &SetUp { limits }, &[])
}

/// The new process's way: wait for the ids, close itself in, serve, end.
pub(super) fn become_init(
    host: Host,
    filter: &[libc::sock_filter],
    doors: &[OwnedFd],
    side: InitEnds,
    set_up: OwnedFd,
) -> ! {
    let outcome = (|| -> Result<(SandboxLimits, Option<OwnedFd>), Failure> {
        let lost = || Failure { stage: String::from("the spawner went away"), errno: libc::EIO };
        let (SetUp { limits }, _) = channel::receive(set_up.as_fd())
            .map_err(|error| Failure::at("hearing from the spawner", &error))?
            .ok_or_else(lost)?;
        for door in doors {
            let entered = nix::unistd::write(door, b"0").map_err(io::Error::from);
            entered.map_err(|error| Failure::at("join the cgroup", &error))?;
        }
        let diag = init::sock_diag::open().ok();
        confine::confine(host, limits, filter)?;
        Ok((limits, diag))
    })();
    match outcome {
        Ok((limits, diag)) => {
            // Everything of the spawner's goes: its socket, the pidfds of other sandboxes.
            let _ = serve(host, limits, side, diag);
        }
        Err(failure) => {
            let _ = channel::send(side.socket.as_fd(), &FirstWord::SetUpFailed(failure), &[]);
        }
    }
    syscall::exit_now(0)
}

/// Serves with nothing but its side of the link, and the kernel's for questions about sockets if there is one.
fn serve(
    host: Host,
    limits: SandboxLimits,
    side: InitEnds,
    diag: Option<OwnedFd>,
) -> io::Result<()> {
    let InitEnds { socket, replies } = side;
    let (socket, replies, diag) = if let Some(diag) = diag {
        let [socket, replies, diag] = syscall::keep_only([socket, replies, diag])?;
        (socket, replies, Some(diag))
    } else {
        let [socket, replies] = syscall::keep_only([socket, replies])?;
        (socket, replies, None)
    };
    let sockets = init::Sockets::new(diag, host.way_out)?;
    let (side, process_limits) = (InitEnds { socket, replies }, ProcessLimits::of(host, limits));
    init::serve(side, host.way_out, limits.memory_bytes, process_limits, sockets)
}
