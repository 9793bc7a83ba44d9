//! What a sandbox has used, from those who can see it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::sandbox::linux::cgroup::CgroupUsage;
use crate::sandbox::linux::host::disk::Disk;
use crate::sandbox::linux::host::reaped::Reaped;
use crate::sandbox::linux::wire::init::InitUsage;
use crate::sandbox::spec::Usage;

/// With cgroups, the kernel keeps the account.
pub fn enforced(cgroup: CgroupUsage, cpu: Duration, disk: Disk, whole: bool) -> Usage {
    Usage {
        cpu,
        memory_bytes: 0,
        peak_memory_bytes: cgroup.peak_memory_bytes.unwrap_or_default(),
        peak_processes: cgroup.peak_processes.unwrap_or_default().saturating_sub(1),
        disk_bytes: disk.bytes,
        disk_full: disk.full,
        oom_kills: cgroup.oom_kills,
        fork_refusals: cgroup.fork_refusals,
        whole,
    }
}

/// Without them it is what init saw, and what is known of `forked` processes, which are not its children.
pub fn estimated(init: InitUsage, forked: Reaped, whole: bool) -> Usage {
    Usage {
        cpu: init.cpu.saturating_add(forked.cpu),
        memory_bytes: init.memory_bytes,
        peak_memory_bytes: init.memory_bytes.max(init.largest_ended).max(forked.largest),
        // There was one at least, even if nobody looked while it lived.
        peak_processes: init.processes.max(1),
        disk_bytes: init.disk.bytes,
        disk_full: init.disk.full,
        oom_kills: 0,
        fork_refusals: 0,
        whole,
    }
}

/// What init has last said of what is used.
#[derive(Default)]
pub struct LastSaid(Mutex<InitUsage>);

impl LastSaid {
    /// It says this now.
    pub fn remember(&self, usage: InitUsage) -> InitUsage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = usage;
        usage
    }

    /// Nothing, if it was never asked.
    pub fn last(&self) -> InitUsage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::backend::ProcessEnd;
    use crate::sandbox::spec::Exit;

    #[test]
    fn an_account_that_was_made_up_can_be_added_up() {
        let all =
            ProcessEnd { exit: Exit::Code(0), cpu: Duration::MAX, peak_memory_bytes: u64::MAX };
        let mut reaped = Reaped::default();
        reaped.add(all);
        reaped.add(all);
        let init = InitUsage { cpu: Duration::MAX, memory_bytes: u64::MAX, ..InitUsage::default() };
        assert_eq!(estimated(init, reaped, true).cpu, Duration::MAX);
    }
}
