//! What can be changed on disk, and by what way a root could be left.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use rustix::fs::StatVfsMountFlags;

use super::{Attempt, Outcome, Targets};
use crate::sandbox::linux::confine::template::WRITABLE;
use crate::sandbox::spec::REQUEST_DIR;

/// What is tried with files.
pub const ATTEMPTS: &[Attempt] = &[
    ("make a file in /", |_| make_file("/")),
    ("make a file in /usr", |_| make_file("/usr")),
    ("make a file in /etc", |_| make_file("/etc")),
    ("open /etc/passwd for writing", |_| {
        Outcome::of(OpenOptions::new().append(true).open("/etc/passwd"))
    }),
    ("directories that can be changed", |targets| changeable(targets)),
    ("mounts", |targets| Outcome::seen(mounts(targets))),
    ("make a file in the workspace", |targets| make_file(&targets.workspace)),
];

fn make_file(directory: &str) -> Outcome {
    let path = Path::new(directory).join(format!(".crucible-probe-{}", std::process::id()));
    let made = OpenOptions::new().write(true).create_new(true).open(&path);
    if made.is_ok() {
        let _ = fs::remove_file(&path);
    }
    Outcome::of(made)
}

fn changeable(targets: &Targets) -> Outcome {
    let open = |directory: &&String| make_file(directory) == Outcome::Done;
    let open: Vec<&str> = targets.read_only.iter().filter(open).map(String::as_str).collect();
    Outcome::Seen(if open.is_empty() { String::from("none") } else { open.join(" ") })
}

/// Those that are more than they need to be.
fn mounts(targets: &Targets) -> io::Result<String> {
    let (all, loose): (usize, Vec<String>) = match fs::read_to_string("/proc/self/mountinfo") {
        Ok(table) => (table.lines().count(), table.lines().filter_map(loose).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let places = targets.read_only.iter().chain([&targets.workspace]);
            (places.clone().count(), places.filter_map(loose_place).collect())
        }
        Err(error) => return Err(error),
    };
    Ok(match loose.first() {
        None => String::from("read-only, nosuid, nodev"),
        Some(first) => format!("{} of {all} too open, such as {first}", loose.len()),
    })
}

/// A directory whose mount is too open, asked for without a `/proc`.
fn loose_place(place: &String) -> Option<String> {
    // What is not there is on no mount.
    let flags = rustix::fs::statvfs(place).ok()?.f_flag;
    let mut wanted = StatVfsMountFlags::NOSUID | StatVfsMountFlags::NODEV;
    if !is_writable(place) {
        wanted |= StatVfsMountFlags::RDONLY;
    }
    (!flags.contains(wanted)).then(|| format!("{place} ({flags:?})"))
}

/// Whether programs may change what is there.
fn is_writable(place: &str) -> bool {
    place == REQUEST_DIR || WRITABLE.iter().any(|(_, directory)| place == *directory)
}

/// A line of proc_pid_mountinfo(5), if there is something wrong with it.
fn loose(line: &str) -> Option<String> {
    let mut fields = line.split(' ').skip(4);
    let (place, options) = (fields.next()?, fields.next()?);
    let has = |option: &str| options.split(',').any(|given| given == option);
    let writable = place == "/proc" || is_writable(place);
    // The five devices, and one of them over some files of /proc.
    let device = !writable && (place.starts_with("/dev/") || place.starts_with("/proc/"));
    let closed = has("nosuid") && (has("nodev") || device) && (has("ro") || writable);
    (!closed).then(|| format!("{place} ({options})"))
}
