//! The worker's first steps, before any thread exists.
//!
//! ```text
//! anchor    real uid, then nobody: made the namespaces, waits, removes the cgroups at the end
//! └ worker  root of a user namespace, then uid 1 of it without capabilities: tokio, gRPC
//!   ├ spawner  root of that user namespace: makes sandboxes
//!   └ aside    uid 2 of it without capabilities, with a keeper: the broker
//! ```
//!
//! No process of ours keeps the real uid 0: in a container, that uid could write files of the host's
//! kernel such as `core_pattern`.

mod anchor;
pub mod aside;
pub mod ids;
pub mod launch;

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use serde::{Deserialize, Serialize};

use crate::sandbox::linux::boot_error::BootError;
use crate::sandbox::linux::cgroup::{Delegation, Hierarchy, Leftover, Tree, mount_hierarchies};
use crate::sandbox::linux::self_test;
use crate::sandbox::linux::syscall;
use crate::sandbox::linux::wire::channel;
use ids::{FIRST_HOST_ID, HOST_IDS, WORKER_ID};

/// A session needs a dozen descriptors, and most hosts give 1,024 unless asked.
fn raise_open_files() -> io::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}

/// What boot found out, in the process that goes on to be the worker.
pub struct Namespaced {
    /// Whether each sandbox can have its own uid.
    pub distinct_ids: bool,
    /// Where sandboxes get their cgroups; or why they get none.
    pub cgroups: Result<Tree, String>,
    /// Reads as ended when the anchor was told to stop, and when it died. (A parent-death signal
    /// would not do: the kernel sends it with the rights of the dying parent, and the anchor, being
    /// nobody, has none over the worker.)
    pub stop: OwnedFd,
    /// What workers that were killed had left.
    pub leftovers: Vec<Leftover>,
}

/// Where sandboxes get their cgroups, or why they get none; and what was swept on the way.
type Cgroups = (Result<Tree, String>, Vec<Leftover>);

/// Outer to inner: go on, with what was delegated.
#[derive(Serialize, Deserialize)]
enum ToInner {
    Mapped,
    Delegated(Result<Tree, String>, Vec<Leftover>),
}

/// Puts this process into namespaces of its own. Returns in the inner process only; the outer one
/// lets go of `inner_only` (a listening socket), becomes the anchor and never comes back. `leftover` is
/// a file that the anchor removes at the very end (that of the socket).
pub fn enter_namespaces<T>(
    inner_only: T,
    leftover: Option<&Path>,
) -> Result<(Namespaced, T), BootError> {
    let failed = |stage: &'static str| move |source| self_test::failure(stage, source);
    raise_open_files().map_err(failed("RLIMIT_NOFILE"))?;
    let real = (Uid::current(), Gid::current());
    let privileged = real.0.is_root();
    let (outer, inner) = channel::pair(false).map_err(failed("socketpair"))?;
    let (stop, stop_writer) =
        nix::unistd::pipe().map_err(|errno| failed("pipe")(io::Error::from(errno)))?;
    let namespaces = libc::CLONE_NEWUSER | libc::CLONE_NEWNS;
    match syscall::clone_process(namespaces).map_err(failed("making a user namespace"))? {
        syscall::Cloned::Parent(child) => {
            drop((inner, stop, inner_only));
            let delegation = (|| {
                map_ids(child.pid, real, privileged)?;
                let mut delegation = Delegation::prepare(child.pid);
                channel::send(outer.as_fd(), &ToInner::Mapped, &[])?;
                let Some((hierarchies, _)) = channel::receive::<Vec<Hierarchy>>(outer.as_fd())?
                else {
                    // The inner process has said why it failed.
                    return Ok(delegation);
                };
                let owner = if privileged { FIRST_HOST_ID } else { real.0.as_raw() };
                let tree = delegation
                    .complete(child.pid, &hierarchies, owner)
                    .map_err(|error| error.to_string())
                    .and_then(|tree| {
                        tree.ok_or_else(|| String::from("no memory and pids controllers"))
                    });
                let leftovers = delegation.swept();
                channel::send(outer.as_fd(), &ToInner::Delegated(tree, leftovers), &[])?;
                Ok(delegation)
            })()
            .map_err(failed("setting up the user namespace"))?;
            drop(outer);
            anchor::stay(child.pid, stop_writer, privileged, delegation, leftover)
        }
        syscall::Cloned::Child => {
            drop((outer, stop_writer));
            let entered = become_inner(&inner).map_err(failed("entering the namespaces"))?;
            let (cgroups, leftovers) = entered.ok_or(BootError::SaidElsewhere)?;
            Ok((Namespaced { distinct_ids: privileged, cgroups, stop, leftovers }, inner_only))
        }
    }
}

fn map_ids(pid: libc::pid_t, (uid, gid): (Uid, Gid), privileged: bool) -> io::Result<()> {
    let file = |name: &str| format!("/proc/{pid}/{name}");
    if privileged {
        let map = format!("0 {FIRST_HOST_ID} {HOST_IDS}\n");
        fs::write(file("uid_map"), &map)?;
        fs::write(file("gid_map"), &map)
    } else {
        fs::write(file("setgroups"), "deny")?;
        fs::write(file("uid_map"), format!("0 {uid} 1\n"))?;
        fs::write(file("gid_map"), format!("0 {gid} 1\n"))
    }
}

/// The cgroups, or why there are none; and what killed workers had left. Nothing if the outer process has
/// failed, which it says itself.
fn become_inner(outer: &OwnedFd) -> io::Result<Option<Cgroups>> {
    let Some((ToInner::Mapped, _)) = channel::receive(outer.as_fd())? else {
        return Ok(None);
    };
    let root = (Uid::from_raw(0), Gid::from_raw(0));
    setresgid(root.1, root.1, root.1)?;
    setresuid(root.0, root.0, root.0)?;
    // Refused with a one-id map, where the outer process has given up the right to change groups.
    let _ = setgroups(&[]);
    // A change of uid clears it; the outer process must be able to look at our mounts.
    prctl::set_dumpable(true)?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)?;
    unshare(CloneFlags::CLONE_NEWCGROUP)?;
    // A host without /sys/fs/cgroup has nothing to mount there either.
    let hierarchies = mount_hierarchies().unwrap_or_default();
    channel::send(outer.as_fd(), &hierarchies, &[])?;
    match channel::receive(outer.as_fd())? {
        Some((ToInner::Delegated(cgroups, leftovers), _)) => Ok(Some((cgroups, leftovers))),
        Some((ToInner::Mapped, _)) | None => Ok(None),
    }
}

/// Gives up, in the worker, all that the spawner has: capabilities, the spawner's uid, the way to get
/// either back, and the right to be looked at by a debugger.
pub fn drop_privileges(distinct_ids: bool) -> io::Result<()> {
    syscall::limit_bounding_set(&[])?;
    if distinct_ids {
        let (uid, gid) = (Uid::from_raw(WORKER_ID), Gid::from_raw(WORKER_ID));
        setresgid(gid, gid, gid)?;
        setresuid(uid, uid, uid)?;
    }
    syscall::set_capabilities(0, 0)?;
    prctl::set_no_new_privs()?;
    prctl::set_dumpable(false)?;
    Ok(())
}
