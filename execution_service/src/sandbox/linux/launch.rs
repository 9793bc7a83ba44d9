//! Forks the spawner and has it prove, on one real sandbox, that every wall can be built here.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::setsid;

use super::boot::{BootError, Namespaced};
use super::cgroup::Tree;
use super::protocol::{Failure, FromSpawner};
use super::recipe::Host;
use super::spawner::Spawner;
use super::{channel, seccomp, syscall, template};
use crate::sandbox::isolation::{Isolation, Wall, WallState};
use crate::sandbox::spec::{Command, SandboxLimits};

/// A spawner that works.
pub struct Launched {
    /// Requests go here.
    pub socket: OwnedFd,
    /// The walls it can build.
    pub isolation: Isolation,
    /// Where each sandbox has its cgroup.
    pub cgroups: Option<Tree>,
}

/// What the spawner is told before anybody from outside can speak to the worker, and does not take from the
/// worker afterwards.
pub struct Told {
    /// Directories that interpreters need beside the system's own.
    pub roots: Vec<PathBuf>,
    /// Those of the sandbox it tries itself on.
    pub limits: SandboxLimits,
    /// The most that any sandbox will get.
    pub ceiling: SandboxLimits,
    /// The zygotes that may be asked for.
    pub zygotes: Vec<Command>,
}

/// Starts the spawner.
///
/// # Errors
/// The wall that cannot be built here, and what to do about it.
pub fn launch(namespaced: &Namespaced, told: Told) -> Result<Launched, BootError> {
    let internal = |stage: &str| {
        let (stage, remedy) = (String::from(stage), INTERNAL);
        move |source| BootError { stage, source, remedy }
    };
    let (socket, theirs) = channel::pair(false).map_err(internal("socketpair"))?;
    if syscall::fork().map_err(internal("forking the spawner"))?.is_none() {
        let code = i32::from(run(namespaced, told, theirs).is_err());
        syscall::exit_now(code);
    }
    drop(theirs);
    match channel::receive(socket.as_fd()).map_err(internal("hearing from the spawner"))? {
        Some((FromSpawner::Ready { isolation }, _)) => {
            Ok(Launched { socket, isolation, cgroups: namespaced.cgroups.as_ref().ok().cloned() })
        }
        Some((FromSpawner::Unable(failure), _)) => {
            let source = failure.error();
            let remedy = remedy(&failure.stage);
            Err(BootError { stage: failure.stage, source, remedy })
        }
        Some(_) | None => {
            let source = io::Error::from(io::ErrorKind::UnexpectedEof);
            Err(internal("starting the spawner")(source))
        }
    }
}

const INTERNAL: &str = "this is a fault of ours, or a host out of memory or descriptors";

/// What an operator can do about a step that failed.
fn remedy(stage: &str) -> &'static str {
    match stage {
        "mount proc" => {
            "unmask /proc: in Docker `security_opt: [systempaths=unconfined]`, in Kubernetes \
             `procMount: Unmasked`"
        }
        "seccomp" | "no_new_privs" => "use a kernel with CONFIG_SECCOMP_FILTER",
        "clone" => {
            "allow nested user namespaces: raise `sysctl user.max_user_namespaces`, and in a \
             container use a seccomp profile that allows clone, clone3, unshare and mount"
        }
        "pivot_root" | "bind the template" | "private mounts" | "build the template" => {
            "allow mounts inside user namespaces: check AppArmor, SELinux, and in a container its \
             seccomp profile; Linux 5.12 or newer is needed (mount_setattr)"
        }
        _ => INTERNAL,
    }
}

/// The spawner's whole life.
fn run(namespaced: &Namespaced, told: Told, socket: OwnedFd) -> io::Result<()> {
    // Nothing of the worker's may live on here: its listening socket, its secrets, its terminal.
    let socket = syscall::keep_only(socket)?;
    syscall::wipe_arguments_and_environment()?;
    setsid()?;
    let announce = socket.try_clone()?;
    let say = |message: FromSpawner| channel::send(announce.as_fd(), &message, &[]);
    match prove(namespaced, told, socket) {
        Ok((spawner, isolation)) => {
            say(FromSpawner::Ready { isolation })?;
            drop(announce);
            spawner.serve()
        }
        Err(failure) => say(FromSpawner::Unable(failure)),
    }
}

fn prove(
    namespaced: &Namespaced,
    Told { roots, limits, ceiling, zygotes }: Told,
    socket: OwnedFd,
) -> Result<(Spawner, Isolation), Failure> {
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
        ceiling,
    };
    let filter = seccomp::filter(seccomp::Policy { memory_cgroup: host.cgroups });
    let mut spawner = Spawner::new(socket, host, tree, filter, zygotes).map_err(at("epoll"))?;
    if let Err(failure) = spawner.probe(limits) {
        if failure.stage != "mount proc" {
            return Err(failure);
        }
        host.fresh_proc = false;
        spawner.set_host(host);
        spawner.probe(limits)?;
    }
    Ok((spawner, walls(namespaced, host)))
}

fn walls(namespaced: &Namespaced, host: Host) -> Isolation {
    let wall = |name: &str, state, detail: &str| Wall {
        name: String::from(name),
        state,
        detail: String::from(detail),
    };
    let enforced = |name, detail| wall(name, WallState::Enforced, detail);
    let mut walls = vec![
        enforced("user_namespace", "nested, one id mapped"),
        enforced("mount_namespace", "own root, read-only, old root detached"),
        enforced("pid_namespace", "own, init is process 1"),
        enforced("network_namespace", "own, loopback only"),
        enforced("ipc_namespace", "own"),
        enforced("uts_namespace", "own"),
        enforced("capabilities", "none, bounding set empty"),
        enforced("no_new_privs", "set"),
        enforced("seccomp", "allow-list, other architectures killed"),
    ];
    walls.push(if host.distinct_ids {
        enforced("own_uid", "each sandbox has its own")
    } else {
        let detail = "all sandboxes share the uid of the worker's user; start as root for one each";
        wall("own_uid", WallState::Missing, detail)
    });
    walls.push(if host.fresh_proc {
        enforced("proc", "own, shows the sandbox only")
    } else {
        wall("proc", WallState::Missing, remedy("mount proc"))
    });
    match &namespaced.cgroups {
        Ok(tree) => {
            let detail = format!("cgroup {}", tree.version());
            walls.push(enforced("cgroup_memory", &detail));
            walls.push(enforced("cgroup_pids", &detail));
            walls.push(if tree.controls_cpu() {
                enforced("cgroup_cpu", &detail)
            } else {
                wall("cgroup_cpu", WallState::BestEffort, "no cpu controller: time is watched")
            });
        }
        Err(why) => {
            let detail = format!(
                "no cgroups ({why}): resource limits and watching stand in; start as root, or \
                 under `systemd-run --user --scope -p Delegate=yes`"
            );
            for name in ["cgroup_memory", "cgroup_pids", "cgroup_cpu"] {
                walls.push(wall(name, WallState::BestEffort, &detail));
            }
        }
    }
    Isolation { walls }
}
