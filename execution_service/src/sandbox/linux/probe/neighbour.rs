//! Whether another process of the sandbox is confined as this one is. One that came out of a zygote
//! closed itself in, by other code than that which closed us in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::{Finding, Outcome};

/// What two processes of a sandbox have in common, in `/proc/PID/status`.
const STATUS: &[&str] = &[
    "Uid",
    "Gid",
    "Groups",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
    "NoNewPrivs",
    "Seccomp",
    FILTERS,
];
/// How many filters a process has.
const FILTERS: &str = "Seccomp_filters";
const NAMESPACES: &[&str] = &["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];
/// Files of `/proc/PID` that are the same.
const FILES: &[&str] = &["cgroup", "limits"];

/// Compares the process `pid` with this one. What is the same shows nothing.
pub fn compare(pid: i32) -> Vec<Finding> {
    let (theirs, mut ours) = (look_at(&pid.to_string()), look_at("self"));
    // What init starts has its filter in two pieces, and what a zygote forks all in one.
    if let Some(filters) = ours.get_mut(FILTERS)
        && let Ok(number) = filters.parse::<u32>()
    {
        *filters = number.saturating_sub(1).to_string();
    }
    let both = theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>();
    let different = |name: &&String| theirs.get(*name) != ours.get(*name);
    let finding = |name: &String| {
        let of = |seen: &BTreeMap<String, String>| seen.get(name).cloned().unwrap_or_default();
        let seen = format!("{} instead of {}", of(&theirs), of(&ours));
        Finding { attempt: name.clone(), outcome: Outcome::Seen(seen) }
    };
    let mut findings: Vec<Finding> = both.into_iter().filter(different).map(finding).collect();
    findings.push(Finding {
        attempt: String::from(DESCRIPTORS),
        outcome: Outcome::seen(descriptors(pid)),
    });
    findings
}

/// The attempt of [`compare`] that is always there.
pub const DESCRIPTORS: &str = "descriptors of the neighbour";

fn look_at(process: &str) -> BTreeMap<String, String> {
    let place = |name: &str| PathBuf::from(format!("/proc/{process}/{name}"));
    let mut seen = BTreeMap::new();
    let mut note = |name: &str, what: io::Result<String>| {
        seen.insert(String::from(name), what.unwrap_or_else(|error| error.to_string()));
    };
    let status = fs::read_to_string(place("status")).unwrap_or_default();
    for name in STATUS {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        note(name, Ok(String::from(line.unwrap_or_default().trim())));
    }
    for name in NAMESPACES {
        let inode = fs::metadata(place(&format!("ns/{name}"))).map(|file| file.ino().to_string());
        note(&format!("{name} namespace"), inode);
    }
    for name in FILES {
        note(name, fs::read_to_string(place(name)));
    }
    note("root", fs::metadata(place("root")).map(|root| format!("{}:{}", root.dev(), root.ino())));
    seen
}

/// What all of them lead to; of pipes and sockets, how many.
fn descriptors(pid: i32) -> io::Result<String> {
    let folder = fs::read_dir(format!("/proc/{pid}/fd"))?;
    let leads_to = folder.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    let places: BTreeSet<String> = leads_to.map(|path| path.display().to_string()).collect();
    let count = |kind: &str| places.iter().filter(|place| place.starts_with(kind)).count();
    let (pipes, sockets) = (count("pipe:"), count("socket:"));
    let others = places
        .iter()
        .filter(|place| !["pipe:", "socket:"].iter().any(|kind| place.starts_with(kind)));
    let mut seen: Vec<String> = others.cloned().collect();
    seen.extend([format!("{pipes} pipes"), format!("{sockets} sockets")]);
    Ok(seen.join(", "))
}
