//! How the worker comes by a cgroup subtree of its own at boot.
//!
//! Two processes take part. The *inner* one is root of a fresh user, mount and cgroup namespace: it
//! may mount the cgroup file systems, read-write, even in a container whose own mount of them is
//! read-only. The *outer* one has the real uid that owns the directories: it makes one in each
//! hierarchy and gives it away. The outer one holds a lock on each for as long as it lives, so that a
//! later worker can tell a directory in use from one whose owner was killed.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MsFlags, mount};
use serde::{Deserialize, Serialize};

use super::leftovers::{Leftover, PREFIX, Sweep, remove_tree, unused};
use super::{Tree, v1, v2};
use crate::sandbox::linux::host::machine;
use crate::sandbox::spec::Footprint;

/// Where the inner process mounts the hierarchies, in its own mount namespace.
pub const MOUNT_POINT: &str = "/sys/fs/cgroup";
/// How long another worker's start may hold the lock that ours waits for. It does so while it sweeps.
const TURN: Duration = Duration::from_secs(10);

/// One hierarchy that the inner process has mounted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hierarchy {
    /// Directory below [`MOUNT_POINT`]; for v1 also the mount option, as "cpu,cpuacct".
    name: String,
    /// Whether it is the v2 one with controllers in it.
    unified: bool,
}

/// Mounts what there is of cgroups (inner process). None is no error: there may be no cgroups.
pub fn mount_hierarchies() -> io::Result<Vec<Hierarchy>> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let none = None::<&str>;
    mount(Some("cgroup"), MOUNT_POINT, Some("tmpfs"), flags, Some("mode=755,size=64k"))?;
    let mut mounted = Vec::new();
    for line in fs::read_to_string("/proc/self/cgroup")?.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers)) = (fields.next(), fields.next()) else {
            continue;
        };
        let wanted = |name: &str| matches!(name, "memory" | "pids" | "cpu" | "cpuacct");
        let unified = controllers.is_empty();
        if !unified && !controllers.split(',').any(wanted) {
            continue;
        }
        let name = if unified { "unified" } else { controllers };
        let target = Path::new(MOUNT_POINT).join(name);
        fs::create_dir(&target)?;
        let result = if unified {
            mount(Some("cgroup2"), &target, Some("cgroup2"), flags, none)
        } else {
            mount(Some("cgroup"), &target, Some("cgroup"), flags, Some(controllers))
        };
        match result {
            Ok(()) => mounted.push(Hierarchy { name: String::from(name), unified }),
            Err(_) => fs::remove_dir(&target)?,
        }
    }
    let v2_has_memory =
        fs::read_to_string(Path::new(MOUNT_POINT).join("unified/cgroup.controllers"))
            .is_ok_and(|names| names.split_ascii_whitespace().any(|name| name == "memory"));
    mounted.retain(|hierarchy| hierarchy.unified == v2_has_memory);
    Ok(mounted)
}

/// The outer process's hold on the delegated directories.
pub struct Delegation {
    held: Vec<Held>,
    sweep: Sweep,
}

/// One directory of ours. It is reached through a descriptor of its parent, because the mount that it
/// was made in goes away with the inner process.
struct Held {
    parent: File,
    name: String,
    /// Says to later workers that this directory is in use.
    _lock: Flock<File>,
}

impl Held {
    /// Makes it, after removing what killed workers have left beside it, if they share `parent`.
    fn make(parent: File, shared: bool, hierarchy: &str, sweep: &mut Sweep) -> io::Result<Self> {
        // One worker at a time: until ours is locked, another would take it for a leftover. (A parent
        // that is ours alone is locked already, by us.)
        let turn = if shared { Some(turn(&parent, hierarchy)?) } else { None };
        sweep.sweep(&below(&parent, ""), hierarchy);
        let name = directory_name();
        let path = below(&parent, &name);
        fs::create_dir(&path)?;
        let in_use = lock(File::open(&path)?, FlockArg::LockExclusiveNonblock)?;
        drop(turn);
        Ok(Self { parent, name, _lock: in_use })
    }

    fn path(&self) -> PathBuf {
        below(&self.parent, &self.name)
    }
}

impl Delegation {
    /// With v2 on a host where we may write: gives the inner process a cgroup of its own beside all
    /// others, before it makes its cgroup namespace. Elsewhere (v1, a container's read-only mount, an
    /// ordinary user) this changes nothing, and [`Delegation::complete`] works below the cgroup that
    /// we are in.
    pub fn prepare(inner: libc::pid_t) -> Self {
        let mut sweep = Sweep::default();
        let mut home = || -> io::Result<Held> {
            let host = Path::new(MOUNT_POINT);
            if !host.join("cgroup.controllers").exists() {
                return Err(io::Error::from(io::ErrorKind::NotFound));
            }
            leave_leftover(host)?;
            v2::enable_controllers(host)?;
            let home = Held::make(File::open(host)?, true, "unified", &mut sweep)?;
            super::write(&home.path().join("cgroup.procs"), inner)?;
            Ok(home)
        };
        let held = home().into_iter().collect();
        Self { held, sweep }
    }

    /// Makes and gives away a directory in each hierarchy that `inner` has mounted; `owner` is the
    /// host's number for the inner process's root. `None` when a controller that we need is missing.
    pub fn complete(
        &mut self,
        inner: libc::pid_t,
        hierarchies: &[Hierarchy],
        owner: u32,
    ) -> io::Result<Option<Tree>> {
        let alone = !self.held.is_empty();
        let (mut cpu, mut swap) = (false, v1::Swap::default());
        for hierarchy in hierarchies {
            let mounted = Path::new(MOUNT_POINT).join(&hierarchy.name);
            let root = File::open(format!("/proc/{inner}/root{}", mounted.display()))?;
            let held = Held::make(root, !alone, &hierarchy.name, &mut self.sweep)?;
            let directory = held.path();
            if hierarchy.unified {
                cpu = v2::occupy(&below(&held.parent, ""), &directory, inner, alone)?;
                give_away(&directory.join(v2::SERVICE), owner)?;
            }
            limit_all(&directory);
            if hierarchy.name.split(',').any(|name| name == "memory") {
                swap = v1::Swap::below(&directory);
            }
            give_away(&directory, owner)?;
            self.held.push(held);
        }
        Ok(tree(hierarchies, &directory_name(), cpu, swap))
    }

    /// What killed workers had left in the hierarchies.
    pub fn swept(&mut self) -> Vec<Leftover> {
        std::mem::take(&mut self.sweep).finish()
    }

    /// Removes everything that was delegated. The processes in it must be gone.
    pub fn remove(self) {
        // The home was made first and holds the others.
        for held in self.held.iter().rev() {
            v2::vacate(&below(&held.parent, ""), &held.path());
            // What has still a process in it is for the next start.
            let _ = remove_tree(&held.path());
        }
    }
}

fn lock(directory: File, how: FlockArg) -> io::Result<Flock<File>> {
    Flock::lock(directory, how).map_err(|(_, error)| io::Error::from(error))
}

/// The lock on the directory in which ours is made.
fn turn(parent: &File, hierarchy: &str) -> io::Result<Flock<File>> {
    let deadline = Instant::now() + TURN;
    loop {
        match lock(parent.try_clone()?, FlockArg::LockExclusiveNonblock) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) if Instant::now() > deadline => {
                let why = format!("another process has held the lock on {hierarchy} for {TURN:?}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
            Ok(turn) => return Ok(turn),
        }
    }
}

fn below(directory: &File, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()))
}

/// `cpu`: whether the v2 tree has that controller; `swap`: what holds in a v1 tree. Their files are out of
/// the outer process's sight.
fn tree(hierarchies: &[Hierarchy], name: &str, cpu: bool, swap: v1::Swap) -> Option<Tree> {
    let inside = |hierarchy: &Hierarchy| Path::new(MOUNT_POINT).join(&hierarchy.name).join(name);
    if let Some(unified) = hierarchies.iter().find(|hierarchy| hierarchy.unified) {
        return Some(Tree::V2(v2::Tree::new(inside(unified), cpu)));
    }
    let directory_of = |controller: &str| {
        hierarchies
            .iter()
            .find(|hierarchy| hierarchy.name.split(',').any(|name| name == controller))
            .map(inside)
    };
    v1::Tree::new(directory_of, swap).map(Tree::V1)
}

fn directory_name() -> String {
    format!("{PREFIX}{}", std::process::id())
}

/// Limits the sum of all sandboxes, whose own limits may add up to more than the machine has. What runs into that
/// is a sandbox, as all user code is the first victim of any lack of memory. In v1 each sandbox inherits from here
/// not to swap.
fn limit_all(directory: &Path) {
    let Footprint { memory_bytes, processes } = machine::for_sandboxes();
    let limits = [
        ("memory.max", memory_bytes),
        ("memory.limit_in_bytes", memory_bytes),
        ("pids.max", processes),
        ("memory.swappiness", 0),
    ];
    for (file, limit) in limits {
        let path = directory.join(file);
        // Each hierarchy has some of them.
        if limit < u64::MAX && path.exists() {
            let _ = super::write(&path, limit);
        }
    }
}

/// The files that a delegatee must own, by cgroups(7); those that a hierarchy lacks are skipped.
fn give_away(directory: &Path, owner: u32) -> io::Result<()> {
    chown(directory, Some(owner), Some(owner))?;
    for file in ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "tasks"] {
        match chown(directory.join(file), Some(owner), Some(owner)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// A v2 worker that was killed may have left us among its bystanders; then we go back to where we
/// were before, or the next one would nest in there.
fn leave_leftover(host: &Path) -> io::Result<()> {
    let memberships = fs::read_to_string("/proc/self/cgroup")?;
    let own = memberships.lines().find_map(|line| line.strip_prefix("0::/"));
    let leftover = own.and_then(|path| Path::new(path).parent());
    let Some((name, root)) = leftover.and_then(|path| Some((path.file_name()?, path.parent()?)))
    else {
        return Ok(());
    };
    let root = host.join(root);
    let directory = root.join(name);
    if name.to_string_lossy().starts_with(PREFIX) && unused(&directory).is_some() {
        v2::vacate(&root, &directory);
        // We are out of it; what is not is for the sweep.
        let _ = remove_tree(&directory);
    }
    Ok(())
}
