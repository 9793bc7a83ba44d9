//! What each part of the worker is told of the settings, and the numbers that are no settings.

use std::time::Duration;

use super::{MIB, Settings};
use crate::execution::compiled::Bounds;
use crate::execution::limits::{LimitRange, Limits};
use crate::execution::outputs;
use crate::language::Language;
use crate::network::Operator;
use crate::owners::{OwnerRules, Promisable};
use crate::pool::PoolSize;
use crate::sandbox::isolation::Demand;
use crate::sandbox::spec::{Footprint, SandboxLimits};
use crate::session::SessionRules;
use crate::worker::Size;

impl Settings {
    /// What anybody may reach.
    pub fn operator(&self) -> Operator {
        let Self { egress_allow, egress_private_hosts, .. } = self;
        Operator { allow: egress_allow.clone(), private: egress_private_hosts.clone() }
    }

    /// Defaults and maxima of a run.
    pub fn limit_range(&self) -> LimitRange {
        // Code that a model wrote in a minute: enough for pandas and a worker pool, not for a server.
        const PROCESSES: u32 = 128;
        const INODES: u64 = 16_384;
        const OPEN_FILES: u32 = 256;
        const OUTPUT: u64 = MIB;
        let cores = u32::div_ceil(self.sandbox_milli_cpus, 1000);
        let defaults = Limits {
            wall: self.default_timeout,
            cpu: self.default_timeout * cores,
            output_bytes: OUTPUT,
            sandbox: SandboxLimits {
                memory_bytes: self.default_memory_bytes,
                processes: PROCESSES.min(self.max_processes),
                disk_bytes: self.default_disk_bytes,
                inodes: INODES,
                open_files: OPEN_FILES,
                milli_cpus: self.sandbox_milli_cpus,
            },
        };
        let maxima = Limits {
            wall: self.max_timeout,
            cpu: self.max_timeout * cores,
            // Control characters grow sixfold in JSON, and the answer holds stdout twice.
            output_bytes: 2 * MIB,
            sandbox: SandboxLimits {
                memory_bytes: self.max_memory_bytes,
                processes: self.max_processes,
                disk_bytes: self.max_disk_bytes,
                inodes: 16 * INODES,
                open_files: 16 * OPEN_FILES,
                milli_cpus: self.sandbox_milli_cpus,
            },
        };
        LimitRange { defaults, maxima }
    }

    /// Sizes of the pool.
    pub fn pool_size(&self) -> PoolSize {
        PoolSize { initial: self.initial_pool_size, max: self.max_pool_size }
    }

    /// How many run at once, and how many wait.
    pub fn admission_size(&self) -> Size {
        Size {
            slots: self.max_concurrent_runs,
            waiting: self.max_queued_runs,
            waiting_of_one: self.max_queued_runs_per_owner,
        }
    }

    /// How much of what compilers made is kept; `None` for nothing.
    pub fn compiled_bounds(&self) -> Option<Bounds> {
        // Headers and compiler may be replaced while we run, and then the old ones must be forgotten.
        const AGE: Duration = Duration::from_secs(60 * 60);
        // What fits of the smallest programs, with the default: 16 KiB each.
        const ENTRIES: usize = 4096;
        let bytes = usize::try_from(self.compile_cache_bytes).unwrap_or(usize::MAX);
        (bytes > 0).then_some(Bounds { bytes, entries: ENTRIES, age: AGE })
    }

    /// How much output is kept, beside text of `known_to_caller` bytes that nobody need ask for.
    pub fn output_bounds(&self, known_to_caller: usize) -> outputs::Bounds {
        outputs::Bounds {
            stream: self.max_stored_output_bytes,
            total: self.output_store_bytes,
            retention: self.output_retention,
            known_to_caller,
        }
    }

    /// Rules for sessions.
    pub fn session_rules(&self) -> SessionRules {
        SessionRules {
            max: self.max_sessions,
            max_per_owner: self.max_sessions_per_owner,
            idle: self.session_idle_timeout,
        }
    }

    /// What holds for the sandboxes of each owner together, on a machine that has `capacity` for all.
    pub fn owner_rules(&self, capacity: Footprint) -> OwnerRules {
        // Numbers of processes are never promised twice: who runs out of them can do nothing else.
        let memory = capacity.hundredths(u64::from(self.memory_overcommit_percent));
        let all = Footprint { memory_bytes: memory.memory_bytes, ..capacity };
        let share = u64::from(self.owner_share_percent);
        OwnerRules {
            promisable: Promisable { all, one: all.hundredths(share) },
            capacity,
            most_of_one: capacity.hundredths(share),
            background: self.background,
        }
    }

    /// The walls without which the operator wants no service.
    pub fn demands(&self) -> Vec<Demand> {
        let demands = [
            (self.require_cgroups, Demand::Cgroups),
            (self.require_cpu_quota, Demand::CpuQuota),
            (self.require_fresh_proc, Demand::FreshProc),
            (self.require_own_uids, Demand::OwnUids),
        ];
        demands.into_iter().filter_map(|(made, demand)| made.then_some(demand)).collect()
    }

    /// The languages to offer.
    pub fn languages(&self) -> &[Language] {
        &self.supported_languages.0
    }
}
