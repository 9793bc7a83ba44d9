//! Why a program does not run any more.

use std::time::Duration;

use crate::sandbox::spec::Exit;

/// How long a program may keep those from looking who keep its account. Where the inside keeps it, that is one process
/// among those of the user; an innocent program on a busy machine holds it up for some tens of milliseconds.
pub const UNWATCHED_AFTER: Duration = Duration::from_millis(1500);

/// Why a program is not running any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its process ended.
    Exited(Exit),
    /// Its kernel said that the run is over, and lives on.
    Finished {
        /// As the kernel says.
        exit_code: i32,
    },
    /// Stopped by us.
    Stopped(Stop),
}

/// Why we stopped a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// [`super::limits::Limits::wall`].
    Wall,
    /// [`super::limits::Limits::cpu`].
    Cpu,
    /// The sum over its processes, where no cgroup limits it.
    Memory,
    /// Its processes kept those from looking who keep its account.
    Unwatched,
    /// More locks on files than a program can need: see [`crate::sandbox::spec::MOST_LOCKS`].
    Locks,
    /// More open files than a program can need: see [`crate::sandbox::spec::MOST_OPEN_FILES`].
    Files,
    /// The hard cap.
    Output,
    /// Its owner, or a caller who went away.
    Cancelled,
    /// It was interrupted and went on: see [`super::handle::Handle::interrupt`].
    Interrupted,
}
