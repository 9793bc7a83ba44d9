//! The read-only root that every sandbox starts from, built once in the spawner's mount namespace:
//! the system's directories, the interpreters, five devices, a minimal `/etc` and our kernels.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, pivot_root};

use crate::runtimes;
use crate::sandbox::linux::cgroup;
use crate::sandbox::linux::syscall;
use crate::sandbox::spec::{OWN_EXECUTABLE, PROGRAMS_DIR, REQUEST_DIR, RUNTIMES_DIR, WORKSPACE};

/// Where the template is mounted. It covers what is there, in our mount namespace only; every Linux
/// has the directory.
pub const TEMPLATE: &str = "/tmp";

/// What every program expects to find. A symbolic link (merged `/usr`) is copied as one; what a host
/// does not have is left out.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/etc/mime.types",
    "/etc/fonts",
    "/etc/localtime",
];

/// Devices without a state that anybody could spoil.
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];

/// Parts of the workspace's file system, and where they are mounted.
pub const WRITABLE: &[(&str, &str)] = &[("home", WORKSPACE), ("tmp", "/tmp"), ("shm", "/dev/shm")];

const ETC: &[(&str, &str)] = &[
    ("passwd", "user:x:1000:1000:user:/home/user:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n"),
    ("group", "user:x:1000:\nnogroup:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
    ("hostname", "sandbox\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ("resolv.conf", ""),
];

/// Where the template has a `/proc/stat` of a machine that does nothing, below its root.
pub const IDLE_STATISTICS: &str = "opt/crucible/stat";

/// Of both file systems that are made here.
const TMPFS: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);
const TEMPLATE_SIZE: &str = "mode=755,size=8m,nr_inodes=4096";

/// `include/uapi/linux/mount.h`.
const RDONLY: u64 = 0x1;
const NOSUID: u64 = 0x2;
const NODEV: u64 = 0x4;

/// A host path, opened before the template covers `/tmp`, that will appear read-only at the same
/// place inside.
struct Source {
    path: PathBuf,
    kind: SourceKind,
}

enum SourceKind {
    Link(PathBuf),
    Directory(File),
    File(File),
}

/// Leaves this process, in a mount namespace of its own, with nothing but the template, `/proc` and the
/// cgroups: every mount that is here is copied for each sandbox, and taken away again. `roots` are
/// directories outside of the system's own that the interpreters need.
pub fn build(roots: &[PathBuf]) -> io::Result<()> {
    let wanted = SYSTEM.iter().map(Path::new).chain(roots.iter().map(PathBuf::as_path));
    let sources: Vec<Source> = wanted.filter_map(open_source).chain([own_executable()?]).collect();
    let devices: Vec<Source> =
        DEVICES.iter().filter_map(|name| open_source(&Path::new("/dev").join(name))).collect();

    enter_small_root()?;
    let none = None::<&str>;
    mount(Some("sandbox"), TEMPLATE, Some("tmpfs"), TMPFS, Some(TEMPLATE_SIZE))?;
    for directory in ["proc", "dev", "etc/ssl", "var", "run", "opt", "mnt"] {
        fs::create_dir_all(inside(Path::new(directory)))?;
    }
    for directory in mount_points() {
        fs::create_dir_all(inside(Path::new(directory)))?;
    }
    symlink("/tmp", inside(Path::new("/var/tmp")))?;
    for (name, content) in ETC {
        fs::write(inside(&Path::new("/etc").join(name)), content)?;
    }
    for (name, target) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        let target = format!("/proc/self/fd{target}");
        symlink(target, inside(&Path::new("/dev").join(name)))?;
    }
    let programs = inside(Path::new(PROGRAMS_DIR));
    for (path, content) in runtimes::FILES {
        let path = inside(&Path::new(RUNTIMES_DIR).join(path));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content)?;
        let mode = if path.starts_with(&programs) { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    let statistics = idle(&fs::read_to_string("/proc/stat")?);
    fs::write(inside(Path::new(IDLE_STATISTICS)), statistics)?;
    for source in &sources {
        bind(source, RDONLY | NOSUID | NODEV)?;
    }
    for device in &devices {
        // A device behind "nodev" cannot be opened, and one behind "rdonly" can still be written.
        bind(device, RDONLY | NOSUID)?;
    }
    syscall::mount_setattr(&c_path(Path::new(TEMPLATE))?, false, RDONLY | NOSUID | NODEV)?;
    // Mounted on at every start of a sandbox; must not be the same mount as the host's.
    mount(none, TEMPLATE, none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none)?;
    // The host's root: nothing is bound from it any more.
    umount2(".", MntFlags::MNT_DETACH).map_err(io::Error::from)
}

/// Moves to a root with the places of what the spawner itself needs. The old one stays mounted on top
/// of it, out of the way of absolute paths.
fn enter_small_root() -> io::Result<()> {
    let none = None::<&str>;
    // Covered for as long as it takes to move on.
    mount(Some("spawner"), TEMPLATE, Some("tmpfs"), TMPFS, Some("mode=755,size=64k"))?;
    chdir(TEMPLATE)?;
    fs::create_dir(TEMPLATE.trim_start_matches('/'))?;
    // The kernel allows a sandbox to mount its own /proc only where one is in sight already.
    for kept in ["/proc", cgroup::MOUNT_POINT] {
        let place = kept.trim_start_matches('/');
        fs::create_dir_all(place)?;
        if Path::new(kept).is_dir() {
            mount(Some(kept), place, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
        }
    }
    pivot_root(".", ".").map_err(io::Error::from)
}

/// `statistics` in the format of `/proc/stat`, with the same processors and the same time of its start, and
/// otherwise zeroes.
fn idle(statistics: &str) -> String {
    let mut text = String::new();
    for line in statistics.lines() {
        let mut fields = line.split_ascii_whitespace();
        let Some(name) = fields.next() else {
            continue;
        };
        text.push_str(name);
        for field in fields {
            text.push(' ');
            text.push_str(if name == "btime" { field } else { "0" });
        }
        text.push('\n');
    }
    text
}

fn mount_points() -> impl Iterator<Item = &'static str> {
    WRITABLE.iter().map(|(_, directory)| *directory).chain([REQUEST_DIR])
}

/// This executable. By its path: what `/proc/self/exe` leads to is in the mount namespace that we come from.
fn own_executable() -> io::Result<Source> {
    let running = fs::metadata("/proc/self/exe")?;
    let file = open_path(&fs::read_link("/proc/self/exe")?)?;
    let found = file.metadata()?;
    if (found.dev(), found.ino()) != (running.dev(), running.ino()) {
        return Err(io::Error::other("this executable was replaced after its start"));
    }
    Ok(Source { path: PathBuf::from(OWN_EXECUTABLE), kind: SourceKind::File(file) })
}

fn open_path(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_CLOEXEC).open(path)
}

fn open_source(path: &Path) -> Option<Source> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let kind = if metadata.is_symlink() {
        SourceKind::Link(fs::read_link(path).ok()?)
    } else {
        let file = open_path(path).ok()?;
        if metadata.is_dir() { SourceKind::Directory(file) } else { SourceKind::File(file) }
    };
    Some(Source { path: PathBuf::from(path), kind })
}

fn bind(source: &Source, attributes: u64) -> io::Result<()> {
    let target = inside(&source.path);
    if target.symlink_metadata().is_ok() {
        // A root below one that is there already, such as /usr/local below /usr.
        return Ok(());
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = match &source.kind {
        SourceKind::Link(to) => return symlink(to, &target),
        SourceKind::Directory(file) => {
            fs::create_dir(&target)?;
            file
        }
        SourceKind::File(file) => {
            File::create(&target)?;
            file
        }
    };
    let from = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let none = None::<&str>;
    mount(Some(&from), &target, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    syscall::mount_setattr(&c_path(&target)?, true, attributes)
}

fn inside(path: &Path) -> PathBuf {
    Path::new(TEMPLATE).join(path.strip_prefix("/").unwrap_or(path))
}

/// A path as C wants it.
pub fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_encoded_bytes()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::idle;

    #[test]
    fn a_machine_that_does_nothing_has_as_many_processors() {
        let busy = "cpu  12 0 3\ncpu0 6 0 1\ncpu1 6 0 2\nintr 5 1 4\nctxt 9\nbtime 1700000000\n";
        let seen = "cpu 0 0 0\ncpu0 0 0 0\ncpu1 0 0 0\nintr 0 0 0\nctxt 0\nbtime 1700000000\n";
        assert_eq!(idle(busy), seen);
    }
}
