//! From a fresh clone in six namespaces to a closed sandbox, step by step. Runs in the process that
//! becomes init; every step names itself when it fails.

pub mod process_limits;
pub mod program;
pub mod template;

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::Resource;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, chdir, pivot_root, setgroups, sethostname, setresgid, setresuid};

use crate::sandbox::linux::syscall;
use crate::sandbox::linux::wire::failure::Failure;
use crate::sandbox::spec::{REQUEST_DIR, SandboxLimits, WORKSPACE};
use template::{IDLE_STATISTICS, TEMPLATE, WRITABLE};

/// The uid and gid of user code inside of every sandbox.
pub const SANDBOX_ID: u32 = 1000;

/// The namespaces that every init is born in; the cgroup one follows when it is in its cgroup.
pub const NAMESPACES: libc::c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS;

/// Those of a zygote's own. Its user and pid namespaces are the spawner's.
pub const ZYGOTE_NAMESPACES: libc::c_int =
    libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;

/// The most that a TCP connection may hold in each direction where no cgroup counts it, instead of the host's
/// 4 to 32 MiB. A loopback without delay needs no more.
pub const TCP_BUFFER_BYTES: u64 = 256 << 10;

/// Where the workspace's file system is while its parts are bound to their places. Then another covers it:
/// to unmount it, the kernel would wait for all processors.
const STAGING: &str = REQUEST_DIR;

/// Files of `/proc` that say more of the host than programs need, or that a bug in their permissions
/// would make dangerous. Those that a kernel does not have are passed over. What stays of the whole host in sight,
/// and why, is in `docs/security.md`.
const MASKED: &[&str] = &[
    "proc/buddyinfo",
    "proc/cgroups",
    "proc/cmdline",
    "proc/config.gz",
    "proc/diskstats",
    "proc/interrupts",
    "proc/kallsyms",
    "proc/kcore",
    "proc/key-users",
    "proc/keys",
    "proc/sched_debug",
    "proc/schedstat",
    "proc/softirqs",
    "proc/sys/fs/dentry-state",
    "proc/sys/fs/file-nr",
    "proc/sys/fs/inode-nr",
    "proc/sys/fs/inode-state",
    "proc/sysrq-trigger",
    "proc/timer_list",
    "proc/vmstat",
    "proc/zoneinfo",
];

/// Tells to the tick how busy each processor is, and so when others run. Programs count processors by it.
const STATISTICS: &[&str] = &["proc/stat"];

/// Shows locks of others, by inode, and stops all locking on the host while it is read. Where there are no cgroups,
/// init has to count by it.
const LOCKS: &[&str] = &["proc/locks"];

/// The same of directories: the host's devices and file systems, and one in which anybody may have the kernel
/// watch the load of the whole host.
const MASKED_DIRECTORIES: &[&str] = &["proc/bus", "proc/fs", "proc/pressure"];

/// Of the network namespace, below `/proc/sys/net`; what a kernel does not have, or does not show to whoever is
/// not root of the host, is passed over. A connection whose processes are gone, and whose other end is silent, is
/// given up after one more try: it keeps the network namespace for as long, 100 s otherwise. And few connections
/// that nobody has accepted wait at a listener: what they hold is in nobody's memory limit.
const NETWORK: &[(&str, &str)] = &[("ipv4/tcp_orphan_retries", "1"), ("core/somaxconn", "128")];

/// What the host allows, as the spawner found out once.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Each sandbox has its own uid, and groups can be given up.
    pub distinct_ids: bool,
    /// A new `/proc` can be mounted.
    pub fresh_proc: bool,
    /// Memory and processes are limited by a cgroup; otherwise resource limits stand in.
    pub cgroups: bool,
    /// A sandbox may be given a way out: it comes with a socket for that.
    pub way_out: bool,
    /// The most that any sandbox may be given: where a cgroup does the limiting, the resource limits,
    /// which cannot be raised later, are set to this.
    pub ceiling: SandboxLimits,
}

/// Steps of a set-up, each with its name.
fn step<T>(stage: &str, result: Result<T, impl Into<io::Error>>) -> Result<T, Failure> {
    result.map_err(|error| Failure::at(stage, &error.into()))
}

/// Closes this process in. Afterwards it has no capability left and sees nothing of the host.
pub fn confine(
    host: Host,
    limits: SandboxLimits,
    filter: &[libc::sock_filter],
) -> Result<(), Failure> {
    step("unshare cgroup namespace", unshare(CloneFlags::CLONE_NEWCGROUP))?;
    become_sandbox_user(host)?;
    build_root(host, limits)?;
    forbid_namespaces(host)?;
    configure_network(host)?;
    limit_connections(host)?;
    step("loopback", syscall::loopback_up())?;
    step("host name", sethostname("sandbox"))?;
    resource_limits(host, limits)?;
    step("empty the bounding set", syscall::limit_bounding_set(&[]))?;
    step("drop capabilities", syscall::set_capabilities(0, 0))?;
    step("no_new_privs", prctl::set_no_new_privs())?;
    // Cleared by the change of uid. For as long as nobody else is in the sandbox, so that a zygote may
    // join it; init::serve ends that.
    step("dumpable", prctl::set_dumpable(true))?;
    step("seccomp", syscall::install_seccomp(filter))
}

/// Closes a zygote in: a root like that of a sandbox, and of all privilege what [setns(2)] into one
/// needs.
///
/// [setns(2)]: https://man7.org/linux/man-pages/man2/setns.2.html
pub fn confine_zygote(host: Host) -> Result<(), Failure> {
    /// By linux/capability.h.
    const CAP_SYS_ADMIN: libc::c_int = 21;
    // The largest of ours, and the one that is made again with the least harm. Its children begin with
    // this: a default and no wall, as a program may take it back to what the worker has.
    step("oom_score_adj", fs::write("/proc/self/oom_score_adj", "1000"))?;
    step("die with the spawner", prctl::set_pdeathsig(Signal::SIGKILL))?;
    // Its pid namespace is that of the spawner, of which it needs to see nothing.
    build_root(Host { fresh_proc: false, ..host }, host.ceiling)?;
    step("bounding set", syscall::limit_bounding_set(&[CAP_SYS_ADMIN]))?;
    step("no_new_privs", prctl::set_no_new_privs())
}

fn become_sandbox_user(host: Host) -> Result<(), Failure> {
    let (uid, gid) = (Uid::from_raw(SANDBOX_ID), Gid::from_raw(SANDBOX_ID));
    if host.distinct_ids {
        step("setgroups", setgroups(&[]))?;
    }
    step("setresgid", setresgid(gid, gid, gid))?;
    step("setresuid", setresuid(uid, uid, uid))?;
    // A change of uid clears it.
    step("die with the spawner", prctl::set_pdeathsig(Signal::SIGKILL))
}

/// Forbids further namespaces even where the seccomp filter would not.
fn forbid_namespaces(host: Host) -> Result<(), Failure> {
    if !host.fresh_proc {
        return Ok(());
    }
    for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] {
        let most = format!("/proc/sys/user/max_{kind}_namespaces");
        step("forbid namespaces", fs::write(most, "0"))?;
    }
    Ok(())
}

/// See [`NETWORK`].
fn configure_network(host: Host) -> Result<(), Failure> {
    if !host.fresh_proc {
        return Ok(());
    }
    for (name, value) in NETWORK {
        match fs::write(Path::new("/proc/sys/net").join(name), value) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return step("network settings", Err(error)),
        }
    }
    Ok(())
}

/// Gives the connections of this network namespace small buffers. Those of other sockets cannot be enlarged either:
/// see the seccomp filter.
fn limit_connections(host: Host) -> Result<(), Failure> {
    if host.cgroups || !host.fresh_proc {
        return Ok(());
    }
    // What they are born with is what Linux gives them by itself.
    for (name, initial) in [("tcp_rmem", 128 << 10), ("tcp_wmem", 16 << 10)] {
        let sizes = format!("4096 {initial} {TCP_BUFFER_BYTES}");
        step("limit connections", fs::write(format!("/proc/sys/net/ipv4/{name}"), sizes))?;
    }
    Ok(())
}

fn build_root(host: Host, limits: SandboxLimits) -> Result<(), Failure> {
    // What the spawner has is private, and stays so when it is copied.
    let none = None::<&str>;
    let recursive = MsFlags::MS_BIND | MsFlags::MS_REC;
    step("bind the template", mount(Some(TEMPLATE), TEMPLATE, none, recursive, none))?;
    step("enter the template", chdir(TEMPLATE))?;
    if host.fresh_proc {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        step("mount proc", mount(Some("proc"), "proc", Some("proc"), flags, none))?;
        let locks = if host.cgroups { LOCKS } else { &[] };
        // The template's `/mnt` is empty.
        for (cover, covered) in [
            ("dev/null", MASKED),
            ("dev/null", locks),
            ("mnt", MASKED_DIRECTORIES),
            (IDLE_STATISTICS, STATISTICS),
        ] {
            for place in covered {
                match mount(Some(cover), *place, none, MsFlags::MS_BIND, none) {
                    Ok(()) | Err(Errno::ENOENT) => {}
                    Err(error) => return step("mask proc", Err(error)),
                }
            }
        }
    }
    build_workspace(limits)?;
    step("pivot_root", pivot_root(".", "."))?;
    step("detach the old root", umount2(".", MntFlags::MNT_DETACH))?;
    step("enter the workspace", chdir(WORKSPACE))
}

/// One file system with one size behind everything that can be written.
fn build_workspace(limits: SandboxLimits) -> Result<(), Failure> {
    let none = None::<&str>;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    // The user's own, and those of the directories that are there before.
    let inodes = limits.inodes + u64::try_from(WRITABLE.len()).unwrap_or_default() + 1;
    let options = format!("mode=755,size={},nr_inodes={inodes}", limits.disk_bytes);
    let options = Some(options.as_str());
    let staging = STAGING.trim_start_matches('/');
    step("workspace", mount(Some("workspace"), staging, Some("tmpfs"), flags, options))?;
    for (name, _) in WRITABLE {
        step("workspace directory", fs::create_dir(Path::new(staging).join(name)))?;
    }
    for (name, target) in WRITABLE {
        let from = Path::new(staging).join(name);
        let to = target.trim_start_matches('/');
        step("bind the workspace", mount(Some(&from), to, none, MsFlags::MS_BIND, none))?;
    }
    // Small and apart: what the worker has to say must get through when the workspace is full.
    let options = Some("mode=711,size=48m,nr_inodes=64");
    step("request directory", mount(Some("requests"), staging, Some("tmpfs"), flags, options))
}

/// Timers and queued signals of all processes of a sandbox. Those of all sandboxes together are counted for the host's
/// user, too, to whom Linux gives 4 for each MiB of memory: 1024 each were all of them for ninety. Who has none left
/// has his signals nevertheless, without what is told beside.
const SIGNALS: u64 = 128;

fn resource_limits(host: Host, limits: SandboxLimits) -> Result<(), Failure> {
    let processes = if host.cgroups { host.ceiling.processes } else { limits.processes };
    let mut values = vec![
        (Resource::RLIMIT_NPROC, u64::from(processes) + 1),
        // Beyond the size of the workspace only a sparse file could go.
        (Resource::RLIMIT_FSIZE, limits.disk_bytes),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_SIGPENDING, SIGNALS),
        (Resource::RLIMIT_MSGQUEUE, 0),
        (Resource::RLIMIT_MEMLOCK, 0),
        // Nobody goes back before init.
        (Resource::RLIMIT_NICE, 0),
    ];
    if !host.cgroups {
        // Each process may hold the whole limit; the sum over all of them is watched from outside.
        // Address space is given more, as interpreters reserve what they never use.
        values.push((Resource::RLIMIT_DATA, limits.memory_bytes));
    }
    for (resource, value) in values {
        step("resource limits", syscall::set_rlimit(resource, value))?;
    }
    Ok(())
}
