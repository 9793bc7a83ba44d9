//! To use more than a sandbox may: twice as much, or until it is refused.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::time::{ClockId, clock_gettime};

use super::{Attempt, Outcome, Targets, in_child, wait_for};
use crate::sandbox::linux::syscall;

/// Against everything but the processor quota. Memory comes last: without it the rest is hard to tell.
pub const ATTEMPTS: &[Attempt] = &[
    ("raise the limit of open files", |_| in_child(raise_open_files)),
    ("open too many files", |targets| in_child(|| open_files(targets))),
    ("make too large a file", |targets| in_child(|| large_file(targets))),
    ("fill the workspace", |targets| Outcome::of(in_directory(targets, fill))),
    ("make too many files", |targets| Outcome::of(in_directory(targets, make_files))),
    ("start too many processes", |targets| in_child(|| fork_much(targets))),
    ("hold too much memory", |targets| in_child(|| hold_memory(targets))),
];

/// Against the processor quota.
pub const PROCESSOR: &[Attempt] = &[("percent of a processor", |_| Outcome::counted(spin()))];

fn raise_open_files() -> io::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most + 1)?)
}

fn open_files(targets: &Targets) -> io::Result<()> {
    let wanted = 2 * targets.limits.open_files;
    let null = syscall::null_device()?;
    let copies: io::Result<Vec<_>> = (0..wanted).map(|_| null.try_clone()).collect();
    copies.map(drop)
}

/// A sparse one: it would take no room.
fn large_file(targets: &Targets) -> io::Result<()> {
    // Otherwise the kernel says it by a signal first.
    let mut quiet = SigSet::empty();
    quiet.add(Signal::SIGXFSZ);
    quiet.thread_block()?;
    in_directory(targets, |directory, targets| {
        File::create(directory.join("large"))?.set_len(2 * targets.limits.disk_bytes)
    })
}

/// In several files, as each alone is limited too.
fn fill(directory: &Path, targets: &Targets) -> io::Result<()> {
    const FILES: u64 = 4;
    let piece = vec![0x55; 64 << 10];
    let pieces = 2 * targets.limits.disk_bytes / FILES / (64 << 10);
    for file in 0..FILES {
        let mut file = File::create(directory.join(file.to_string()))?;
        (0..pieces).try_for_each(|_| file.write_all(&piece))?;
    }
    Ok(())
}

fn make_files(directory: &Path, targets: &Targets) -> io::Result<()> {
    (0..2 * targets.limits.inodes)
        .try_for_each(|file| File::create(directory.join(file.to_string())).map(drop))
}

/// Does it in a new directory, which is taken away afterwards.
fn in_directory(
    targets: &Targets,
    act: impl FnOnce(&Path, &Targets) -> io::Result<()>,
) -> io::Result<()> {
    let directory: PathBuf =
        Path::new(&targets.workspace).join(format!("probe-{}", std::process::id()));
    fs::create_dir(&directory)?;
    let done = act(&directory, targets);
    fs::remove_dir_all(&directory)?;
    done
}

/// The children wait for the end of a pipe, so that they are there all at once.
fn fork_much(targets: &Targets) -> io::Result<()> {
    let (reader, writer) = nix::unistd::pipe()?;
    let mut children = Vec::new();
    let mut refused = Ok(());
    for _ in 0..2 * targets.limits.processes {
        match syscall::fork() {
            Ok(Some(child)) => children.push(child),
            Ok(None) => {
                drop(writer);
                let _ = nix::unistd::read(&reader, &mut [0]);
                syscall::exit_now(0);
            }
            Err(error) => {
                refused = Err(error);
                break;
            }
        }
    }
    drop(writer);
    children.into_iter().try_for_each(|child| wait_for(child).map(drop))?;
    refused
}

fn hold_memory(targets: &Targets) -> io::Result<()> {
    let wanted = usize::try_from(2 * targets.limits.memory_bytes).map_err(io::Error::other)?;
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(wanted).map_err(|_| io::Error::from(Errno::ENOMEM))?;
    memory.resize(wanted, 1);
    black_box(&memory);
    Ok(())
}

/// Computes for a while; how much of it was processor time, in percent.
fn spin() -> io::Result<u64> {
    // One period of a quota, or a process may have the whole of it at the beginning.
    const WALL: Duration = Duration::from_millis(100);
    // More than the quota of a period. A machine with a lot to do gives it late.
    const CPU: Duration = Duration::from_millis(8);
    let used = || clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from);
    let (start, before) = (Instant::now(), used()?);
    while start.elapsed() < WALL || used()?.saturating_sub(before) < CPU {
        black_box((0..1000).sum::<u32>());
    }
    let (wall, cpu) = (start.elapsed(), used()?.saturating_sub(before));
    Ok(u64::try_from(100 * cpu.as_micros() / wall.as_micros()).unwrap_or(u64::MAX))
}
