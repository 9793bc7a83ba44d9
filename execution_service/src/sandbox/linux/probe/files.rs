//! What can be changed on disk, and by what way a root could be left.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use super::{Attempt, Outcome, Targets};
use crate::sandbox::linux::template::WRITABLE;
use crate::sandbox::spec::REQUEST_DIR;

/// See the module.
pub const ATTEMPTS: &[Attempt] = &[
    ("make a file in /", |_| make_file("/")),
    ("make a file in /usr", |_| make_file("/usr")),
    ("make a file in /etc", |_| make_file("/etc")),
    ("open /etc/passwd for writing", |_| {
        Outcome::of(OpenOptions::new().append(true).open("/etc/passwd"))
    }),
    ("directories that can be changed", |targets| changeable(targets)),
    ("mounts", |_| Outcome::seen(mounts())),
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
fn mounts() -> io::Result<String> {
    let table = match fs::read_to_string("/proc/self/mountinfo") {
        Ok(table) => table,
        // Without a /proc nobody inside can look at them either.
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let loose: Vec<String> = table.lines().filter_map(loose).collect();
    let all = table.lines().count();
    Ok(match loose.len() {
        0 => String::from("read-only, nosuid, nodev"),
        count => format!("{count} of {all} too open, such as {}", loose[0]),
    })
}

/// A line of proc_pid_mountinfo(5), if there is something wrong with it.
fn loose(line: &str) -> Option<String> {
    let mut fields = line.split(' ').skip(4);
    let (place, options) = (fields.next()?, fields.next()?);
    let has = |option: &str| options.split(',').any(|given| given == option);
    let writable = place == "/proc"
        || place == REQUEST_DIR
        || WRITABLE.iter().any(|(_, directory)| place == *directory);
    // The five devices, and one of them over some files of /proc.
    let device = !writable && (place.starts_with("/dev/") || place.starts_with("/proc/"));
    let closed = has("nosuid") && (has("nodev") || device) && (has("ro") || writable);
    (!closed).then(|| format!("{place} ({options})"))
}
