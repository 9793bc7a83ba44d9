//! Where a process is: its namespaces and its root. The worker looks at the same of its own.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use nix::unistd::{Gid, Uid, getgroups, gethostname, getppid, getresgid, getresuid, setresuid};

use super::{Attempt, Outcome};

/// What is asked about where the process is.
pub const ATTEMPTS: &[Attempt] = &[
    ("user namespace", |_| namespace("user")),
    ("mount namespace", |_| namespace("mnt")),
    ("pid namespace", |_| namespace("pid")),
    ("network namespace", |_| namespace("net")),
    ("ipc namespace", |_| namespace("ipc")),
    ("uts namespace", |_| namespace("uts")),
    ("cgroup namespace", |_| namespace("cgroup")),
    ("root directory", |_| root()),
    ("host name", |_| Outcome::seen(host_name())),
    ("parent", |_| Outcome::Seen(getppid().to_string())),
    ("uid and gid", |_| Outcome::seen(ids())),
    ("groups", |_| Outcome::seen(groups())),
];

fn namespace(kind: &str) -> Outcome {
    let inode = fs::metadata(format!("/proc/self/ns/{kind}")).map(|file| file.ino().to_string());
    Outcome::seen(inode)
}

/// Two roots that are the same directory have the same numbers.
fn root() -> Outcome {
    Outcome::seen(fs::metadata("/").map(|root| format!("{}:{}", root.dev(), root.ino())))
}

fn host_name() -> io::Result<String> {
    Ok(gethostname()?.to_string_lossy().into_owned())
}

fn ids() -> io::Result<String> {
    let (uid, gid) = (getresuid()?, getresgid()?);
    let (uids, gids) = ([uid.real, uid.effective, uid.saved], [gid.real, gid.effective, gid.saved]);
    let same = |uid: &Uid, gid: &Gid| *uid == uids[0] && *gid == gids[0];
    if uids.iter().zip(&gids).all(|(uid, gid)| same(uid, gid)) {
        return Ok(format!("{}:{}", uids[0], gids[0]));
    }
    Ok(format!("{uids:?}:{gids:?}"))
}

fn groups() -> io::Result<String> {
    let groups: Vec<String> = getgroups()?.iter().map(ToString::to_string).collect();
    Ok(if groups.is_empty() { String::from("none") } else { groups.join(" ") })
}

/// Becomes root of its own namespace, which has no such id.
pub fn become_root() -> io::Result<()> {
    let root = Uid::from_raw(0);
    setresuid(root, root, root).map_err(io::Error::from)
}
