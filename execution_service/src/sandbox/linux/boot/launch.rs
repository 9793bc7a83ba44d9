//! Forks the spawner and has it make a first sandbox, to learn whether this host can do it at all.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::setsid;

use super::Namespaced;
use crate::sandbox::linux::boot_error::BootError;
use crate::sandbox::linux::cgroup::Tree;
use crate::sandbox::linux::confine::Host;
use crate::sandbox::linux::confine::template;
use crate::sandbox::linux::self_test::{self, Host as Found};
use crate::sandbox::linux::spawner::Spawner;
use crate::sandbox::linux::syscall;
use crate::sandbox::linux::wire::channel;
use crate::sandbox::linux::wire::failure::Failure;
use crate::sandbox::linux::wire::spawner::FromSpawner;
use crate::sandbox::spec::{Command, SandboxLimits};

/// A spawner that works.
pub struct Launched {
    /// Requests go here.
    pub socket: OwnedFd,
    /// What this host allows.
    pub host: Found,
    /// Where each sandbox has its cgroup.
    pub cgroups: Option<Tree>,
    /// The directories of the interpreters.
    pub roots: Vec<PathBuf>,
}

/// What the spawner is told before anybody from outside can speak to the worker, and does not take from the
/// worker afterwards.
pub struct LaunchOptions {
    /// Directories that interpreters need beside the system's own.
    pub roots: Vec<PathBuf>,
    /// Those of the sandbox it tries itself on.
    pub limits: SandboxLimits,
    /// The most that any sandbox will get.
    pub ceiling: SandboxLimits,
    /// Whether a sandbox may be given a way out.
    pub way_out: bool,
    /// The zygotes that may be asked for.
    pub zygotes: Vec<Command>,
}

/// Starts the spawner.
///
/// # Errors
/// The wall that cannot be built here, and what to do about it.
pub fn launch(namespaced: &Namespaced, options: LaunchOptions) -> Result<Launched, BootError> {
    let internal = |stage: &'static str| move |source| self_test::failure(stage, source);
    let roots = options.roots.clone();
    let (socket, theirs) = channel::pair(false).map_err(internal("socketpair"))?;
    if syscall::fork().map_err(internal("forking the spawner"))?.is_none() {
        let code = i32::from(run(namespaced, options, theirs).is_err());
        syscall::exit_now(code);
    }
    drop(theirs);
    match channel::receive(socket.as_fd()).map_err(internal("hearing from the spawner"))? {
        Some((FromSpawner::Ready { fresh_proc }, _)) => {
            let Namespaced { distinct_ids, cgroups, stop: _, leftovers: _ } = namespaced;
            let host = Found {
                distinct_ids: *distinct_ids,
                fresh_proc,
                cgroups: cgroups.as_ref().map(Tree::controls_cpu).map_err(Clone::clone),
            };
            Ok(Launched { socket, host, cgroups: cgroups.as_ref().ok().cloned(), roots })
        }
        Some((FromSpawner::Unable(failure), _)) => {
            Err(self_test::failure(&failure.stage, failure.error()))
        }
        Some(_) | None => {
            let source = io::Error::from(io::ErrorKind::UnexpectedEof);
            Err(internal("starting the spawner")(source))
        }
    }
}

/// The spawner's whole life.
fn run(namespaced: &Namespaced, options: LaunchOptions, socket: OwnedFd) -> io::Result<()> {
    // Nothing of the worker's may live on here: its listening socket, its secrets, its terminal.
    let [socket] = syscall::keep_only([socket])?;
    syscall::wipe_arguments_and_environment()?;
    setsid()?;
    let announce = socket.try_clone()?;
    let say = |message: FromSpawner| channel::send(announce.as_fd(), &message, &[]);
    match prove(namespaced, options, socket) {
        Ok((spawner, fresh_proc)) => {
            say(FromSpawner::Ready { fresh_proc })?;
            drop(announce);
            spawner.serve()
        }
        Err(failure) => say(FromSpawner::Unable(failure)),
    }
}

fn prove(
    namespaced: &Namespaced,
    LaunchOptions { roots, limits, ceiling, way_out, zygotes }: LaunchOptions,
    socket: OwnedFd,
) -> Result<(Spawner, bool), Failure> {
    let at = |stage: &'static str| move |error: io::Error| Failure::at(stage, &error);
    // The template covers a directory that the worker may still need.
    unshare(CloneFlags::CLONE_NEWNS)
        .map_err(|errno| Failure::at("private mounts", &io::Error::from(errno)))?;
    template::build(&roots).map_err(at("build the template"))?;
    let tree = namespaced.cgroups.as_ref().ok().cloned();
    let mut host = Host {
        distinct_ids: namespaced.distinct_ids,
        fresh_proc: true,
        cgroups: tree.is_some(),
        way_out,
        ceiling,
    };
    let mut spawner = Spawner::new(socket, host, tree, zygotes).map_err(at("epoll"))?;
    if let Err(failure) = spawner.probe(limits) {
        if failure.stage != "mount proc" {
            return Err(failure);
        }
        host.fresh_proc = false;
        spawner.set_host(host);
        spawner.probe(limits)?;
    }
    Ok((spawner, host.fresh_proc))
}
