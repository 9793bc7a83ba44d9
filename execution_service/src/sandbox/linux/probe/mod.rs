//! What is tried inside of a sandbox, to learn whether its walls stand: each attempt really does what
//! the wall is there to prevent, and tells what came of it. What should have come of it is not known
//! here; [`super::self_test`] judges.
//!
//! Every attempt is harmless where it succeeds, because the control runs all of them where nothing is
//! in the way: it asks for nothing that would stay, and takes away what it made.

mod calls;
mod files;
mod identity;
mod inheritance;
mod neighbour;
mod network;
mod privileges;
mod processes;
mod resources;

use std::io;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::sandbox::linux::syscall;
pub use crate::sandbox::linux::wire::probe::{Probe, Targets};

pub use identity::ATTEMPTS as IDENTITY;
pub use neighbour::DESCRIPTORS as NEIGHBOURS_DESCRIPTORS;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It succeeded.
    Done,
    /// The kernel refused it, with this error number.
    Refused(i32),
    /// This signal ended the process that tried.
    Killed(i32),
    /// Something was looked at, and this was there.
    Seen(String),
    /// Something was counted.
    Counted(u64),
}

/// An attempt and its outcome.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The name of the attempt.
    pub attempt: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// Something to try, and its name.
pub type Attempt = (&'static str, fn(&Targets) -> Outcome);

/// Makes the attempts, in order.
pub fn run(probe: Probe, targets: &Targets) -> Vec<Finding> {
    let attempts: Vec<&[Attempt]> = match probe {
        Probe::Walls => vec![
            // First, while no number but init's and ours is taken.
            processes::ATTEMPTS,
            identity::ATTEMPTS,
            inheritance::ATTEMPTS,
            files::ATTEMPTS,
            privileges::ATTEMPTS,
            network::ATTEMPTS,
        ],
        Probe::Resources => vec![resources::ATTEMPTS],
        Probe::Processor => vec![resources::PROCESSOR],
        Probe::Neighbour(pid) => return neighbour::compare(pid),
    };
    let mut findings = make(&attempts.concat(), targets);
    if probe == Probe::Walls {
        findings.extend(calls::attempts());
    }
    findings
}

/// Makes these attempts.
pub fn make(attempts: &[Attempt], targets: &Targets) -> Vec<Finding> {
    let finding = |(name, attempt): &Attempt| Finding {
        attempt: String::from(*name),
        outcome: attempt(targets),
    };
    attempts.iter().map(finding).collect()
}

impl Outcome {
    fn of<T>(result: Result<T, impl Into<io::Error>>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(error) => {
                let error: io::Error = error.into();
                Self::Refused(error.raw_os_error().unwrap_or(libc::EIO))
            }
        }
    }

    /// What was looked at, or why it could not be.
    fn seen(result: io::Result<String>) -> Self {
        result.map_or_else(|error| Self::of::<()>(Err(error)), Self::Seen)
    }

    /// What was counted, or why it could not be.
    fn counted(result: io::Result<u64>) -> Self {
        result.map_or_else(|error| Self::of::<()>(Err(error)), Self::Counted)
    }
}

/// Has a child try what might end or change the process that does it.
fn in_child(attempt: impl FnOnce() -> io::Result<()>) -> Outcome {
    let child = match syscall::fork() {
        Ok(Some(child)) => child,
        Ok(None) => {
            let errno =
                attempt().err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
            syscall::exit_now(errno)
        }
        Err(error) => return Outcome::of::<()>(Err(error)),
    };
    match wait_for(child) {
        Ok(WaitStatus::Exited(_, 0)) => Outcome::Done,
        Ok(WaitStatus::Exited(_, errno)) => Outcome::Refused(errno),
        Ok(WaitStatus::Signaled(_, signal, _)) => Outcome::Killed(signal as libc::c_int),
        Ok(other) => Outcome::Seen(format!("{other:?}")),
        Err(error) => Outcome::of::<()>(Err(error)),
    }
}

fn wait_for(child: libc::pid_t) -> io::Result<WaitStatus> {
    waitpid(Pid::from_raw(child), None).map_err(io::Error::from)
}
