//! The same attempts, made where nothing is in their way. A wall that is "enforced" there was never
//! looked at.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::judge::Case;
use super::{Bait, Host, MOST_FINDINGS};
use crate::sandbox::isolation::Isolation;
use crate::sandbox::linux::probe::{self, Finding, Probe};
use crate::sandbox::linux::syscall;

/// Makes all attempts in a plain child of this process, which must have one thread.
///
/// # Errors
/// When they could not be made.
pub fn control() -> io::Result<Isolation> {
    let workspace = PathBuf::from(format!("/tmp/crucible-control-{}", std::process::id()));
    fs::DirBuilder::new().mode(0o700).create(&workspace)?;
    let judged = attempts(&workspace);
    fs::remove_dir_all(&workspace)?;
    judged
}

fn attempts(workspace: &Path) -> io::Result<Isolation> {
    let bait = Bait::lay()?;
    let targets = bait.targets(&[], &workspace.display().to_string())?;
    // A descriptor that is inherited.
    let (reader, writer) = nix::unistd::pipe()?;
    let Some(child) = syscall::fork()? else {
        drop(reader);
        let probes = [Probe::Walls, Probe::Resources, Probe::Processor];
        let findings: Vec<Finding> =
            probes.into_iter().flat_map(|probe| probe::run(probe, &targets)).collect();
        let told = postcard::to_stdvec(&findings)
            .map_err(io::Error::other)
            .and_then(|findings| File::from(writer).write_all(&findings));
        syscall::exit_now(i32::from(told.is_err()));
    };
    drop(writer);
    let mut bytes = Vec::new();
    File::from(reader).take(MOST_FINDINGS as u64).read_to_end(&mut bytes)?;
    waitpid(Pid::from_raw(child), None)?;
    let findings: Vec<Finding> = postcard::from_bytes(&bytes).map_err(io::Error::other)?;
    let ours = probe::make(probe::IDENTITY, &targets);
    // As if everything could be had here, so that nothing is excused.
    let host = Host { distinct_ids: true, fresh_proc: true, cgroups: Ok(true) };
    Ok(Case::new(&findings, &ours, &host, &[]).judge())
}
